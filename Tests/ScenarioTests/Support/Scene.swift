// What nearly every scenario has: an issuer, an origin and the proxy between them, in a folder of their own.

import Foundation
import Glibc
import Synchronization
import Testing

final class Scene: Sendable {
    static let audience = "https://api.example.com"

    let folder: URL
    let mint: TokenMint
    let issuer: ScriptedIssuer
    let origin: ScriptedOrigin
    let proxy: ProxyProcess
    private let minted = Mutex<[String]>([])

    /// Sets a scene, plays it, and takes everything down again. However the scenario goes, the proxy must
    /// have lived through it, or ended by itself in the way that is given, and no token may have got into its logs.
    ///
    /// - Parameters:
    ///   - upstream: where the proxy is to find its backend, in place of the origin's own address.
    ///   - upstreamBlock: what stands in the block of `upstream`; the origin is the first server.
    ///   - listen: parameters of the listener.
    ///   - listenBlock: what stands in its block; nil: it has none.
    static func play(
        issuerBlock: String = "", main: String = "", upstreamBlock: String = "", listen: String = "",
        listenBlock: String? = nil, workers: Int = 1, issuerStartsDown: Bool = false, upstream: String? = nil,
        ending: ChildProcess.Ending = .exited(0),
        keySource: (ScriptedIssuer) -> String = { _ in "" },
        origin script: @escaping ScriptedOrigin.Script = ScriptedOrigin.answering,
        _ scenario: (Scene) throws -> Void
    ) throws {
        try withTemporaryFolder { folder in
            let mint = try TokenMint()
            let issuer = try ScriptedIssuer(keys: [mint], startsDown: issuerStartsDown)
            defer { issuer.end() }
            let origin = try ScriptedOrigin(script)
            defer { origin.end() }
            let configuration = """
                listen 127.0.0.1:0 \(listen)\(listenBlock.map { " { \($0) }" } ?? ";")
                workers \(workers);
                upstream \(upstream.map { $0.contains("://") ? $0 : "http://\($0)" } ?? origin.url) { \(upstreamBlock) }
                \(main)
                issuer \(issuer.identifier) {
                    audience \(audience);
                    \(keySource(issuer))
                    \(issuerBlock)
                }
                """
            let proxy = try ProxyProcess(configuration: configuration, in: folder)
            let scene = Scene(folder: folder, mint: mint, issuer: issuer, origin: origin, proxy: proxy)
            defer { proxy.child.kill() }
            do {
                try scenario(scene)
            } catch {
                Issue.record("\(error)\n--- the proxy's log:\n\(proxy.child.errors.suffix(4000))")
            }
            scene.expectGoodEnd(ending)
        }
    }

    private init(folder: URL, mint: TokenMint, issuer: ScriptedIssuer, origin: ScriptedOrigin, proxy: ProxyProcess) {
        self.folder = folder
        self.mint = mint
        self.issuer = issuer
        self.origin = origin
        self.proxy = proxy
    }

    /// A good token, changed as asked.
    func token(
        audience: String = Scene.audience, subject: String = "auth0|alice", header: [String: JSONValue?] = [:],
        claims: [String: JSONValue?] = [:], from other: TokenMint? = nil
    ) -> String {
        noted {
            try (other ?? mint).token(
                issuer: issuer.identifier, audience: audience, subject: subject, header: header, claims: claims)
        }
    }

    func idToken(clientID: String) -> String {
        noted { try mint.idToken(issuer: issuer.identifier, clientID: clientID) }
    }

    /// A new connection to the proxy.
    func client(receiveBufferBytes: Int32? = nil) throws -> RawClient {
        try RawClient(port: proxy.port, receiveBufferBytes: receiveBufferBytes)
    }

    /// The proxy no longer listens. One whose connections only wait to be accepted still does.
    func refusesConnections() throws -> Bool {
        do {
            _ = try client()
            return false
        } catch is ConnectionRefused {
            return true
        }
    }

    /// One GET over a connection of its own.
    func get(_ path: String = "/", token: String? = nil, fields: [String] = []) throws -> RawMessage {
        let client = try client()
        try client.get(path, token: token, fields: fields)
        return try client.finalResponse()
    }

    /// One GET over a connection of its own, whose response has to have this status.
    func get(
        _ path: String = "/", token: String? = nil, fields: [String] = [], expecting status: Int,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let response = try get(path, token: token, fields: fields)
        #expect(response.status == status, "\(response.text)", sourceLocation: sourceLocation)
    }

    /// Shows that nothing but `before` whole requests ever went upstream: a last, good request is sent, and it
    /// is the next thing the origin got.
    func expectNothingMoreUpstream(after before: [String] = [], sourceLocation: SourceLocation = #_sourceLocation) throws {
        try get("/the-last-one", token: token(subject: "last"), expecting: 200, sourceLocation: sourceLocation)
        #expect(
            origin.requestLines == before + ["GET /the-last-one HTTP/1.1"],
            "something else went upstream:\n\(origin.received.debugDescription)", sourceLocation: sourceLocation)
    }

    /// The head of the only request the origin got.
    func onlyRequest() throws -> RawMessage {
        let received = try #require(origin.connections.first, "the origin got no connection").bytes
        let end = try #require(latin1Text(received).range(of: "\r\n\r\n"), "the origin got no whole head")
        let head = String(latin1Text(received)[..<end.upperBound])
        #expect(origin.connections.count == 1)
        let body = Array(received.dropFirst(head.unicodeScalars.count))
        return RawMessage(head: head, rawBody: body, body: body)
    }

    private func noted(_ mint: () throws -> String) -> String {
        do {
            let token = try mint()
            minted.withLock { $0.append(token) }
            return token
        } catch {
            Issue.record("no token could be signed: \(error)")
            return "unsigned"
        }
    }

    private func expectGoodEnd(_ expected: ChildProcess.Ending) {
        let log = proxy.child.errors + proxy.child.output
        if let ending = proxy.child.ended, ending != expected {
            Issue.record("the proxy ended: \(ending)\n\(log.suffix(4000))")
        }
        for token in minted.withLock({ $0 }) {
            for part in token.split(separator: ".") where part.count > 20 && log.contains(part) {
                Issue.record("a part of a token is in the log: \(part)")
            }
        }
    }
}

/// A folder that goes when `body` is done.
func withTemporaryFolder<Result>(_ body: (URL) throws -> Result) throws -> Result {
    let folder = FileManager.default.temporaryDirectory.appending(path: "antechamber-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try body(folder)
}
