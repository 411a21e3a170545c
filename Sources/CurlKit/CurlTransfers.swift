// libcurl's multi-socket interface, driven from outside: whoever owns an event loop says which descriptor is
// ready and when time is up, and is told what to wait for.
//
// Everything happens on the owner's queue. libcurl opens and closes its descriptors itself: `unwatch` comes
// before the close. The owner is told of descriptors and timeouts from inside libcurl, which may not be entered
// again there: it takes note, and calls back later.

internal import CCurl

/// Waits for descriptors and time on behalf of `CurlTransfers`. Must not call back into it from these methods.
public protocol CurlDriver: AnyObject {
    /// From now on waits for `interest` on `descriptor`, level-triggered; replaces an earlier interest.
    func watch(_ descriptor: Int32, _ interest: CurlInterest)
    /// Forgets `descriptor`, which may be closed next.
    func unwatch(_ descriptor: Int32)
    /// Calls `timeoutFired` once, after so long and not earlier; replaces an earlier wish. nil: not at all.
    func setTimeout(milliseconds: Int?)
}

/// What libcurl waits for on a descriptor.
public struct CurlInterest: OptionSet, Sendable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    public static let read = CurlInterest(rawValue: 1)
    public static let write = CurlInterest(rawValue: 2)
}

/// Transfers that share one libcurl multi handle, confined to their owner's queue.
@safe
public final class CurlTransfers {
    private let multi: UnsafeMutableRawPointer
    private let userAgent: String
    private weak var driver: (any CurlDriver)?
    /// A few, so that they are looked through: one for each issuer, or for each proxy that a command asks.
    private var transfers: [CurlTransfer] = []

    /// No transfers yet. The driver is not retained.
    public init(driver: any CurlDriver, userAgent: String) throws(CurlFailure) {
        guard CurlTransfers.libraryIsReady, let multi = unsafe curl_multi_init() else {
            throw CurlFailure(reason: "libcurl cannot be initialised")
        }
        unsafe self.multi = multi
        self.userAgent = userAgent
        self.driver = driver
        let context = unsafe Unmanaged.passUnretained(self).toOpaque()
        unsafe ccurl_multi_set_socket_function(multi, { _, descriptor, what, context, _ in
            let transfers = unsafe Unmanaged<CurlTransfers>.fromOpaque(context!).takeUnretainedValue()
            transfers.socketChanged(descriptor, what)
            return 0
        }, context)
        unsafe ccurl_multi_set_timer_function(multi, { _, milliseconds, context in
            let transfers = unsafe Unmanaged<CurlTransfers>.fromOpaque(context!).takeUnretainedValue()
            transfers.driver?.setTimeout(milliseconds: milliseconds < 0 ? nil : milliseconds)
            return 0
        }, context)
    }

    /// Ends every transfer without a word. The driver has forgotten the descriptors before.
    deinit {
        unsafe ccurl_multi_set_socket_function(multi, nil, nil)
        unsafe ccurl_multi_set_timer_function(multi, nil, nil)
        for transfer in transfers { unsafe curl_multi_remove_handle(multi, transfer.easy) }
        unsafe curl_multi_cleanup(multi)
    }

    /// Starts a transfer. `completion` is called once, from a later `socketReady` or `timeoutFired`.
    public func start(
        _ request: CurlRequest, completion: @escaping (CurlOutcome) -> Void
    ) throws(CurlFailure) {
        let transfer = try CurlTransfer(request, userAgent: userAgent, completion: completion)
        let code = unsafe curl_multi_add_handle(multi, transfer.easy)
        if code != CURLM_OK {
            throw CurlFailure(reason: unsafe String(cString: curl_multi_strerror(code)))
        }
        transfers.append(transfer)
    }

    /// To be called when a watched descriptor is ready.
    public func socketReady(_ descriptor: Int32, readable: Bool, writable: Bool, failed: Bool) {
        var events: Int32 = 0
        if readable { events |= CURL_CSELECT_IN }
        if writable { events |= CURL_CSELECT_OUT }
        if failed { events |= CURL_CSELECT_ERR }
        act(descriptor, events)
    }

    /// To be called when the timeout has passed.
    public func timeoutFired() {
        act(CURL_SOCKET_BAD, 0)
    }

    /// Process-wide set-up, done once; libcurl says that it is thread-safe since 7.84.0, a static is before that too.
    private static let libraryIsReady = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

    private func act(_ descriptor: Int32, _ events: Int32) {
        var running: Int32 = 0
        unsafe curl_multi_socket_action(multi, descriptor, events, &running)
        // A completion may start transfers: all that have ended are taken first.
        var ended: [(CurlTransfer, CurlOutcome)] = []
        var code = CURLE_OK
        while let easy = unsafe ccurl_multi_next_finished(multi, &code) {
            guard let place = transfers.firstIndex(where: { unsafe $0.easy == easy }) else { continue }
            let transfer = transfers.remove(at: place)
            unsafe curl_multi_remove_handle(multi, easy)
            ended.append((transfer, transfer.outcome(code)))
        }
        for (transfer, outcome) in ended { transfer.completion(outcome) }
    }

    private func socketChanged(_ descriptor: Int32, _ what: Int32) {
        switch what {
        case CURL_POLL_IN: driver?.watch(descriptor, .read)
        case CURL_POLL_OUT: driver?.watch(descriptor, .write)
        case CURL_POLL_INOUT: driver?.watch(descriptor, [.read, .write])
        default: driver?.unwatch(descriptor)
        }
    }
}
