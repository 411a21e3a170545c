// The command line. Each command stands in a file of its own; exit statuses are in ExitCode+Meaning.swift.

import ArgumentParser
import Reactor

@main
struct Antechamber: ParsableCommand {
    static let version = "0.1.0"

    static let configuration = CommandConfiguration(
        commandName: "antechamber",
        abstract: "An authenticating reverse proxy: it admits only callers whose token was issued for your API.",
        version: "antechamber \(version)",
        subcommands: [Run.self, Check.self, Explain.self, Report.self, Health.self, Demo.self])

    static func main() {
        ProcessEnvironment.openStandardDescriptors()
        main(nil)
    }
}
