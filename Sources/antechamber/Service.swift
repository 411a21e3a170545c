// A running proxy with its logs and signals: what `run` and `demo` have in common.

import ArgumentParser
import Bytes
import Configuration
import Dispatch
import Gateway
import Glibc
import Observability
import Reactor

/// Lives on the main queue.
final class Service {
    let log: EventLog
    private var configuration: ProxyConfiguration
    /// When it was loaded, in seconds since 1970.
    private var loadedAt = Clock.wallNanoseconds() / 1_000_000_000
    /// Loads it anew; nil: it was made up by this process.
    private let source: (@Sendable () -> LoadResult)?
    private let proxy: Proxy
    private var accessLog: LogFile?
    private let losses = LogLosses()
    private var signals: [SignalSource] = []
    private var exit: (ExitCode) -> Void = { _ in }
    /// The process to take over from, until that is done.
    private var predecessor: Int32?
    private var isEnding = false
    private var isReloading = false
    private let loading = DispatchQueue(label: "antechamber.configuration")
    /// Asked for while a reload is under way: another reload, or the end.
    private var afterReload: (() -> Void)?

    /// Opens the logs and prepares the proxy.
    ///
    /// - Parameter predecessor: the process that serves at these addresses now, and is to end when this one does.
    /// - Throws: after saying why on standard error: the exit status.
    init(
        _ configuration: ProxyConfiguration, source: (@Sendable () -> LoadResult)? = nil, predecessor: Int32? = nil
    ) throws {
        self.configuration = configuration
        self.source = source
        self.predecessor = predecessor
        ProcessEnvironment.raiseDescriptorLimit()
        ProcessEnvironment.limitArenas(to: Proxy.workerCount(of: configuration))
        do {
            let errors = try LogFile(configuration.errorLog.destination, losses)
            log = EventLog(errors, level: LogLevel(configuration.errorLog.level))
            accessLog = try LogFile(configuration.accessLog, losses, reportingTo: log)
            proxy = try Proxy(configuration, version: Antechamber.version, log: log, accessLog: accessLog, losses: losses)
        } catch {
            Terminal.printError("antechamber: \(error)")
            throw ExitCode.no
        }
    }

    /// Binds and serves. Returns where.
    @discardableResult
    func start() throws -> [Endpoint] {
        do {
            let endpoints = try proxy.start(takesOver: predecessor != nil)
            for endpoint in endpoints { log.log(.notice, "listening on \(endpoint)") }
            if let admin = proxy.adminEndpoint { log.log(.notice, "admin on \(admin)") }
            let purpose = configuration.upstream.map { "upstream \($0)" } ?? "no upstream, verify locations only"
            log.log(.notice, "antechamber \(Antechamber.version): \(purpose)")
            if let predecessor { takeOver(from: predecessor) }
            return endpoints
        } catch {
            log.flush(timeoutMilliseconds: 1000)
            Terminal.printError("antechamber: \(error)")
            throw ExitCode.no
        }
    }

    /// Ties the service to the process's signals; `exit` is called when it has ended.
    func endsWithProcess(_ exit: @escaping (ExitCode) -> Void) {
        self.exit = exit
        for signal in [SIGTERM, SIGINT] {
            signals.append(
                SignalSource(signal, on: .main) { [unowned self] in
                    if isEnding {
                        log.log(.notice, "stopped at once by a second signal")
                        finish(.no, exit)
                    } else {
                        end(.success, exit)
                    }
                })
        }
        signals.append(
            SignalSource(SIGUSR1, on: .main) { [unowned self] in
                do {
                    try log.reopen()
                    try accessLog?.reopen()
                    log.log(.notice, "log files reopened")
                } catch {
                    log.log(.error, "\(error)")
                }
            })
        signals.append(SignalSource(SIGHUP, on: .main) { [unowned self] in reload() })
    }

    /// Drains for at most `shutdown_timeout`, then exits.
    func end(_ code: ExitCode, _ exit: @escaping (ExitCode) -> Void) {
        isEnding = true
        if isReloading, predecessor == nil {
            afterReload = { [unowned self] in drain(code, exit) }
        } else {
            drain(code, exit)
        }
    }

