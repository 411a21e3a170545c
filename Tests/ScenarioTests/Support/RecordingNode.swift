// A Node HTTP server that tells what it understood: `Node/recorder.mjs`, started and asked.

import Foundation

final class RecordingNode: Sendable {
    /// A request as Node gave it to its handler.
    struct Request: Decodable, Sendable {
        var method: String
        var target: String
        var version: String
        /// Name, value, name, value, …
        var fields: [String]
        var trailers: [String]
        /// In base64.
        var body: Data
        /// Its end arrived.
        var isComplete: Bool
    }

    struct Record: Decodable, Sendable {
        /// By serial number.
        var seen: [Request]
        /// The codes of the errors for which Node gave up a connection.
        var complaints: [String]
    }

    /// What came by way of the proxy, and what came from a client directly.
    struct Report: Decodable, Sendable {
        var proxied: Record
        var direct: Record
    }

    let child: ChildProcess
    let proxiedPort: UInt16
    let directPort: UInt16
    private let reportPort: UInt16

    init(in folder: URL) throws {
        let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Node/recorder.mjs")
        let child = try ChildProcess("node", [script.path], in: folder, name: "node")
        self.child = child
        let ports = try eventually("Node says where it listens") {
            if let match = child.output.firstMatch(of: /listening on ([0-9]+) ([0-9]+) ([0-9]+)\n/) {
                return [match.1, match.2, match.3].compactMap { UInt16($0) }
            }
            if child.ended != nil { throw ScenarioError("Node ended at its start:\n\(child.errors)") }
            return nil
        }
        (proxiedPort, directPort, reportPort) = (ports[0], ports[1], ports[2])
    }

    /// All that was seen, once Node has read to the end of every connection that was made to it. Twice without one:
    /// between the two, Node has taken those that were waiting to be accepted.
    func finalReport() throws -> Report {
        var quietLooks = 0
        try eventually("every connection to Node has ended") {
            quietLooks = try ask("/connections", Int.self) == 0 ? quietLooks + 1 : 0
            return quietLooks == 2
        }
        return try ask("/report", Report.self)
    }

    private func ask<Answer: Decodable>(_ path: String, _ type: Answer.Type) throws -> Answer {
        let client = try RawClient(port: reportPort)
        try client.get(path, fields: ["Connection: close"])
        return try JSONDecoder().decode(type, from: Data(client.response().body))
    }
}
