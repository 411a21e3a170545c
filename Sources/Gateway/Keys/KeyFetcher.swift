// HTTP for the control loop: libcurl's transfers on an EventLoop, and the redirects that are followed.
//
// libcurl closes its descriptors itself, so they are level-triggered members of the loop's epoll set and never
// have a DispatchSource of their own. A redirect is followed within its origin only (so never from https to http),
// and within the deadline of the first request.

import Admission
import CurlKit
import Reactor

final class KeyFetcher {
    private static let redirectsMax = 3
    private static let wantedFields = ["cache-control", "age", "retry-after", "content-type", "location"]

    /// What to get, and how far to go for it.
    struct Request {
        var url: HTTPURL
        /// Monotonic nanoseconds.
        var deadline: Int64
        /// After decompression.
        var bodyBytesMax: Int
        var accept: String
        var certificateAuthorityFile: String?
    }

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

    /// Calls `completion` once, before or after this returns.
    func get(_ request: Request, completion: @escaping (Result<KeyResponse, KeyFetchFailure>) -> Void) {
        get(request, redirectsLeft: KeyFetcher.redirectsMax, completion)
    }

    private func get(
        _ request: Request, redirectsLeft: Int,
        _ completion: @escaping (Result<KeyResponse, KeyFetchFailure>) -> Void
    ) {
        guard let transfers else {
            return completion(.failure(KeyFetchFailure(reason: "libcurl cannot be initialised")))
        }
        let millisecondsLeft = max(1, Int((request.deadline - Clock.monotonicNanoseconds()) / 1_000_000))
        let curlRequest = CurlRequest(
            url: request.url.description,
            timeoutMilliseconds: millisecondsLeft,
            connectTimeoutMilliseconds: millisecondsLeft,
            bodyBytesMax: request.bodyBytesMax,
            accept: request.accept,
            responseFields: KeyFetcher.wantedFields,
            certificateAuthorityFile: request.certificateAuthorityFile,
            mayUseProxy: !request.url.host.isLoopback)
        do throws(CurlFailure) {
            try transfers.start(curlRequest) { [weak self] outcome in
                switch outcome {
                case .failed(let failure): completion(.failure(KeyFetchFailure(reason: failure.reason)))
                case .response(let response):
                    guard [301, 302, 303, 307, 308].contains(response.status),
                        let location = response.fields["location"]
                    else { return completion(.success(KeyResponse(response))) }
                    self?.follow(location, of: request, redirectsLeft: redirectsLeft, completion)
                }
            }
        } catch {
            completion(.failure(KeyFetchFailure(reason: error.reason)))
        }
    }

    private func follow(
        _ location: String, of request: Request, redirectsLeft: Int,
        _ completion: @escaping (Result<KeyResponse, KeyFetchFailure>) -> Void
    ) {
        guard redirectsLeft > 0 else {
            return completion(.failure(KeyFetchFailure(reason: "more than \(KeyFetcher.redirectsMax) redirects")))
        }
        guard let target = try? request.url.resolving(location: location) else {
            return completion(.failure(KeyFetchFailure(reason: "redirected to something that is no URL")))
        }
        guard target.isSameOrigin(as: request.url) else {
            return completion(
                .failure(KeyFetchFailure(reason: "redirected to another origin, \(target.origin): not followed")))
        }
        var next = request
        next.url = target
        get(next, redirectsLeft: redirectsLeft - 1, completion)
    }
}

extension KeyFetcher: CurlDriver {
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
            let fetcher = loop.bind(self)
            loop.mailbox.post { fetcher.unwrapped.transfers?.timeoutFired() }
            return
        }
        // By the clock and not by the loop's time of the batch, which is behind it: libcurl does not ask again for
        // a timeout that fires early. Hence the extra millisecond too.
        let delay = Int64(min(milliseconds, 86_400_000) + 1) * 1_000_000
        loop.schedule(timer, at: Clock.monotonicNanoseconds() + delay)
    }
}

extension KeyFetcher: TimerHandler {
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

extension KeyResponse {
    init(_ response: CurlResponse) {
        self.init(
            status: response.status,
            body: response.body,
            contentType: response.fields["content-type"],
            cacheControl: response.fields["cache-control"],
            age: response.fields["age"],
            retryAfter: response.fields["retry-after"])
    }
}