    private func drain(_ code: ExitCode, _ exit: @escaping (ExitCode) -> Void) {
        log.log(.notice, "draining: no new connections, requests in flight finish")
        let ending = QueueBound((service: self, exit: exit), on: .main)
        proxy.drain {
            DispatchQueue.main.async {
                let (service, exit) = ending.unwrapped
                service.finish(code, exit)
            }
        }
        DispatchQueue.main.asyncAfter(deadline: .now() + .milliseconds(Int(configuration.timeouts.shutdown))) {
            let (service, exit) = ending.unwrapped
            service.log.log(.warn, "shutdown_timeout is over: closing what is still in flight")
            service.finish(code, exit)
        }
    }

    private func finish(_ code: ExitCode, _ exit: (ExitCode) -> Void) {
        proxy.stop()
        accessLog?.flush(timeoutMilliseconds: 2000)
        log.log(.notice, "stopped")
        log.flush(timeoutMilliseconds: 1000)
        exit(code)
    }
}

// MARK: Reload

extension Service {
    /// Loads the configuration anew and serves it, or says why not and goes on as before.
    private func reload() {
        if isEnding { return log.log(.notice, "SIGHUP: not reloaded, as the proxy ends") }
        guard let source else { return log.log(.notice, "SIGHUP: there is no configuration to load again") }
        if isReloading {
            afterReload = { [unowned self] in reload() }
            return
        }
        isReloading = true
        log.log(.notice, "SIGHUP: the configuration is loaded anew")
        let service = QueueBound(self, on: .main)
        // Files may be on a disk that hangs: signals are heard meanwhile.
        loading.async {
            let result = source()
            DispatchQueue.main.async { service.unwrapped.serve(result) }
        }
    }

    private func serve(_ result: LoadResult) {
        for diagnostic in result.diagnostics {
            let level = diagnostic.severity == .error ? LogLevel.error : .warn
            for line in diagnostic.rendered(colour: false).split(separator: "\n") { log.log(level, String(line)) }
        }
        guard let next = result.configuration else {
            proxy.noteRefusedReload()
            return refused("it is invalid")
        }
        do throws(LogFileError) {
            // Both before anything changes.
            let isSameAccessLog = next.accessLog == configuration.accessLog
            let accessLog = isSameAccessLog ? accessLog : try LogFile(next.accessLog, losses, reportingTo: log)
            let isSameErrorLog = next.errorLog.destination == configuration.errorLog.destination
            let errorLog = isSameErrorLog ? nil : try LogFile(next.errorLog.destination, losses)
            let service = QueueBound(self, on: .main)
            proxy.reload(next, accessLog: accessLog) { outcome in
                DispatchQueue.main.async {
                    service.unwrapped.reloaded(next, outcome, accessLog: accessLog, errorLog: errorLog)
                }
            }
        } catch {
            proxy.noteRefusedReload()
            refused("\(error)")
        }
    }

    private func reloaded(
        _ next: ProxyConfiguration, _ outcome: ReloadOutcome, accessLog: LogFile?, errorLog: LogFile?
    ) {
        guard case .adopted(let opened, let closed, let kept) = outcome else {
            if case .refused(let reason) = outcome { refused(reason) }
            return
        }
        configuration = next
        loadedAt = Clock.wallNanoseconds() / 1_000_000_000
        self.accessLog = accessLog
        log.become(errorLog, level: LogLevel(next.errorLog.level))
        for endpoint in closed { log.log(.notice, "no longer listening on \(endpoint)") }
        for endpoint in opened { log.log(.notice, "listening on \(endpoint)") }
        for directive in kept {
            log.log(.warn, "'\(directive)' has changed, which takes effect when the proxy is started anew")
        }
        log.log(.notice, "reloaded")
        reloadIsOver()
    }

    private func refused(_ reason: String) {
        log.log(
            .error, "reload refused: \(reason); the configuration of \(RFC3339.text(loadedAt)) serves on")
        reloadIsOver()
    }

    private func reloadIsOver() {
        isReloading = false
        let next = afterReload
        afterReload = nil
        next?()
    }
}

// MARK: Taking over

extension Service {
    /// For how long keys, and backends that pass their checks, are waited for.
    private static let readinessSeconds = 30
    private static let pauseMilliseconds = 100

