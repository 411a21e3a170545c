// `antechamber run`: the proxy itself.

import ArgumentParser
import Configuration
import Dispatch

struct Run: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run the proxy.",
        discussion: """
            Needs no file: --upstream, --issuer and --audience suffice. Each flag has an environment twin \
            (ANTECHAMBER_CONFIG, ANTECHAMBER_LISTEN, ANTECHAMBER_UPSTREAM, ANTECHAMBER_ISSUER, ANTECHAMBER_AUDIENCE, the \
            last one comma-separated). A flag beats the environment, which beats the file.

            SIGTERM and SIGINT finish what is in flight and end the process; a second one ends it at once. \
            SIGHUP loads the configuration, certificates and key files again and serves them, or says why not and goes on \
            as before. SIGUSR1 reopens the log files.
            """)

    @OptionGroup var options: ConfigurationOptions

    func run() throws {
        let service = try Service(try options.load(), source: options.source())
        // First, so that whoever finds it listening can end it.
        service.endsWithProcess { exitCode in Self.exit(withError: exitCode) }
        try service.start()
        dispatchMain()
    }
}
