// The whole story on one machine: an issuer, a backend that knows nothing of tokens, and the proxy between
// them and whoever pastes the printed lines.

import ArgumentParser
import Configuration
import Dispatch
import Gateway
import Reactor

struct Demo: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run an embedded issuer, a sample Node backend and the proxy, with curl lines to paste.",
        discussion: "Everything is on loopback (the proxy where --listen says otherwise) and ends with Ctrl-C. Needs node (18 or later) on the PATH.")

    @Option(help: ArgumentHelp("Where the proxy listens, such as 8080 or 127.0.0.1:8080.", valueName: "address"))
    var listen: String?

    @Flag(help: "Run the issuer alone, for a proxy.conf and a backend of your own. It gives tokens to whoever asks.")
    var issuerOnly = false

    func validate() throws {
        if issuerOnly, listen != nil { throw ValidationError("--listen says where the proxy is, and --issuer-only runs none") }
    }

    func run() throws {
        let issuer = try DemoIssuer()
        if issuerOnly {
            DemoStory.tell(of: issuer)
            dispatchMain()
        }
        let backend = try SampleBackend.start()
        let configuration = try DemoConfiguration.load(listen: listen, issuer: issuer, backend: backend)
        let end: (ExitCode) -> Void = { code in
            backend.stop()
            issuer.stop()
            Terminal.print("demo: the proxy, the issuer and the backend have ended")
            Self.exit(withError: code)
        }
        let service: Service
        let endpoint: Endpoint
        do {
            service = try Service(configuration)
            service.endsWithProcess(end)
            endpoint = try service.start()[0]
        } catch {
            backend.stop()
            throw error
        }
        backend.onExit {
            Terminal.printError("demo: the backend ended by itself")
            service.end(.no, end)
        }
        DemoStory.tell(endpoint: endpoint, issuer: issuer, backend: backend)
        dispatchMain()
    }
}
