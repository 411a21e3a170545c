// Node's own HTTPS server as a backend: `Node/https.mjs`.

import CertificateFixtures
import Foundation

final class NodeHTTPS: Sendable {
    /// What it says of a request, and of the connection that it came by.
    struct Seen: Decodable {
        /// From 0.
        var connection: Int
        var resumed: Bool
        /// Of SNI.
        var name: String
        var host: String
        var protocolName: String
        var version: String
        var url: String

        private enum CodingKeys: String, CodingKey {
            case connection, resumed, name, host, version, url
            case protocolName = "protocol"
        }
    }

    let child: ChildProcess
    let port: UInt16

    init(_ certificate: TestCertificate, in folder: URL) throws {
        let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Node/https.mjs")
        let child = try ChildProcess(
            "node", [script.path, certificate.file, certificate.keyFile], in: folder, name: "https-\(UUID().uuidString)")
        self.child = child
        port = try eventually("Node says where it listens") {
            if let match = child.output.firstMatch(of: /listening on ([0-9]+)\n/) { return UInt16(match.1) }
            if child.ended != nil { throw ScenarioError("Node ended at its start:\n\(child.errors)") }
            return nil
        }
    }
}
