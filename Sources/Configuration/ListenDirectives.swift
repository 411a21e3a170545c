// Where clients connect: `listen ADDRESS [tls] [proxy_protocol] { … }`, and what stands in its block.

import Admission
import OpenSSLKit

let listenDirectives: [Directive] = [
    Directive(
        name: "certificate", syntax: "FILE", contexts: [.listen], isRepeatable: true,
        whenMissing: "clients that speak TLS are shown a certificate: 'certificate FILE;', with its 'certificate_key FILE;'",
        summary: "The server's certificate in PEM, followed by those that lead from it to an authority. Several may be given, "
            + "each with its `certificate_key`: a client is shown the one that is for the name it asks for (SNI), by the DNS "
            + "names in its `subjectAltName`, in full or by a wildcard. Of an RSA and an ECDSA certificate for one name it "
            + "gets the one that it can use. The first is for everybody else.",
        effect: .listen { statement, draft, problems in
            if let file = problems.file(statement.arguments[0]) { draft.certificates.append(file) }
        }),
    Directive(
        name: "certificate_key", syntax: "FILE", contexts: [.listen], isRepeatable: true,
        whenMissing: "each certificate needs its private key: 'certificate_key FILE;'",
        summary: "The private key of a `certificate`, in PEM and not encrypted: the first key is the first certificate's, and so "
            + "on. It may be in the same file. Nobody but this user should be able to read it.",
        effect: .listen { statement, draft, problems in
            if let file = problems.file(statement.arguments[0]) { draft.certificateKeys.append(file) }
        }),
    Directive(
        name: "ssl_protocols", syntax: "TLSv1.2 | TLSv1.3 …", contexts: [.listen], argumentsMax: 8,
        standard: "TLSv1.2 TLSv1.3",
        summary: "The versions of TLS that clients may speak. All of their cipher suites have forward secrecy and authenticate "
            + "what they encrypt.",
        effect: .listen(applyProtocols)),
    Directive(
        name: "client_ca", syntax: "FILE", contexts: [.listen],
        summary: "The authorities, in PEM, that vouch for clients' certificates.",
        effect: .listen { statement, draft, problems in draft.clientAuthorities = problems.file(statement.arguments[0]) }),
    Directive(
        name: "verify_client", syntax: "off | optional | on", contexts: [.listen], standard: "off",
        summary: "Whether clients are asked for a certificate. With `on` one without ends the handshake, and so does, with "
            + "either, one that no authority of `client_ca` vouches for. The backend gets it as "
            + "`X-Auth-Client-Certificate-Subject` and `-Issuer` (as RFC 4514 writes names), `-Serial` (hexadecimal) and "
            + "`-SHA256` (of the certificate, in hexadecimal). A token that is bound to a certificate (RFC 8705) is good with "
            + "that one alone.",
        effect: .listen(Directive.choice(\.verifyClient))),
]

/// Whether clients are asked for a certificate.
enum ClientVerification: String, Sendable, CaseIterable {
    case off, optional, on
}

struct ListenerDraft: Draft {
    static let context = Context.listen
    static let certificatesMax = 256
    static let certificateBytesMax = 1 << 20
    static let authoritiesMax = 1024
    var seen: [String: Origin] = [:]

    var endpoint: Endpoint
    /// The address as it was written.
    var word: Word
    /// The parameter `proxy_protocol`, where it is given.
    var proxyProtocol: Word?
    /// The parameter `tls`, where it is given.
    var tls: Word?
    var certificates: [Word] = []
    var certificateKeys: [Word] = []
    var versions: [TLSVersion] = TLSVersion.allCases
    var clientAuthorities: Word?
    var verifyClient = ClientVerification.off

    init(endpoint: Endpoint, word: Word) {
        self.endpoint = endpoint
        self.word = word
    }

    static func action(of effect: Directive.Effect) -> Directive.Action<ListenerDraft>? {
        if case .listen(let action) = effect { action } else { nil }
    }
}

