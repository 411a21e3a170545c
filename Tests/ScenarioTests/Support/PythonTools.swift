// The Python tools that scripts/test installs: implementations of JOSE and OpenID Connect that are not ours.

import Foundation

enum PythonTools {
    /// The interpreter with the tools, or any other; the latter has them only by chance.
    static let interpreter = ProcessInfo.processInfo.environment["ANTECHAMBER_TOOLS_PYTHON"] ?? "python3"

    /// The tools are installed.
    static let areInstalled: Bool = {
        (try? withTemporaryFolder { folder in
            let child = try ChildProcess(
                interpreter, ["-W", "ignore", "-c", "import joserfc, jwt, cryptography, oidc_provider_mock, prometheus_client"], in: folder)
            return try child.waitForEnd(within: 320) == .exited(0)
        }) ?? false
    }()

    /// Runs a script of Support/Python to its end, and decodes the JSON it prints.
    static func run<Output: Decodable>(_ script: String, _ arguments: [String], in folder: URL) throws -> Output {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Python/\(script)")
        let child = try ChildProcess(interpreter, [file.path] + arguments, in: folder, name: script)
        // Some render a dozen sets of manifests, which takes a while on a busy machine.
        guard try child.waitForEnd(within: 320) == .exited(0) else { throw ScenarioError("\(script) failed:\n\(child.errors)") }
        return try JSONDecoder().decode(Output.self, from: Data(contentsOf: child.outputFile))
    }
}

/// A real OpenID provider, on a free port.
final class OpenIDProvider: Sendable {
    let child: ChildProcess
    let port: UInt16

    struct Login: Decodable {
        var id_token: String
        var access_token: String
    }

    init(in folder: URL) throws {
        let child = try ChildProcess(
            PythonTools.interpreter, ["-W", "ignore", "-m", "oidc_provider_mock", "--port", "0"], in: folder,
            name: "provider")
        self.child = child
        port = try eventually("the provider says where it listens") {
            if let match = child.errors.firstMatch(of: /running on http:\/\/127\.0\.0\.1:([0-9]+)/) {
                return UInt16(match.1)
            }
            if child.ended != nil { throw ScenarioError("the provider ended at its start:\n\(child.errors)") }
            return nil
        }
    }

    /// Its issuer identifier has no slash at its end.
    var identifier: String { "http://127.0.0.1:\(port)" }

    func logIn(clientID: String, subject: String, in folder: URL) throws -> Login {
        try PythonTools.run("log_in.py", [identifier, clientID, subject], in: folder)
    }
}
