// A proxy that people run already, with its configuration of deploy/ as it stands there, but for the ports.

import Foundation
import Testing

/// One of the proxies in front, and how it is started.
enum FrontKind: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case nginx, traefik, caddy, envoy

    var testDescription: String { rawValue }

    /// Where the test tools were installed, or, for nginx, the system has it.
    fileprivate var program: String? {
        let folders = self == .nginx
            ? ["/usr/sbin", "/usr/local/sbin", "/usr/bin"]
            : [URL(filePath: PythonTools.interpreter).deletingLastPathComponent().path]
        return folders.map { "\($0)/\(rawValue)" }.first(where: FileManager.default.isExecutableFile)
    }

    /// Started in a folder that holds its configuration.
    fileprivate func arguments(in folder: URL) -> [String] {
        switch self {
        case .nginx: ["-p", folder.path, "-c", folder.appending(path: "nginx.conf").path, "-g", "daemon off; master_process off;"]
        case .traefik: ["--configFile=traefik.yaml"]
        case .caddy: ["run", "--config", "Caddyfile", "--adapter", "caddyfile"]
        // One that runs elsewhere on this machine has shared memory under the same name otherwise.
        case .envoy: ["-c", "envoy.yaml", "--use-dynamic-base-id", "--concurrency", "1", "-l", "error"]
        }
    }

    static let areInstalled = allCases.allSatisfy { $0.program != nil }
}

final class FrontProxy: Sendable {
    let port: UInt16
    let child: ChildProcess

    /// Starts it in front of a backend, with `antechamber` to ask, and waits until it asks.
    init(_ kind: FrontKind, asking antechamber: UInt16, before backend: UInt16, in folder: URL) throws {
        let home = folder.appending(path: kind.rawValue)
        let program = kind.program ?? kind.rawValue
        var last = ""
        for attempt in 1...3 {
            // Free at this moment: somebody else may be quicker, so there are three attempts.
            let port = try Socket.boundToLoopback().port()
            try? FileManager.default.removeItem(at: home)
            try FrontProxy.write(
                kind.rawValue, to: home, ports: ["8080": port, "9080": antechamber, "3000": backend])
            // nginx and caddy have no other way to say which folder is theirs.
            let script = "cd \"$0\" && exec \"$@\""
            let child = try ChildProcess(
                "/bin/sh", ["-c", script, home.path, program] + kind.arguments(in: home),
                environment: ["HOME": home.path], in: folder, name: "\(kind.rawValue)-\(attempt)")
            let asks = try eventually("\(kind) asks, or has ended", within: 120) { () -> Bool? in
                if child.ended != nil { return false }
                // Traefik listens before it has read what to do, and answers 404 meanwhile.
                return (try? Self.status(at: port)) == 401 ? true : nil
            }
            if asks {
                self.port = port
                self.child = child
                return
            }
            last = child.errors + child.output
        }
        throw ScenarioError("\(kind) does not start:\n\(last.suffix(4000))")
    }

    private static func status(at port: UInt16) throws -> Int {
        let client = try RawClient(port: port)
        try client.get(fields: ["Connection: close"])
        return try client.response().status
    }

    /// Copies a folder of deploy/, with other ports.
    private static func write(_ name: String, to home: URL, ports: [String: UInt16]) throws {
        try FileManager.default.createDirectory(at: home, withIntermediateDirectories: true)
        let source = deployFolder.appending(path: name)
        for file in try FileManager.default.contentsOfDirectory(atPath: source.path) {
            let text = try String(contentsOf: source.appending(path: file), encoding: .utf8)
            // As built, nginx keeps these where only root may write.
            let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map { "\($0)_temp_path \($0);" }
            let rooted = text.replacing("access_log off;", with: "access_log off; " + temporary.joined(separator: " "))
            try withPorts(ports, in: rooted).write(to: home.appending(path: file), atomically: true, encoding: .utf8)
        }
    }

    static let deployFolder = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "deploy")

    static func withPorts(_ ports: [String: UInt16], in text: String) -> String {
        // At once, as one of the new numbers may be one of the old ones.
        text.replacing(/[0-9]+/) { match in ports[String(match.output)].map { "\($0)" } ?? String(match.output) }
    }
}
