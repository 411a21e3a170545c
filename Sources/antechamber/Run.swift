// `antechamber run`: the proxy itself.

import ArgumentParser
import Configuration
import Dispatch
import Glibc

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

    @Option(
        help: ArgumentHelp(
            "Take over from the process that has this ID: listen beside it once ready, and have it finish and end.",
            valueName: "pid"))
    var takeOver: Int32?

    func validate() throws {
        guard let takeOver else { return }
        guard takeOver > 1, takeOver != getpid() else { throw ValidationError("--take-over needs the ID of a process") }
    }

    func run() throws {
        let configuration = try options.load()
        if let takeOver, kill(takeOver, 0) != 0 {
            Terminal.printError("antechamber: there is no process \(takeOver) to take over from that this user may end")
            throw ExitCode.no
        }
        let service = try Service(configuration, source: options.source(), predecessor: takeOver)
        // First, so that whoever finds it listening can end it.
        service.endsWithProcess { exitCode in Self.exit(withError: exitCode) }
        try service.start()
        dispatchMain()
    }
}
