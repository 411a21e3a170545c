// Where a configuration comes from, for every command that needs one.

import ArgumentParser
import Configuration
import Reactor

struct ConfigurationOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The configuration file.", valueName: "proxy.conf"))
    var config: String?

    @Option(help: ArgumentHelp("Where to listen, such as 8080 or 127.0.0.1:8080. Repeatable.", valueName: "address"))
    var listen: [String] = []

    @Option(help: ArgumentHelp("The backend, such as http://127.0.0.1:3000.", valueName: "url"))
    var upstream: String?

    @Option(help: ArgumentHelp("The trusted issuer, exactly as tokens spell it in `iss`.", valueName: "url"))
    var issuer: String?

    @Option(help: ArgumentHelp("An audience that this API answers to. Repeatable, and not comma-separated.", valueName: "audience"))
    var audience: [String] = []

    /// Loads, and shows every diagnostic on standard error.
    ///
    /// - Throws: the exit status for an invalid configuration.
    func load() throws -> ProxyConfiguration {
        let environment = ProcessEnvironment.variables
        let result = ConfigurationLoader.load(
            file: config,
            flags: CommandLineOverrides(listen: listen, upstream: upstream, issuer: issuer, audience: audience),
            environment: environment)
        let colour = Terminal.coloursErrors(environment: environment)
        for diagnostic in result.diagnostics { Terminal.printError(diagnostic.rendered(colour: colour)) }
        guard let configuration = result.configuration else { throw ExitCode.invalidConfiguration }
        return configuration
    }
}
