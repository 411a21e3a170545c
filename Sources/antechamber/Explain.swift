// `antechamber explain`: what the live policy says of one token, step by step, and what to do about it.

import Admission
import ArgumentParser
import Configuration
import Gateway
import Reactor

struct Explain: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Say what the policy makes of a token, step by step, and what to do about it.",
        discussion: """
            Takes the same flags, environment and file as `run`; without a file, --upstream may be left out. The token \
            may stand behind `Bearer` or `Authorization: Bearer`. Better than as an argument, which the shell remembers \
            and every process sees, it comes from standard input: without a token, or with -, it is read from there.

            The issuer's keys are got as `run` gets them: fetched, or, where they cannot be, read from `state_dir` or \
            `jwks_file`. Neither the signature nor the token as a whole is ever printed; its claims are.

            Where locations have rules of their own, --path (and --method) tells which of them the token is held against.

            Exit status: 0 the token would be admitted, 1 it would not, 64 wrong usage, 78 the configuration is invalid.
            """)

    @OptionGroup var options: ConfigurationOptions

    @Flag(help: "Print one JSON object instead of text.")
    var json = false

    @Option(help: ArgumentHelp("Say it of a request for this path: by the rules of its location.", valueName: "path"))
    var path: String?

    @Option(help: ArgumentHelp("The method of that request.", valueName: "method"))
    var method: String?

    // An array, so that an unquoted `Bearer TOKEN` is understood, and never repeated in an error.
    @Argument(help: ArgumentHelp("The token, or - for standard input.", valueName: "token"))
    var token: [String] = []

    func validate() throws {
        if method != nil, path == nil { throw ValidationError("--method goes with --path.") }
    }

    func run() throws {
        let configuration = try options.load(upstreamIfNone: "http://127.0.0.1:3000")
        let place = path.map { path in
            RequestedPlace(
                method: method ?? "GET", path: path, locations: configuration.locations.map { ($0.path, $0.route) },
                main: configuration.route)
        }
        let examination = Examination(
            try givenText(), under: configuration.admission, rulesIndex: place?.rulesIndex ?? configuration.route.rulesIndex)
        let keys = try examination.issuerIndex.map { index in
            try KeyCheck.report(
                on: configuration.admission.issuers[index], stateDirectory: configuration.stateDirectory)
        }
        let wall = Clock.wallNanoseconds() / 1_000_000_000
        let now = Instant(monotonicNanoseconds: Clock.monotonicNanoseconds(), unixSeconds: wall)
        var explanation = examination.explain(with: keys ?? .notNeeded, at: now)
        if let place { explanation = explanation.at(place) }

        let environment = ProcessEnvironment.variables
        Terminal.printText(json ? explanation.json : explanation.text(Terminal.layout(environment: environment)))
        if !explanation.isAdmitted { throw ExitCode.no }
    }

    private func givenText() throws -> [UInt8] {
        if !token.isEmpty, token != ["-"] { return Array(token.joined(separator: " ").utf8) }
        if Terminal.readsFromTerminal { Terminal.printError("Paste the token, then press Enter and Ctrl-D.") }
        return Terminal.readInput(bytesMax: Examination.textBytesMax)
    }
}
