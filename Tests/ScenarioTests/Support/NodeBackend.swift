// The sample backend of Examples, on a free port.

import Foundation

final class NodeBackend: Sendable {
    let child: ChildProcess
    let port: UInt16

    init(in folder: URL) throws {
        let script = URL(filePath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Examples/backend/server.mjs")
        let child = try ChildProcess(
            "node", [script.path], environment: ["PORT": "0", "EXIT_WITH_STDIN": "1"], in: folder, name: "backend")
        self.child = child
        port = try eventually("the backend says where it listens") {
            if let match = child.output.firstMatch(of: /listening on http:\/\/127\.0\.0\.1:([0-9]+)/) {
                return UInt16(match.1)
            }
            if child.ended != nil { throw ScenarioError("the backend ended at its start:\n\(child.errors)") }
            return nil
        }
    }
}