    private func takeOver(from process: Int32) {
        // What comes in between waits, as it does during a reload.
        isReloading = true
        log.log(.notice, "taking over from process \(process): listening as soon as it is ready")
        askWhetherReady(attemptsLeft: Self.readinessSeconds * 1000 / Self.pauseMilliseconds)
    }

    private func askWhetherReady(attemptsLeft: Int) {
        if isEnding { return }
        if attemptsLeft == 0 { return giveUp("not ready within \(Self.readinessSeconds) s") }
        let service = QueueBound(self, on: .main)
        proxy.askWhetherReady { isReady in
            if isReady {
                DispatchQueue.main.async { service.unwrapped.join() }
            } else {
                DispatchQueue.main.asyncAfter(deadline: .now() + .milliseconds(Self.pauseMilliseconds)) {
                    service.unwrapped.askWhetherReady(attemptsLeft: attemptsLeft - 1)
                }
            }
        }
    }

    private func join() {
        guard let process = predecessor, !isEnding else { return }
        let service = QueueBound(self, on: .main)
        proxy.join { outcome in
            DispatchQueue.main.async {
                switch outcome {
                case .refused(let reason): service.unwrapped.giveUp(reason)
                case .adopted(let opened, _, _): service.unwrapped.joined(process, at: opened)
                }
            }
        }
    }

    private func joined(_ process: Int32, at endpoints: [Endpoint]) {
        predecessor = nil
        for endpoint in endpoints { log.log(.notice, "listening on \(endpoint)") }
        if kill(process, SIGTERM) == 0 { log.log(.notice, "process \(process) is told to finish what it has begun") }
        awaitEnd(of: process)
        reloadIsOver()
    }

    private func awaitEnd(of process: Int32) {
        // Until it has ended, what state_dir knows of legacy audiences is its.
        if Self.hasEnded(process) {
            log.log(.notice, "process \(process) has ended")
            proxy.predecessorEnded()
            return
        }
        let service = QueueBound(self, on: .main)
        DispatchQueue.main.asyncAfter(deadline: .now() + .milliseconds(Self.pauseMilliseconds)) {
            service.unwrapped.awaitEnd(of: process)
        }
    }

    /// Whether a process is over, though its parent may not have asked how it ended yet: containers have parents that
    /// never do.
    private static func hasEnded(_ process: Int32) -> Bool {
        if kill(process, 0) != 0 { return errno == ESRCH }
        // proc(5): the state stands behind the name, which is in parentheses and may hold any.
        guard let text = SmallFile.read("/proc/\(process)/stat"), let end = text.lastIndex(of: ")") else { return false }
        return text[end...].dropFirst(2).first == "Z"
    }

    private func giveUp(_ reason: String) {
        log.log(.error, "cannot take over from process \(predecessor ?? 0), which serves on: \(reason)")
        end(.no, exit)
    }
}

extension LogLevel {
    fileprivate init(_ level: ErrorLog.Level) {
        self =
            switch level {
            case .debug: .debug
            case .info: .info
            case .notice: .notice
            case .warn: .warn
            case .error: .error
            }
    }
}

extension LogFile {
    fileprivate convenience init(_ destination: ErrorLog.Destination, _ losses: LogLosses) throws(LogFileError) {
        switch destination {
        case .standardError:
            self.init(standardDescriptor: STDERR_FILENO, losses: losses.error, lossNote: EventLog.lossNote)
        case .file(let path): try self.init(appendingTo: path, losses: losses.error, lossNote: EventLog.lossNote)
        }
    }

    /// Nil where no access log is wanted.
    fileprivate convenience init?(
        _ policy: AccessLog, _ losses: LogLosses, reportingTo log: EventLog
    ) throws(LogFileError) {
        let lossNote: @Sendable (Int) -> String =
            switch policy.format {
            case .json: { AccessRecord.lossNote(lines: $0) }
            case .combined: { _ in "" }
            }
        let recovered: @Sendable (Int) -> Void = { lines in
            log.log(.warn, "access log: \(lines) lines lost: it could not be written")
        }
        switch policy.destination {
        case .off: return nil
        case .standardOutput:
            self.init(
                standardDescriptor: STDOUT_FILENO, losses: losses.access, lossNote: lossNote, recovered: recovered)
        case .file(let path):
            try self.init(appendingTo: path, losses: losses.access, lossNote: lossNote, recovered: recovered)
        }
    }
}
