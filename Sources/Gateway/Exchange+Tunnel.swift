// After a 101: the exchange only carries bytes, until both sides are done, the token runs out, or nothing moves for too
// long.

import Admission
import Bytes
import HTTPWire
import Reactor

extension Exchange {
    /// Whether the backend has switched to the protocol that it was offered. False: refused.
    func openTunnel() -> Bool {
        let requestBytes = clientInput
        let responseBytes = upstreamInput
        guard holdsHead, let upgrade,
            responseHead.switches(to: requestBytes.readable.slice(upgrade), in: responseBytes.readable)
        else {
            refuseUpstreamResponse("101 to a protocol that it was not offered")
            return false
        }
        if requestBytes.readable.slice(upgrade).equalsIgnoringCase("websocket"),
            !WebSocketHandshake.isAnswered(
                requestHead, in: requestBytes.readable, by: responseHead, in: responseBytes.readable)
        {
            refuseUpstreamResponse("101 without the answer to the client's Sec-WebSocket-Key")
            return false
        }
        DownstreamResponseHead.writeSwitch(
            responseHead, from: responseBytes.readable, to: requestBytes.readable.slice(upgrade),
            identity: identity,
            answersMark: generation.tokens.takesProtocol(of: requestHead, in: requestBytes.readable), into: clientOutput)
        record.status = responseHead.statusCode
        // What either side has sent behind its head belongs to the new protocol, and waits in the input buffers.
        clientInput.consume(requestHead.byteCount)
        holdsHead = false
        upstreamInput.consume(responseHead.byteCount)
        request = .tunnelling
        response = .tunnelling
        progressedAt = worker.loop.now
        return true
    }

    func carryToUpstream() -> Bool {
        carried(
            tunnelUp.carry(
                from: client!, clientInput, to: upstream!, upstreamOutput, turnsMax: Exchange.turnsMax))
    }

    func carryToClient() -> Bool {
        carried(
            tunnelDown.carry(
                from: upstream!, upstreamInput, to: client!, clientOutput, turnsMax: Exchange.turnsMax))
    }

    private func carried(_ progress: TunnelDirection.Progress) -> Bool {
        switch progress {
        case .blocked:
            return false
        case .moved:
            progressedAt = worker.loop.now
            if tunnelUp.hasEnded, tunnelDown.hasEnded { closeTunnel() }
            return isActive
        case .failed:
            abandon()
            return false
        }
    }

    /// Monotonic time at which the token that opened the tunnel no longer keeps it open, in nanoseconds. Anew at each
    /// call, as the wall clock may have been set meanwhile. A tunnel that needed no token has no such time.
    var tunnelExpiry: Int64 {
        guard let identity else { return .max }
        let seconds = identity.expiresAt + generation.settings.tunnels.expiryGraceSeconds - worker.loop.unixSeconds
        // A token may be good for longer than 64 bits of nanoseconds.
        return worker.loop.now + min(max(seconds, 0), Exchange.tunnelSecondsMax) * 1_000_000_000
    }

    /// The timer has fired. Whether the token has expired is asked of the clock, which alone knows.
    func tunnelTimedOut() {
        if tunnelExpiry <= worker.loop.now {
            note(.tokenExpired)
            closeTunnel()
        } else if progressedAt + route.readTimeoutMilliseconds * 1_000_000 <= worker.loop.now {
            closeTunnel()
        }
    }

    /// Ends both connections; what is on its way to the client still gets there.
    private func closeTunnel() {
        let client = client!
        dropUpstream()
        recordEnd()
        release()
        client.closeAfterResponse(lingers: !tunnelDown.hasEnded)
    }
}
