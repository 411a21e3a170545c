// Signals as events on a queue.

public import Dispatch
import Glibc

/// Runs a handler on `queue` whenever the process gets a signal, in place of the signal's own effect.
public final class SignalSource {
    private let source: any DispatchSourceSignal

    public init(_ signal: Int32, on queue: DispatchQueue, _ handler: @escaping () -> Void) {
        // Dispatch observes signals, it does not catch them: the default action would still end the process.
        Glibc.signal(signal, SIG_IGN)
        source = DispatchSource.makeSignalSource(signal: signal, queue: queue)
        source.setEventHandler(handler: handler)
        source.activate()
    }

    deinit {
        source.cancel()
    }

    /// Writing to a peer that is gone is an error to handle, not a reason to die.
    public static func ignoreBrokenPipes() {
        Glibc.signal(SIGPIPE, SIG_IGN)
    }
}
