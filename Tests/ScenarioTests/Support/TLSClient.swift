// Clients of TLS that are not ours, and certificates for the proxy to show them.

import CertificateFixtures
import Foundation
import OpenSSLKit

/// What one of the plan's connections came to.
struct TLSOutcome: Decodable {
    var version: String?
    var cipher: String?
    var resumed: Bool?
    var alpn: String?
    /// The SHA-256 of the certificate that the server has shown.
    var certificate: String?
    /// Bytes as Latin-1; a body of 64 KiB or more is its SHA-256.
    var responses: [String]
    var error: String?

    var statuses: [Int] {
        responses.compactMap { response in
            response.hasPrefix("HTTP/1.1 ") ? Int(response.dropFirst(9).prefix(3)) : nil
        }
    }
}

/// A step of a connection, as tls_client.py knows them.
enum TLSStep {
    case raw(String), pieces(Int), handshake(String), send(String), half(String), sendBig(Int), response, bytes(Int), rest, sayEnd, cut

    fileprivate var words: [Any] {
        switch self {
        case .raw(let text): ["raw", text]
        case .pieces(let count): ["pieces", count]
        case .handshake(let name): ["handshake", name]
        case .send(let text): ["send", text]
        case .half(let text): ["half", text]
        case .sendBig(let count): ["send_big", count]
        case .response: ["response"]
        case .bytes(let count): ["bytes", count]
        case .rest: ["rest"]
        case .sayEnd: ["say_end"]
        case .cut: ["cut"]
        }
    }

    static let handshake = TLSStep.handshake("localhost")
}

enum TLSScene {
    static let authority = Result { try TestAuthority() }
    static let server = Result { try authority.get().issue("/CN=server") }
    static let wild = Result { try authority.get().issue("/CN=wild", names: ["DNS:*.wild.example"]) }
    static let client = Result {
        try authority.get().issue("/O=Acme, Inc./CN=J\u{f6}rg 100%", names: [], usage: "clientAuth")
    }
    static let otherClient = Result { try authority.get().issue("/CN=mallory", names: [], usage: "clientAuth") }
    static let otherAuthority = Result { try TestAuthority("Another Authority") }
    static let stranger = Result { try otherAuthority.get().issue("/CN=stranger", names: []) }

    /// What stands in the block of a listener.
    static func block(_ more: String = "") throws -> String {
        let server = try server.get()
        return "certificate \(server.file); certificate_key \(server.keyFile); \(more)"
    }

    /// Where clients are asked for certificates.
    static func asking(_ verification: String) throws -> String {
        try block("client_ca \(authority.get().certificate.file); verify_client \(verification);")
    }

    static func hex(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    static func sha256(_ certificate: Result<TestCertificate, any Error>) throws -> [UInt8] {
        let der = try certificate.get().der
        return SHA256Digest(of: der.span).bytes
    }
}

extension Scene {
    /// Plays with a listener that speaks TLS.
    ///
    /// - Parameter block: what stands in its block; nil: the server's certificate.
    static func playTLS(
        block: String? = nil, listen: String = "", main: String = "", workers: Int = 1,
        origin script: @escaping ScriptedOrigin.Script = ScriptedOrigin.answering, _ scenario: (Scene) throws -> Void
    ) throws {
        let block = try block ?? TLSScene.block()
        try play(main: main, listen: "tls \(listen)", listenBlock: block, workers: workers, origin: script, scenario)
    }

    /// What Python's ssl makes of the listener.
    ///
    /// - Parameter resumes: each connection offers the session of the one before.
    func tls(
        with context: [String: Any] = [:], presenting certificate: Result<TestCertificate, any Error>? = nil,
        resumes: Bool = false, _ connections: [TLSStep]...
    ) throws -> [TLSOutcome] {
        var context = context
        if context["authority"] == nil { context["authority"] = try TLSScene.authority.get().certificate.file }
        if let certificate = try certificate?.get() {
            context["certificate"] = certificate.file
            context["key"] = certificate.keyFile
        }
        let plan: [String: Any] = [
            "port": Int(proxy.port), "context": context, "resumes": resumes,
            "connections": connections.map { $0.map(\.words) },
        ]
        let text = String(decoding: try JSONSerialization.data(withJSONObject: plan), as: UTF8.self)
        return try PythonTools.run("tls_client.py", [text], in: folder)
    }

    /// A GET as it is sent.
    func getText(_ path: String = "/", token: String? = nil, fields: [String] = []) -> String {
        (["GET \(path) HTTP/1.1", "Host: api.example.com", "Authorization: Bearer \(token ?? self.token())"] + fields)
            .joined(separator: "\r\n") + "\r\n\r\n"
    }
}
