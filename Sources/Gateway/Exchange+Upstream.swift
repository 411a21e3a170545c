// Getting the request to a server of the backend: on a pooled connection, else a new one; and what to do when it fails.
//
// For one request each server is chosen once at most. On it an idle connection may be used, once, and then each address
// once for a new one, so all of it ends. A request goes on to the next address or server where nothing of it was sent
// yet, or where it can be repeated and no byte of a response has come.

import Admission
import Bytes
import HTTPWire
import Observability
import Reactor

extension Exchange {
    private var group: UpstreamGroup {
        guard case .backend(let group) = route.destination else {
            preconditionFailure("a request that no backend is to get is sent to one")
        }
        return group
    }

    /// Chooses the server to try next. False: all were tried. The first time there always is one.
    @discardableResult
    func takeServer() -> Bool {
        guard let next = group.next(except: serversTried) else { return false }
        serversTried.insert(next.index)
        server = next
        serverChosenAt = worker.loop.now
        addressesTried = 0
        return true
    }

    func connectUpstream() {
        upstreamStartedAt = worker.loop.now
        progressedAt = upstreamStartedAt
        attachPooled()
        openConnection()
    }

    /// Whether sending the request a second time does no harm (RFC 9110 §9.2.2) and is possible: no body was taken.
    private var isRepeatable: Bool {
        guard holdsHead else { return false }
        switch requestHead.method {
        case .get, .head, .options, .put, .delete: return true
        case .post, .patch, .connect, .trace, .other: return false
        }
    }

    /// The head once more: for a Host of the server's own, or after it was sent in vain.
    private func rewriteHead() {
        guard holdsHead else { return }
        upstreamWriteFailed = false
        upstreamOutput.removeAll()
        writeUpstreamHead()
    }

    private func attach(_ connection: UpstreamConnection) {
        upstream = connection
        connection.serve(self)
    }

    private func attachPooled() {
        if let pooled = group.pool.take(of: server!, asking: !isRepeatable) { attach(pooled) }
    }

    /// Unless there is a connection: connects to the next address that was not tried, of this server or of the next one.
    private func openConnection() {
        worker.forgetWaiting(self)
        while upstream == nil, let server {
            switch server.addresses {
            case .resolving:
                awaitsAddresses = true
                group.awaitAddresses(self)
                return
            case .known(let addresses) where addressesTried < addresses.count:
                connect(to: server, at: addresses)
            case .known:
                group.failed(server, connectFailure)
                if !moveOn() { return }
            case .unknown:
                if !moveOn() { return }
            }
        }
    }

    private func connect(to server: UpstreamServer, at addresses: [SocketAddress]) {
        if addressesTried == 0 { firstAddress = server.goodAddress % addresses.count }
        let address = addresses[(firstAddress + addressesTried) % addresses.count]
        addressesTried += 1
        do throws(SystemError) {
            attach(try UpstreamConnection(to: address, of: server, loop: worker.loop))
        } catch {
            noteFailure("no connection: \(error.reason)", timedOut: false)
        }
    }

    /// On to the next server. False: there is none, and the client was told.
    private func moveOn() -> Bool {
        guard takeServer() else {
            refuse(connectTimedOut ? .upstreamConnectTimeout : .upstreamUnreachable)
            return false
        }
        rewriteHead()
        attachPooled()
        return true
    }

    private func noteFailure(_ reason: String, timedOut: Bool) {
        connectFailure = reason
        connectTimedOut = timedOut
        progressedAt = worker.loop.now
    }

    /// There is news of addresses, perhaps of a better server than the one that was waited for.
    func addressesArrived() {
        if let server { serversTried.remove(server.index) }
        if moveOn() { openConnection() }
    }

    /// The address at hand does not answer: on to the next.
    func connectFailed(_ reason: String, timedOut: Bool = false) {
        noteFailure("no connection: \(reason)", timedOut: timedOut)
        dropUpstream()
        openConnection()
    }

    func upstreamConnected() {
        server!.goodAddress = firstAddress + addressesTried - 1
    }

    /// Bytes of the response have come.
    func upstreamAnswers() {
        if hasResponseBytes { return }
        hasResponseBytes = true
        group.answered(server!, to: serverChosenAt)
    }

    /// Sends what is there of the request, as far as the connection takes it.
    func flushUpstream() {
        if upstreamOutput.isEmpty { return }
        guard let connection = upstream, !connection.isConnecting else { return }
        if upstreamWriteFailed {
            upstreamOutput.removeAll()
            return
        }
        let before = upstreamOutput.count
        switch connection.flush(upstreamOutput) {
        case .done, .blocked:
            if upstreamOutput.count < before { progressedAt = worker.loop.now }
            if upstreamOutput.isEmpty { upstreamOutput.giveBack() }
        case .failed:
            // It may have answered before it stopped listening: the answer is read first.
            upstreamWriteFailed = true
            upstreamOutput.removeAll()
        }
    }

    /// The connection ended before the response's head was complete.
    func upstreamDied(_ reason: String) {
        let server = server!
        let wasReused = upstream?.isReused ?? false
        dropUpstream()
        if hasResponseBytes {
            refuseUpstreamResponse(reason + " within the response's head")
            return
        }
        // That a server lets go of an idle connection while we pick it says nothing of the server, which gets the
        // request once more on a new one. A new one that ends says that nobody is there.
        noteFailure("no response: \(reason)", timedOut: false)
        if !wasReused { server.goodAddress = firstAddress + addressesTried }
        if isRepeatable {
            rewriteHead()
            openConnection()
        } else {
            if wasReused || hasUntriedAddress {
                warnOfUpstream(connectFailure)
            } else {
                group.failed(server, connectFailure)
            }
            refuse(.upstreamUnreachable)
        }
    }

    private var hasUntriedAddress: Bool {
        if case .known(let addresses) = server?.addresses { addressesTried < addresses.count } else { false }
    }

    func refuseUpstreamResponse(_ detail: String) {
        warnOfUpstream("invalid response: \(detail)")
        refuse(.upstreamInvalidResponse)
    }

    func warnOfUpstream(_ message: @autoclosure () -> String) {
        worker.log.log(.warn, "upstream \(server?.name ?? "-"): \(message())")
    }
}