/// `listen` itself.
func applyListen(_ statement: Statement, _ draft: inout MainDraft, _ problems: Problems) {
    let word = statement.arguments[0]
    // Of an address that is none the rest is looked at all the same.
    let endpoint = problems.listenEndpoint(word)
    var listener = ListenerDraft(endpoint: endpoint ?? .tcp(host: "*", port: 0), word: word)
    for option in statement.arguments.dropFirst() {
        switch option.text {
        case "proxy_protocol" where listener.proxyProtocol == nil: listener.proxyProtocol = option
        case "tls" where listener.tls == nil: listener.tls = option
        case "proxy_protocol", "tls": problems.error("'\(option.text)' is given twice", at: option)
        case "ssl":
            listener.tls = option
            problems.error("unknown parameter 'ssl'; did you mean 'tls'?", at: option)
        default: problems.error("unknown parameter \(quoted(option.text)) of 'listen'", at: option)
        }
    }
    if let block = statement.block {
        if listener.tls == nil {
            problems.error("'listen' takes a block only with 'tls': listen \(word.text) tls { … }", at: statement.name)
        }
        Directive.apply(block, to: &listener, problems: problems)
    }
    guard draft.listeners.count < MainDraft.listenersMax else {
        problems.error("more than \(MainDraft.listenersMax) listeners", at: word)
        return
    }
    if let first = draft.listeners.first(where: { $0.endpoint == endpoint }), endpoint?.hasSystemChosenPort == false {
        problems.error(
            "\(quoted(word.text)) is listened at twice; the first is at \(problems.description(of: first.word.origin))",
            at: word)
        return
    }
    if endpoint != nil { draft.listeners.append(listener) }
}

private func applyProtocols(_ statement: Statement, _ draft: inout ListenerDraft, _ problems: Problems) {
    var versions: [TLSVersion] = []
    for word in statement.arguments {
        switch word.text {
        case "SSLv2", "SSLv3", "TLSv1", "TLSv1.0", "TLSv1.1":
            problems.error(
                "\(quoted(word.text)) is not spoken here, as it is broken or deprecated (RFC 8996); expected TLSv1.2 or TLSv1.3",
                at: word)
        default:
            guard let version: TLSVersion = problems.choice(word) else { continue }
            if versions.contains(version) {
                problems.warning("\(quoted(word.text)) is listed twice", at: word.origin)
            } else {
                versions.append(version)
            }
        }
    }
    if !versions.isEmpty { draft.versions = versions }
}

extension Problems {
    /// `8080`, `127.0.0.1:8080`, `*:8080`, `[::]:8080` or `unix:/path`.
    func listenEndpoint(_ word: Word) -> Endpoint? {
        let text = word.text
        if text.hasPrefix("unix:") { return socketPath(word).map { .unix(path: $0) } }
        if let port = HTTPURL.port(text) { return .tcp(host: "*", port: port) }
        let expected = "expected 8080, 127.0.0.1:8080, [::]:8080 or unix:/path"
        guard let colon = text.lastIndex(of: ":"), let port = HTTPURL.port(text[colon...].dropFirst()) else {
            let isAddress = HTTPURL.Host(parsing: text) != nil
            error(
                isAddress
                    ? "\(quoted(text)) has no port; \(expected)"
                    : "\(quoted(text)) is not an address to listen at; \(expected)",
                at: word)
            return nil
        }
        let host = String(text[..<colon])
        switch HTTPURL.Host(parsing: host) {
        case _ where host == "*": return .tcp(host: "*", port: port)
        case .ipv4(let address), .ipv6(let address): return .tcp(host: address, port: port)
        case .name:
            error("\(quoted(host)) is a name, and a name may have many addresses; \(expected)", at: word)
            return nil
        case nil:
            error("\(quoted(text)) is not an address to listen at; \(expected)", at: word)
            return nil
        }
    }
}

extension Endpoint {
    /// With port 0 every listener is another one.
    fileprivate var hasSystemChosenPort: Bool {
        if case .tcp(_, 0) = self { true } else { false }
    }
}
