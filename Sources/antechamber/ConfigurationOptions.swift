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
    /// - Parameter upstreamIfNone: in the place of the backend, for a command that has no need of one, where there is
    ///   no file that could name it.
    /// - Throws: the exit status for an invalid configuration.
    func load(upstreamIfNone: String? = nil) throws -> ProxyConfiguration {
        let environment = ProcessEnvironment.variables
        return try Self.load(source(upstreamIfNone: upstreamIfNone, environment: environment), environment)
    }

    /// Loads what a file, and nothing but the environment beside it, says; otherwise as above.
    static func load(file: String?) throws -> ProxyConfiguration {
        let environment = ProcessEnvironment.variables
        return try load({ ConfigurationLoader.load(file: file, environment: environment) }, environment)
    }

    private static func load(
        _ source: () -> LoadResult, _ environment: [String: String]
    ) throws -> ProxyConfiguration {
        let result = source()
        let colour = Terminal.colours(.errors, environment: environment)
        for diagnostic in result.diagnostics { Terminal.printError(diagnostic.rendered(colour: colour)) }
        guard let configuration = result.configuration else { throw ExitCode.invalidConfiguration }
        return configuration
    }

    /// Loads, as often as it is called: the file as it is then, under the flags and the environment of this start.
    func source(
        upstreamIfNone: String? = nil, environment: [String: String] = ProcessEnvironment.variables
    ) -> @Sendable () -> LoadResult {
        let hasFile = config != nil || !(environment["ANTECHAMBER_CONFIG"] ?? "").isEmpty
        let hasUpstream = upstream != nil || !(environment["ANTECHAMBER_UPSTREAM"] ?? "").isEmpty
        let flags = CommandLineOverrides(
            listen: listen, upstream: hasFile || hasUpstream ? upstream : upstreamIfNone, issuer: issuer,
            audience: audience)
        return { [config] in ConfigurationLoader.load(file: config, flags: flags, environment: environment) }
    }
}
