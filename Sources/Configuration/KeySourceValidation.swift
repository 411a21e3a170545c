// Where an issuer's keys come from: public keys that are fetched or read, or a secret that is shared, never both.

import Admission
import JOSE

extension IssuerDraft {
    /// What the directives come to together; what does not go together, and what the files hold, is reported.
    func keySource(files: any ConfigurationFiles, problems: Problems) -> KeySource {
        if let secretFile {
            checkSharedSecret(secretFile, files: files, problems: problems)
            return .secretFile(problems.path(secretFile))
        }
        for (algorithm, word) in algorithms where algorithm.isSymmetric {
            problems.error(
                "\(quoted(word.text)) needs 'secret_file': with it a shared secret signs tokens, and a published key is none",
                at: word)
        }
        if let keyFile { checkKeys(keyFile, files: files, problems: problems) }
        if let file = certificateAuthorityFile { checkAuthorities(file, files: files, problems: problems) }
        if let keyURL { return .uri(keyURL.word.text) }
        guard keyFile != nil, seen["jwks_uri"] == nil else { return .discovery }
        warnOfUnusedFetchSettings(because: "the keys come from 'jwks_file' alone, and nothing is fetched", problems)
        return .fileOnly
    }

    /// The algorithms that are accepted: those listed, or all that go with the keys. Of a secret's, the one that every
    /// library signs with unless told otherwise.
    var acceptedAlgorithms: Set<SignatureAlgorithm> {
        if !algorithms.isEmpty { return Set(algorithms.map(\.algorithm)) }
        return secretFile == nil ? Set(SignatureAlgorithm.asymmetric) : [.hs256]
    }

    private func checkSharedSecret(_ file: Word, files: any ConfigurationFiles, problems: Problems) {
        for name in ["jwks_uri", "jwks_file"] {
            if let origin = seen[name] {
                problems.error(
                    "'\(name)' and 'secret_file' exclude each other: where both count, whoever has a published key could "
                        + "use it as the secret (RFC 8725 §2.1)",
                    at: origin)
            }
        }
        for (algorithm, word) in algorithms where !algorithm.isSymmetric {
            problems.error(
                "\(quoted(word.text)) verifies with a public key, and this issuer has a 'secret_file': expected HS256, HS384 "
                    + "or HS512",
                at: word)
        }
        let unused = "nothing is fetched where a 'secret_file' is all there is"
        warnOfUnusedFetchSettings(because: unused, except: ["jwks_refresh", "jwks_max_stale"], problems)

        let path = problems.path(file)
        guard let bytes = files.read(file, bytesMax: KeySet.secretFileBytesMax, problems) else { return }
        do throws(SharedSecretError) {
            _ = try KeySet(secretFile: bytes.span, for: acceptedAlgorithms)
        } catch {
            problems.error("\(quoted(path)) is no shared secret: \(error.reason)", at: file)
        }
        if files.isReadableByEveryone(path) {
            problems.warning(
                "\(quoted(path)) can be read by every user of this machine, and whoever has read it can sign tokens that "
                    + "are admitted here; take that right away ('chmod o-r'; in a pod 'defaultMode: 0440' and 'fsGroup')",
                at: file.origin)
        }
    }

    private func warnOfUnusedFetchSettings(because reason: String, except used: Set<String> = [], _ problems: Problems) {
        for name in ["jwks_refresh", "jwks_max_stale", "jwks_cooldown", "jwks_timeout", "jwks_ca"] {
            guard !used.contains(name), let origin = seen[name] else { continue }
            problems.warning("'\(name)' has no effect: \(reason)", at: origin)
        }
    }

    /// A key set that cannot be read is found now, and not when the first token comes.
    private func checkKeys(_ file: Word, files: any ConfigurationFiles, problems: Problems) {
        guard let bytes = files.read(file, bytesMax: KeySet.bytesMax, problems) else { return }
        do throws(KeySetError) {
            let keys = try KeySet(parsingFile: bytes.span)
            warnOfAmbiguousKeys(keys, file, problems)
        } catch {
            problems.error("\(quoted(problems.path(file))) is no key set: \(error.reason)", at: file)
        }
    }

    /// Where no key has a name, no token can say which it means.
    private func warnOfAmbiguousKeys(_ keys: KeySet, _ file: Word, _ problems: Problems) {
        guard keys.keys.allSatisfy({ $0.keyID == nil }) else { return }
        let ambiguous = SignatureAlgorithm.asymmetric.filter { algorithm in
            guard acceptedAlgorithms.contains(algorithm) else { return false }
            if case .ambiguous = keys.selectKey(algorithm: algorithm, keyID: nil) { return true } else { return false }
        }
        guard let first = ambiguous.first else { return }
        problems.warning(
            "more than one key of \(quoted(problems.path(file))) is for \(first.rawValue) and none has a kid, so that all "
                + "tokens signed with it are refused; use a JWK set with a kid for each key",
            at: file.origin)
    }

    private func checkAuthorities(_ file: Word, files: any ConfigurationFiles, problems: Problems) {
        guard let bytes = files.read(file, bytesMax: Self.authoritiesBytesMax, problems) else { return }
        let text = String(decoding: bytes, as: UTF8.self)
        if !text.contains("-----BEGIN CERTIFICATE-----"), !text.contains("-----BEGIN TRUSTED CERTIFICATE-----") {
            problems.error(
                "\(quoted(problems.path(file))) holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)", at: file)
        }
    }
}

extension ConfigurationFiles {
    /// The bytes of a file that a directive names; nil: reported.
    func read(_ file: Word, bytesMax: Int, _ problems: Problems) -> [UInt8]? {
        let path = problems.path(file)
        do {
            return try read(path, bytesMax: bytesMax)
        } catch {
            problems.error("\(quoted(path)) cannot be read: \(error.reason)", at: file)
            return nil
        }
    }
}
