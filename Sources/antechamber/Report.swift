// `antechamber report`: who still uses a legacy audience, over all proxies, and whether nobody does.

import ArgumentParser
import Bytes
import Configuration
import Gateway
import JOSE
import Migration
import Reactor

struct Report: ParsableCommand {
    /// Enough for every replica of one API.
    private static let proxiesMax = 256

    static let configuration = CommandConfiguration(
        abstract: "Say who still uses a legacy audience, over all proxies; exit 0 only when nobody does.",
        discussion: """
            Asks the admin address of each proxy for its ledger, merges what they say, and judges the window. Without \
            --admin the one of the configuration is asked.

            Name every replica by itself: a name that leads to several, as that of a load balancer, is answered by one \
            of them. One that cannot be asked, one whose answer cannot be read, and one that is named twice are \
            failures: then nothing is said to be unused.

            Whether an audience was used is exact to the second. Requests and subjects are counted by days of UTC, and a \
            window's first day counts whole. Only requests that were admitted count.

            Exit status: 0 nobody has used a legacy audience in the window, 1 somebody has, or it is not known, 64 wrong \
            usage, 78 the configuration is invalid.
            """)

    @Option(
        help: ArgumentHelp(
            "A proxy's admin address: http://host:port, https://… or unix:/path. Repeatable.", valueName: "url"))
    var admin: [String] = []

    @Option(
        help: ArgumentHelp(
            "The configuration whose `admin` is asked where there is no --admin.", valueName: "proxy.conf"))
    var config: String?

    @Option(
        help: ArgumentHelp(
            "The window: for how long, such as 7d, or since when, in RFC 3339.", valueName: "duration|instant"))
    var since = "7d"

    @Flag(help: "Fail too where a proxy has not counted for the whole window, as after a restart without state_dir.")
    var wholeWindow = false

    @Flag(help: "Print one JSON object instead of text. Its verdict is unused, in_use or unknown.")
    var json = false

    func validate() throws {
        _ = try window(endingAt: Self.now)
        _ = try givenAddresses()
    }

    func run() throws {
        let now = Self.now
        let start = try window(endingAt: now)
        let addresses = admin.isEmpty ? [try configuredAddress()] : try givenAddresses()
        var report = MigrationReport(since: start, now: now, needsWholeWindow: wholeWindow)
        let answers = try AdminQuery.get(
            "/migration", from: addresses, bodyBytesMax: MigrationReport.answerBytesMax)
        for (address, answer) in zip(addresses, answers) {
            switch answer {
            case .success(let body): report.add(body, from: address.description)
            case .failure(let failure): report.addFailure(failure.reason, of: address.description)
            }
        }
        tell(report, of: addresses.count)
        if report.verdict != .unused { throw ExitCode.no }
    }

    private static var now: Int64 { Clock.wallNanoseconds() / 1_000_000_000 }

    /// The window's first second.
    private func window(endingAt now: Int64) throws -> Int64 {
        guard let start = ReportWindow.start(of: since, endingAt: now) else {
            throw ValidationError("'\(since)' is no window; expected \(ReportWindow.syntax)")
        }
        return start
    }

    private func givenAddresses() throws -> [AdminAddress] {
        guard admin.count <= Self.proxiesMax else { throw ValidationError("more than \(Self.proxiesMax) --admin") }
        var addresses: [AdminAddress] = []
        for text in admin {
            let address: AdminAddress
            do throws(AdminAddressError) {
                address = try AdminAddress(parsing: text)
            } catch {
                throw ValidationError("--admin '\(text)' is no address of admin pages: it \(error.reason)")
            }
            // Whoever repeats one most likely leaves another one out.
            if addresses.contains(where: { $0.isSame(as: address) }) {
                throw ValidationError("--admin '\(text)' is given twice, and would count twice")
            }
            addresses.append(address)
        }
        return addresses
    }

    private func configuredAddress() throws -> AdminAddress {
        guard ConfigurationLoader.path(file: config, environment: ProcessEnvironment.variables) != nil else {
            throw ValidationError("whom to ask? Name each proxy with --admin URL, or its configuration with --config")
        }
        guard let endpoint = try ConfigurationOptions.load(file: config).admin else {
            throw ValidationError("the configuration has no 'admin' address to ask; add one, or name it with --admin URL")
        }
        do throws(AdminAddressError) {
            return try AdminAddress(endpoint)
        } catch {
            throw ValidationError("the configuration's 'admin' cannot be asked: \(endpoint) \(error.reason)")
        }
    }

    private func tell(_ report: MigrationReport, of count: Int) {
        for failure in report.failures { Terminal.printError("antechamber: \(failure.address): \(failure.reason)") }
        if !report.failures.isEmpty {
            Terminal.printError(
                "antechamber: nothing is known to be unused: \(report.failures.count) of \(count) "
                    + "\(count == 1 ? "proxy" : "proxies") could not be counted")
        }
        if json {
            let buffer = ByteBuffer(capacity: 4096)
            var writer = JSONWriter(into: buffer)
            report.write(into: &writer)
            Terminal.print(buffer.readable.text())
        } else {
            let colour = Terminal.colours(.results, environment: ProcessEnvironment.variables)
            Terminal.printText(report.text(colour: colour))
        }
    }
}
