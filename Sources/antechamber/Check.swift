// `antechamber check`: is the configuration good, and are the issuers' keys to be had?

import ArgumentParser
import Configuration
import Gateway

struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Validate the configuration; with --fetch also fetch every issuer's keys.",
        discussion: "Exit status: 0 all is well, 1 keys could not be fetched, 78 the configuration is invalid.")

    @OptionGroup var options: ConfigurationOptions

    @Flag(help: "Fetch every issuer's keys once, and say what came.")
    var fetch = false

    func run() throws {
        let configuration = try options.load()
        Terminal.print("configuration is valid")
        if fetch { try Self.fetchKeys(of: configuration) }
    }

    private static func fetchKeys(of configuration: ProxyConfiguration) throws {
        let issuers = configuration.admission.issuers
        let outcomes = try KeyCheck.run(issuers)
        var failed = false
        for (issuer, outcome) in zip(issuers, outcomes) {
            Terminal.print("issuer \(issuer.identifier): \(outcome.description)")
            failed = failed || !outcome.isUsable
        }
        if failed { throw ExitCode.no }
    }
}
