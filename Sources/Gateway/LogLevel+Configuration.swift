// The levels of `error_log`, as the log itself knows them.

public import Configuration
public import Observability

extension LogLevel {
    public init(_ level: ErrorLog.Level) {
        switch level {
        case .debug: self = .debug
        case .info: self = .info
        case .notice: self = .notice
        case .warn: self = .warn
        case .error: self = .error
        }
    }
}
