// An identity provider that can be good, slow, wrong, rotating or down, and counts who asks it.

import Foundation
import Synchronization

/// Serves metadata and a JWK set over HTTP on a free port of 127.0.0.1.
final class ScriptedIssuer: Sendable {
    enum Behaviour: Sendable {
        case good
        case status(Int)
        /// 200 with this body.
        case body(String)
        /// Takes the request and answers nothing until the behaviour changes.
        case stalled
        /// Closes the connection without an answer.
        case closing
        /// 302 to this place.
        case redirect(String)
    }

    private struct State {
        var keys: [TokenMint]
        var discovery = Behaviour.good
        var keySet = Behaviour.good
        var issuerInMetadata: String?
        var requests: [String] = []
    }

    let port: UInt16
    private let listener: Socket
    private let state: Mutex<State>

    /// One that starts down holds its port, and refuses connections until `comeUp`.
    init(keys: [TokenMint], startsDown: Bool = false) throws {
        listener = try Socket.boundToLoopback()
        port = try listener.port()
        state = Mutex(State(keys: keys))
        if !startsDown { try comeUp() }
    }

    /// The issuer identifier, as `iss` and the configuration spell it.
    var identifier: String { "http://127.0.0.1:\(port)/" }
    var keySetURL: String { identifier + "jwks.json" }

    func comeUp() throws {
        try listener.startListening()
        Thread.detachNewThread { [self] in
            while let socket = listener.accept() {
                Thread.detachNewThread { [self] in try? serve(socket) }
            }
        }
    }

    func end() {
        listener.shutDown()
        state.withLock { state in
            state.discovery = .closing
            state.keySet = .closing
        }
    }

    func publish(_ keys: [TokenMint]) { state.withLock { $0.keys = keys } }
    func answerDiscovery(_ behaviour: Behaviour) { state.withLock { $0.discovery = behaviour } }
    func answerKeySet(_ behaviour: Behaviour) { state.withLock { $0.keySet = behaviour } }
    func claimToBe(_ issuer: String) { state.withLock { $0.issuerInMetadata = issuer } }

    /// Paths asked for so far, in order.
    var requests: [String] { state.withLock { $0.requests } }
    var keySetFetches: Int { requests.count { $0 == "/jwks.json" } }

    static func keySet(of keys: [TokenMint]) -> String {
        #"{"keys":["# + keys.map { $0.publicJWK }.joined(separator: ",") + "]}"
    }

    private func serve(_ socket: Socket) throws {
        defer { socket.shutDown() }
        let reader = MessageReader(socket)
        while let request = try reader.request(by: Deadline(seconds: 120)) {
            let path = String(request.startLine.split(separator: " ")[1])
            state.withLock { $0.requests.append(path) }
            guard try answer(path, over: socket) else { return }
        }
    }

    /// False: the connection ends.
    private func answer(_ path: String, over socket: Socket) throws -> Bool {
        switch path {
        case "/.well-known/openid-configuration":
            let issuer = state.withLock { $0.issuerInMetadata } ?? identifier
            let metadata = #"{"issuer":"\#(issuer)","jwks_uri":"\#(keySetURL)"}"#
            return try answer({ $0.discovery }, good: metadata, over: socket)
        case "/jwks.json":
            let keys = state.withLock { $0.keys }
            return try answer({ $0.keySet }, good: Self.keySet(of: keys), over: socket)
        default:
            try respond("404 Not Found", "{}", over: socket)
            return true
        }
    }

    private func answer(_ behaviour: (State) -> Behaviour, good: String, over socket: Socket) throws -> Bool {
        while true {
            switch state.withLock({ behaviour($0) }) {
            case .good: try respond("200 OK", good, over: socket)
            case .status(let code): try respond("\(code) Scripted", "{}", over: socket)
            case .body(let body): try respond("200 OK", body, over: socket)
            case .closing: return false
            case .redirect(let place): try respond("302 Found", "", fields: ["Location: \(place)"], over: socket)
            case .stalled:
                Thread.sleep(forTimeInterval: 0.005)
                continue
            }
            return true
        }
    }

    private func respond(_ status: String, _ body: String, fields: [String] = [], over socket: Socket) throws {
        let lines =
            ["HTTP/1.1 \(status)", "Content-Type: application/json", "Content-Length: \(body.utf8.count)"] + fields
        try socket.send(Array((lines.joined(separator: "\r\n") + "\r\n\r\n" + body).utf8))
    }
}
