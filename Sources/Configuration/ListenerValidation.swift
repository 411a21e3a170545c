// What a listener's files come to: they are read, and everything that would go wrong with the first client is found now.

import Admission
import OpenSSLKit

extension ListenerDraft {
    func validated(files: any ConfigurationFiles, problems: Problems) -> ListenerPolicy {
        var policy = ListenerPolicy(endpoint: endpoint, takesProxyHeader: proxyProtocol != nil)
        guard let tls, tls.text == "tls" else { return policy }
        Directive.requireAll(in: .listen, seen: seen, at: tls.origin, problems: problems)
        let rule = clientRule(files: files, problems: problems)
        let identities = identities(files: files, problems: problems)
        if problems.hasErrors || identities.isEmpty { return policy }
        do throws(OpenSSLError) {
            policy.tls = try TLSServerContext(
                identities: identities.map(\.identity), versions: versions.min()! ... versions.max()!,
                clientCertificates: rule)
        } catch {
            problems.error("OpenSSL does not take what is given for TLS: \(error.reason)", at: tls)
        }
        return policy
    }

    private func identities(
        files: any ConfigurationFiles, problems: Problems
    ) -> [(identity: TLSIdentity, word: Word)] {
        if certificates.isEmpty || certificateKeys.isEmpty { return [] }
        if certificates.count > certificateKeys.count {
            problems.error("this certificate has no 'certificate_key'", at: certificates[certificateKeys.count])
        } else if certificateKeys.count > certificates.count {
            problems.error("this key has no 'certificate'", at: certificateKeys[certificates.count])
        } else if certificates.count > Self.certificatesMax {
            problems.error("more than \(Self.certificatesMax) certificates", at: certificates[Self.certificatesMax])
            return []
        }
        let found = zip(certificates, certificateKeys).compactMap { certificate, key in
            identity(certificate, key, files: files, problems: problems).map { ($0, certificate) }
        }
        for (index, one) in found.enumerated() { warn(of: one.0, one.1, besides: found[..<index], problems) }
        return found
    }

    private func identity(
        _ certificate: Word, _ key: Word, files: any ConfigurationFiles, problems: Problems
    ) -> TLSIdentity? {
        let path = problems.path(key)
        let certificateBytes = files.read(certificate, bytesMax: Self.certificateBytesMax, problems)
        let keyBytes = files.read(key, bytesMax: Self.certificateBytesMax, problems)
        guard let certificateBytes, let keyBytes else { return nil }
        if files.isReadableByEveryone(path) {
            problems.warning(
                "\(quoted(path)) can be read by every user of this machine, and whoever has read it can pass for this "
                    + "server; take that right away ('chmod o-r'; in a pod 'defaultMode: 0440' and 'fsGroup')",
                at: key.origin)
        }
        do throws(TLSIdentityError) {
            return try TLSIdentity(certificates: certificateBytes.span, key: keyBytes.span)
        } catch {
            let shown = quoted(problems.path(certificate))
            switch error {
            case .noCertificate:
                problems.error("\(shown) holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)", at: certificate)
            case .malformedCertificate(let reason):
                problems.error("\(shown) holds a certificate that cannot be read: \(reason)", at: certificate)
            case .noKey:
                problems.error("\(quoted(path)) holds no private key in PEM form (-----BEGIN PRIVATE KEY-----)", at: key)
            case .malformedKey(let reason):
                problems.error("\(quoted(path)) holds a private key that cannot be read: \(reason)", at: key)
            case .encryptedKey:
                problems.error(
                    "the key in \(quoted(path)) is encrypted, and nobody is there to type a password; write it in clear to a "
                        + "file that only this user can read, with 'openssl pkey -in … -out …'",
                    at: key)
            case .keyOfAnother:
                problems.error(
                    "the key in \(quoted(path)) is not that of the first certificate in \(shown); pairs are given in the "
                        + "same order, and a chain begins with the server's own certificate",
                    at: key)
            }
            return nil
        }
    }

    private func warn(
        of identity: TLSIdentity, _ word: Word, besides earlier: ArraySlice<(TLSIdentity, Word)>, _ problems: Problems
    ) {
        let own = identity.chain[0]
        let path = quoted(problems.path(word))
        let names = own.dnsNames
        if own.notAfter < problems.now {
            problems.warning("the certificate in \(path) has expired: clients will not believe it", at: word.origin)
        } else if own.notBefore > problems.now {
            problems.warning("the certificate in \(path) is not valid yet: clients will not believe it", at: word.origin)
        }
        if earlier.isEmpty { return }
        if names.isEmpty {
            problems.warning(
                "the certificate in \(path) has no DNS name in its subjectAltName, so that no client is ever shown it; put "
                    + "it first, or leave it out",
                at: word.origin)
        } else if let first = earlier.first(where: { other in
            other.0.keyKind == identity.keyKind && Set(names).isSubset(of: other.0.chain[0].dnsNames)
        }) {
            problems.warning(
                "no client is ever shown the certificate in \(path): the one at \(problems.description(of: first.1.origin)) "
                    + "has its names",
                at: word.origin)
        }
    }

    private func clientRule(files: any ConfigurationFiles, problems: Problems) -> ClientCertificateRule? {
        let origin = seen["verify_client"] ?? word.origin
        guard let clientAuthorities else {
            if verifyClient != .off, seen["client_ca"] == nil {
                problems.error("'verify_client' needs 'client_ca': say who vouches for clients, with 'client_ca FILE;'", at: origin)
            }
            return nil
        }
        let authorities = files.authorities(clientAuthorities, countMax: Self.authoritiesMax, problems)
        if verifyClient == .off, !problems.hasErrors {
            problems.warning(
                "'client_ca' has no effect while 'verify_client' is off: no client is asked for a certificate",
                at: clientAuthorities.origin)
        }
        guard verifyClient != .off, let authorities else { return nil }
        return ClientCertificateRule(authorities: authorities, isRequired: verifyClient == .on)
    }
}

extension ConfigurationFiles {
    /// The authorities' certificates of a PEM file; nil: reported.
    func authorities(_ file: Word, countMax: Int, _ problems: Problems) -> [Certificate]? {
        guard let bytes = read(file, bytesMax: IssuerDraft.authoritiesBytesMax, problems) else { return nil }
        let path = quoted(problems.path(file))
        do throws(OpenSSLError) {
            let found = try Certificate.all(inPEM: bytes.span, countMax: countMax)
            if !found.isEmpty { return found }
            problems.error("\(path) holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)", at: file)
        } catch {
            problems.error("\(path) holds a certificate that cannot be read: \(error.reason)", at: file)
        }
        return nil
    }
}
