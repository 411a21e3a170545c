// `antechamber health`: what a container asks its proxy every few seconds.

import ArgumentParser
import Gateway

struct Health: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Ask a running proxy whether it answers: exit 0 if so, 1 if not.",
        discussion: """
            Takes the same flags, environment and file as `run`, and sends one request without a token to the first \
            listener that can be asked from here: one with `proxy_protocol` answers `trusted_proxies` only, so that the \
            loopback address has to be among them, and one with `verify_client on` answers nobody without a certificate. \
            Any response counts, a 401 above all. Meant for a container's \
            HEALTHCHECK. An invalid configuration is 78.
            """)

    @OptionGroup var options: ConfigurationOptions

    func run() throws {
        guard let listener = HealthProbe.listener(of: try options.load()) else {
            Terminal.printError(
                "antechamber: no listener can be asked from here: each wants a client certificate, or has 'proxy_protocol' "
                    + "while the address it would be asked from is not among 'trusted_proxies'; add 127.0.0.1 there, or a "
                    + "listener without either on 127.0.0.1")
            throw ExitCode.no
        }
        if !HealthProbe.answers(at: listener, timeoutMilliseconds: 2000) {
            Terminal.printError("antechamber: no answer from \(listener.endpoint)")
            throw ExitCode.no
        }
    }
}
