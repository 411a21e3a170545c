// Signals as events on a queue.

public import Dispatch
import Glibc

/// Runs a handler on `queue` whenever the process gets a signal, in place of the signal's own effect.
public final class SignalSource {
    private let source: any DispatchSourceSignal

    /// From its return on no signal is lost, and none has its own effect any more.
    ///
    /// Dispatch catches a signal from the time on at which its manager has got to a new source. Until then the signal
    /// is held back: ignoring it meanwhile would be the end of a `SIGTERM` that comes in the first milliseconds.
    public init(_ signal: Int32, on queue: DispatchQueue, _ handler: @escaping () -> Void) {
        let handler = QueueBound(handler, on: queue)
        // A queue of its own, as `queue` may be the main one and not run yet.
        source = DispatchSource.makeSignalSource(signal: signal, queue: DispatchQueue(label: "antechamber.signal.\(signal)"))
        source.setEventHandler { queue.async { handler.unwrapped() } }
        let isCaught = DispatchSemaphore(value: 0)
        source.setRegistrationHandler { isCaught.signal() }
        withSignalHeldBack(signal) {
            source.activate()
            isCaught.wait()
        }
    }

    deinit {
        source.cancel()
    }

    /// Writing to a peer that is gone is an error to handle, not a reason to die.
    public static func ignoreBrokenPipes() {
        Glibc.signal(SIGPIPE, SIG_IGN)
    }
}

/// Dispatch's own threads take no signals, so that one sent to the process waits until `body` is done.
private func withSignalHeldBack(_ signal: Int32, _ body: () -> Void) {
    var held = sigset_t()
    var before = sigset_t()
    unsafe sigemptyset(&held)
    unsafe sigaddset(&held, signal)
    unsafe pthread_sigmask(SIG_BLOCK, &held, &before)
    body()
    unsafe pthread_sigmask(SIG_SETMASK, &before, nil)
}
