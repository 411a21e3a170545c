// The demo's proxy.conf: the same text, the same loader and the same checks as anyone's.

import ArgumentParser
import Configuration
import Gateway
import Reactor

enum DemoConfiguration {
    static let audience = "https://api.example.com"
    static let fileName = "demo.conf"

    static func load(listen: String?, issuer: DemoIssuer, backend: SampleBackend) throws -> ProxyConfiguration {
        let text = """
            upstream http://127.0.0.1:\(backend.port);
            issuer \(issuer.identifier) {
                audience \(audience);
            }

            """
        let result = ConfigurationLoader.load(
            file: fileName, flags: CommandLineOverrides(listen: [listen ?? "127.0.0.1:8080"]), environment: [:],
            files: OneFile(name: fileName, text: text))
        guard var configuration = result.configuration else {
            for diagnostic in result.diagnostics { Terminal.printError(diagnostic.rendered(colour: false)) }
            backend.stop()
            throw ExitCode(64)
        }
        configuration.listeners[0].endpoint = free(configuration.listeners[0].endpoint)
        return configuration
    }

    /// The endpoint, or another port of the same address where that one is taken.
    private static func free(_ endpoint: Endpoint) -> Endpoint {
        guard case .tcp(let host, let port) = endpoint, port != 0 else { return endpoint }
        do {
            // Without sharing the port: another proxy there would share it gladly, and take half of the requests.
            _ = try BoundSocket(endpoint: endpoint, sharesPort: false)
            return endpoint
        } catch {
            guard error.isAddressInUse else { return endpoint }
            Terminal.print("demo: port \(port) is taken, so the proxy listens on another one")
            return .tcp(host: host, port: 0)
        }
    }
}

/// A configuration that is in memory.
private struct OneFile: ConfigurationFiles {
    let name: String
    let text: String

    func read(_ path: String, bytesMax: Int) throws(FileProblem) -> [UInt8] {
        guard path == name else { throw FileProblem(reason: "No such file or directory") }
        return Array(text.utf8)
    }

    func isReadableByEveryone(_ path: String) -> Bool { false }

    func paths(matching pattern: String) throws(FileProblem) -> [String] { [] }

    func isWritableByOthers(directory path: String) throws(FileProblem) -> Bool {
        throw FileProblem(reason: "No such file or directory")
    }
}
