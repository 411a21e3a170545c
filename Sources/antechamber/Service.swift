// A running proxy with its logs and signals: what `run` and `demo` have in common.

import ArgumentParser
import Configuration
import Dispatch
import Gateway
import Glibc
import Observability
import Reactor

/// Lives on the main queue.
final class Service {
    let log: EventLog
    private let configuration: ProxyConfiguration
    private let proxy: Proxy
    private let accessLog: LogFile?
    private var signals: [SignalSource] = []
    private var isEnding = false

    /// Opens the logs and prepares the proxy.
    ///
    /// - Throws: after saying why on standard error: the exit status.
    init(_ configuration: ProxyConfiguration) throws {
        self.configuration = configuration
        ProcessEnvironment.raiseDescriptorLimit()
        do {
            log = try EventLog(configuration.errorLog)
            accessLog = try LogFile(configuration.accessLog)
            proxy = try Proxy(configuration, version: Antechamber.version, log: log, accessLog: accessLog)
        } catch {
            Terminal.printError("antechamber: \(error)")
            throw ExitCode.no
        }
    }

    /// Binds and serves. Returns where.
    @discardableResult
    func start() throws -> [Endpoint] {
        do {
            let endpoints = try proxy.start()
            for endpoint in endpoints { log.log(.notice, "listening on \(endpoint)") }
            if let admin = proxy.adminEndpoint { log.log(.notice, "admin on \(admin)") }
            let purpose = configuration.upstream.map { "upstream \($0)" } ?? "no upstream, verify locations only"
            log.log(.notice, "antechamber \(Antechamber.version): \(purpose)")
            return endpoints
        } catch {
            log.flush(timeoutMilliseconds: 1000)
            Terminal.printError("antechamber: \(error)")
            throw ExitCode.no
        }
    }

    /// Ties the service to the process's signals; `exit` is called when it has ended.
    func endsWithProcess(_ exit: @escaping (ExitCode) -> Void) {
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
        signals.append(
            SignalSource(SIGHUP, on: .main) { [log] in
                log.log(.warn, "SIGHUP: this version does not reload its configuration; restart it instead")
            })
    }

    /// Drains for at most `shutdown_timeout`, then exits.
    func end(_ code: ExitCode, _ exit: @escaping (ExitCode) -> Void) {
        isEnding = true
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
        log.log(.notice, "stopped")
        log.flush(timeoutMilliseconds: 1000)
        exit(code)
    }
}

extension EventLog {
    fileprivate convenience init(_ policy: ErrorLog) throws {
        let level: LogLevel =
            switch policy.level {
            case .debug: .debug
            case .info: .info
            case .notice: .notice
            case .warn: .warn
            case .error: .error
            }
        switch policy.destination {
        case .standardError: self.init(LogFile(standardDescriptor: STDERR_FILENO, lossNote: EventLog.lossNote), level: level)
        case .file(let path): self.init(try LogFile(appendingTo: path, lossNote: EventLog.lossNote), level: level)
        }
    }
}

extension LogFile {
    /// Nil where no access log is wanted.
    fileprivate convenience init?(_ policy: AccessLog) throws {
        switch policy {
        case .off: return nil
        case .standardOutput: self.init(standardDescriptor: STDOUT_FILENO, lossNote: AccessRecord.lossNote)
        case .file(let path): try self.init(appendingTo: path, lossNote: AccessRecord.lossNote)
        }
    }
}
