// Getting the request to an upstream: a pooled connection, else a new one; and what to do when it fails.

import Admission
import Bytes
import HTTPWire
import Reactor

extension Exchange {
    func connectUpstream() {
        upstreamStartedAt = worker.loop.now
        progressedAt = upstreamStartedAt
        if let pooled = worker.pool.take() {
            attach(pooled)
        } else {
            openConnection()
        }
    }

    /// Whether sending the request a second time does no harm (RFC 9110 §9.2.2) and is possible: no body was taken.
    private var isRepeatable: Bool {
        guard holdsHead else { return false }
        switch requestParser.head.method {
        case .get, .head, .options, .put, .delete: return true
        case .post, .patch, .connect, .trace, .other: return false
        }
    }

    private func attach(_ connection: UpstreamConnection) {
        upstream = connection
        connection.exchange = self
    }

    /// Connects to the next address that this exchange has not tried.
    func openConnection() {
        worker.forgetWaiting(self)
        switch worker.upstreamAddresses {
        case .resolving:
            worker.awaitAddresses(self)
        case .unknown(let reason):
            worker.log.log(.error, "upstream \(worker.upstreamName): the name cannot be resolved: \(reason)")
            refuse(.upstreamUnreachable)
        case .known(let addresses):
            guard addressesTried < addresses.count else {
                worker.log.log(.warn, "upstream \(worker.upstreamName): no connection: \(connectFailure)")
                refuse(connectTimedOut ? .upstreamConnectTimeout : .upstreamUnreachable)
                return
            }
            if addressesTried == 0 { firstAddress = worker.goodAddress % addresses.count }
            let address = addresses[(firstAddress + addressesTried) % addresses.count]
            addressesTried += 1
            do throws(SystemError) {
                attach(try UpstreamConnection(worker: worker, to: address))
            } catch {
                connectFailed(error.reason)
            }
        }
    }

    /// The address at hand does not answer: on to the next.
    func connectFailed(_ reason: String, timedOut: Bool = false) {
        connectFailure = reason
        connectTimedOut = timedOut
        progressedAt = worker.loop.now
        dropUpstream()
        openConnection()
    }

    /// Sends what is there of the request, as far as the connection takes it.
    func flushUpstream() {
        guard let connection = upstream, !connection.isConnecting else { return }
        if upstreamWriteFailed {
            upstreamOutput.removeAll()
            return
        }
        let before = upstreamOutput.count
        switch connection.flush(upstreamOutput) {
        case .done, .blocked:
            if upstreamOutput.count < before { progressedAt = worker.loop.now }
        case .failed:
            // It may have answered before it stopped listening: the answer is read first.
            upstreamWriteFailed = true
            upstreamOutput.removeAll()
        }
    }

    /// The connection ended before the response's head was complete.
    func upstreamDied(_ reason: String) {
        let wasReused = upstream?.isReused ?? false
        dropUpstream()
        if wasReused, !hasResponseBytes, !hasRetried, isRepeatable {
            // The upstream let go of an idle connection while we picked it: once more, on a new one.
            hasRetried = true
            upstreamWriteFailed = false
            upstreamOutput.removeAll()
            writeUpstreamHead()
            openConnection()
            return
        }
        if hasResponseBytes {
            refuseUpstreamResponse(reason + " within the response's head")
        } else {
            worker.log.log(.warn, "upstream \(worker.upstreamName): no response: \(reason)")
            refuse(.upstreamUnreachable)
        }
    }

    func refuseUpstreamResponse(_ detail: String) {
        worker.log.log(.warn, "upstream \(worker.upstreamName): invalid response: \(detail)")
        refuse(.upstreamInvalidResponse)
    }
}
