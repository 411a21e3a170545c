// libcurl's transfers on an EventLoop.
//
// libcurl closes its descriptors itself, so they are level-triggered members of the loop's epoll set and never
// have a DispatchSource of their own.

import CurlKit
import Reactor

/// Confined to its loop.
final class CurlLoop {
    private let loop: EventLoop
    private let userAgent: String
    private var transfers: CurlTransfers?
    private var sockets: [Int32: WatchedSocket] = [:]
    private var timer: TimerID?

    init(loop: EventLoop, userAgent: String) {
        self.loop = loop
        self.userAgent = userAgent
    }

    /// On the loop, like everything that follows.
    func start() {
        timer = loop.addTimer(self)
        transfers = try? CurlTransfers(driver: self, userAgent: userAgent)
    }

    /// Ends every transfer without a word.
    func stop() {
        for socket in sockets.values { loop.deregister(socket.registration, socket.descriptor) }
        sockets = [:]
        transfers = nil
        if let timer { loop.removeTimer(timer) }
        timer = nil
    }

    /// Calls `completion` once, before or after this returns; not at all where it is stopped.
    func get(_ request: CurlRequest, completion: @escaping (CurlOutcome) -> Void) {
        guard let transfers else { return completion(.failed(CurlFailure(reason: "libcurl cannot be initialised"))) }
        do throws(CurlFailure) {
            try transfers.start(request, completion: completion)
        } catch {
            completion(.failed(error))
        }
    }
}

extension CurlLoop: CurlDriver {
    func watch(_ descriptor: Int32, _ interest: CurlInterest) {
        var wanted: Interest = []
        if interest.contains(.read) { wanted.insert(.read) }
        if interest.contains(.write) { wanted.insert(.write) }
        // A descriptor that the kernel does not take (out of memory, say) ends as a transfer that times out.
        if let socket = sockets[descriptor] {
            try? loop.modify(socket.registration, descriptor, wanted)
        } else {
            sockets[descriptor] = try? WatchedSocket(descriptor, wanted, on: loop) { [weak self] events in
                self?.transfers?.socketReady(
                    descriptor, readable: events.readable, writable: events.writable, failed: events.failed)
            }
        }
    }

    func unwatch(_ descriptor: Int32) {
        guard let socket = sockets.removeValue(forKey: descriptor) else { return }
        loop.deregister(socket.registration, descriptor)
    }

    func setTimeout(milliseconds: Int?) {
        guard let timer else { return }
        guard let milliseconds else { return loop.cancel(timer) }
        if milliseconds == 0 {
            let transfers = loop.bind(self)
            loop.mailbox.post { transfers.unwrapped.transfers?.timeoutFired() }
            return
        }
        // By the clock and not by the loop's time of the batch, which is behind it: libcurl does not ask again for
        // a timeout that fires early. Hence the extra millisecond too.
        let delay = Int64(min(milliseconds, 86_400_000) + 1) * 1_000_000
        loop.schedule(timer, at: Clock.monotonicNanoseconds() + delay)
    }
}

extension CurlLoop: TimerHandler {
    func timerFired(_ timer: TimerID) {
        transfers?.timeoutFired()
    }
}

/// One of libcurl's descriptors in the loop's epoll set.
private final class WatchedSocket: DescriptorHandler {
    let descriptor: Int32
    private(set) var registration: Registration!
    private let ready: (ReadyEvents) -> Void

    init(
        _ descriptor: Int32, _ interest: Interest, on loop: EventLoop, ready: @escaping (ReadyEvents) -> Void
    ) throws(SystemError) {
        self.descriptor = descriptor
        self.ready = ready
        registration = try loop.registerLevel(descriptor, interest, self)
    }

    func descriptorReady(_ events: ReadyEvents) {
        ready(events)
    }
}
