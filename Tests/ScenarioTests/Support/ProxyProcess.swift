// The real binary, started with a configuration of the scenario's own on a port that the kernel picks.

import Foundation

final class ProxyProcess: Sendable {
    let child: ChildProcess
    /// The port of its first listener.
    let port: UInt16

    /// `antechamber`, which the build puts beside the test bundle.
    static let binary: String = {
        let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return URL(filePath: own).deletingLastPathComponent().appending(path: "antechamber").path
    }()

    /// Starts `antechamber run` and waits until it listens.
    init(configuration: String, in folder: URL) throws {
        let file = folder.appending(path: "proxy.conf")
        try configuration.write(to: file, atomically: true, encoding: .utf8)
        let child = try ChildProcess(Self.binary, ["run", "--config", file.path], in: folder, name: "antechamber")
        self.child = child
        port = try Self.listeningPort(of: child)
    }

    /// Starts it with these arguments, and no file.
    ///
    /// - Parameter descriptorsAtStart: the soft limit on its open files that it finds; nil is that of the tests.
    init(
        arguments: [String], environment: [String: String] = [:], descriptorsAtStart: Int? = nil, in folder: URL
    ) throws {
        let child: ChildProcess
        if let descriptorsAtStart {
            // The shell becomes the proxy, so the child's number is the proxy's.
            let script = "ulimit -Sn \(descriptorsAtStart) && exec \"$0\" \"$@\""
            child = try ChildProcess(
                "/bin/sh", ["-c", script, Self.binary] + arguments, environment: environment, in: folder, name: "antechamber")
        } else {
            child = try ChildProcess(Self.binary, arguments, environment: environment, in: folder, name: "antechamber")
        }
        self.child = child
        port = try Self.listeningPort(of: child)
    }

    /// Runs a command to its end.
    static func finish(
        _ arguments: [String], environment: [String: String] = [:], input: String? = nil, in folder: URL
    ) throws -> (ending: ChildProcess.Ending, output: String, errors: String) {
        let child = try ChildProcess(
            binary, arguments, environment: environment, input: input, in: folder, name: "command")
        let ending = try child.waitForEnd()
        return (ending, child.output, child.errors)
    }

    private static func listeningPort(of child: ChildProcess) throws -> UInt16 {
        try eventually("the proxy says where it listens") {
            if let match = child.errors.firstMatch(of: /listening on 127\.0\.0\.1:([0-9]+)/) {
                return UInt16(match.1)
            }
            if let ending = child.ended {
                throw ScenarioError("the proxy ended at its start (\(ending)):\n\(child.errors)\(child.output)")
            }
            return nil
        }
    }
}
