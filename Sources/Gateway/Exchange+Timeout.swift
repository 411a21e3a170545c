// How long each wait may last. One timer a client connection serves them all: what the exchange waits for is read
// off its state, and the deadline counts from the last byte that moved (from the first one, while a head is read,
// so that a byte now and then does not hold a connection).

import Admission
import Reactor

extension Exchange {
    private enum Wait {
        case requestHead, keys, connect, clientTakesResponse, clientSendsBody, upstreamTakesRequest, upstreamAnswers
        case tunnel
    }

    private var wait: Wait {
        switch request {
        case .readingHead: return .requestHead
        case .awaitingKeys: return .keys
        case .tunnelling: return .tunnel
        case .relayingBody, .complete: break
        }
        if response == .complete || !clientOutput.isEmpty { return .clientTakesResponse }
        guard let upstream, !upstream.isConnecting else { return .connect }
        if !upstreamOutput.isEmpty { return .upstreamTakesRequest }
        if request == .complete { return .upstreamAnswers }
        // A client that was told to expect a 100 sends nothing until the backend has said so.
        let awaitsContinue =
            requestHead.expectsContinue && interimResponses == 0 && requestRelay.bodyBytes == 0
        return awaitsContinue ? .upstreamAnswers : .clientSendsBody
    }

    func armTimer() {
        let timeouts = generation.settings.timeouts
        let milliseconds: Int64
        var from = progressedAt
        let wait = wait
        switch wait {
        case .requestHead:
            milliseconds = timeouts.clientHeader
            from = startedAt
        case .keys: milliseconds = generation.keyWaitMilliseconds
        case .connect: milliseconds = timeouts.proxyConnect
        case .clientTakesResponse, .clientSendsBody: milliseconds = timeouts.clientBody
        case .upstreamTakesRequest: milliseconds = timeouts.proxySend
        case .upstreamAnswers, .tunnel: milliseconds = route.readTimeoutMilliseconds
        }
        let deadline = from + milliseconds * 1_000_000
        client!.schedule(at: wait == .tunnel ? min(deadline, tunnelExpiry) : deadline)
    }

    func timedOut() {
        switch wait {
        case .requestHead:
            if clientInput.isEmpty { abandon(reset: false) } else { refuse(.requestTimeout) }
        case .keys:
            stopAwaitingKeys()
        case .clientTakesResponse:
            abandon()
        case .clientSendsBody:
            end(with: .requestTimeout)
        case .connect:
            if upstream == nil { refuse(.upstreamConnectTimeout) } else { connectFailed("timed out", timedOut: true) }
        case .upstreamTakesRequest:
            warnOfUpstream("takes no more of the request: timed out")
            end(with: .upstreamTimeout)
        case .upstreamAnswers:
            warnOfUpstream("sends nothing: timed out")
            end(with: .upstreamTimeout)
        case .tunnel:
            tunnelTimedOut()
        }
        advance()
    }

    /// Refuses where that can still be said, else cuts the connection.
    private func end(with refusal: Refusal) {
        if response == .awaitingHead { refuse(refusal) } else { truncate(refusal.code, "timed out") }
    }
}
