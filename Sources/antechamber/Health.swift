// `antechamber health`: what a container asks its proxy every few seconds.

import ArgumentParser
import Gateway

struct Health: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Ask a running proxy whether it answers: exit 0 if so, 1 if not.",
        discussion: """
            Takes the same flags, environment and file as `run`, and sends one request without a token to the first \
            listener. Any response counts, a 401 above all. Meant for a container's HEALTHCHECK. An invalid \
            configuration is 78.
            """)

    @OptionGroup var options: ConfigurationOptions

    func run() throws {
        let endpoint = try options.load().listeners[0]
        if !HealthProbe.answers(at: endpoint, timeoutMilliseconds: 2000) {
            Terminal.printError("antechamber: no answer from \(endpoint)")
            throw ExitCode.no
        }
    }
}
