// The response's direction: head, body, and what becomes of the upstream connection.

import Admission
import Bytes
import HTTPWire
import Reactor
import ZlibKit

extension Exchange {
    /// Waits for the connection, sends what is there of the request, and reads the response's head.
    func awaitResponseHead() -> Bool {
        guard let connection = upstream else { return false }
        let input = upstreamInput
        var moved = false
        if connection.isConnecting {
            switch connection.continueConnecting() {
            case nil: return false
            case .failure(let failure):
                connectFailed(failure.reason)
                return true
            case .success: upstreamConnected()
            }
            moved = true
            progressedAt = worker.loop.now
        }
        flushUpstream()
        while upstream === connection, response == .awaitingHead {
            if !input.isEmpty {
                do throws(ResponseError) {
                    if try responseParser.parse(input.readable, requestMethod: requestHead.method) {
                        if !takeResponseHead(from: connection) { return isActive }
                        continue
                    }
                } catch {
                    refuseUpstreamResponse(error.detail)
                    return true
                }
            }
            switch fill(input, from: connection) {
            case .moved:
                progressedAt = worker.loop.now
                upstreamAnswers()
            case .blocked:
                if upstreamWriteFailed { upstreamDied("it stopped reading the request") }
                return moved || upstreamWriteFailed
            case .ended:
                upstreamDied("it closed the connection")
                return true
            case .failed(let error):
                upstreamDied(error.reason)
                return true
            }
        }
        return true
    }

    /// Writes a parsed head to the client. False: the exchange took another turn.
    private func takeResponseHead(from connection: UpstreamConnection) -> Bool {
        let input = upstreamInput
        let version = requestHead.version
        if responseHead.isSwitchingProtocols { return openTunnel() }
        if responseHead.isInformational {
            interimResponses += 1
            if interimResponses > Exchange.interimResponsesMax {
                refuseUpstreamResponse("too many interim responses")
                return false
            }
            if version == .http11 {
                DownstreamResponseHead.write(
                    responseHead, from: input.readable, to: version, at: now, close: false,
                    requestID: Span(), into: clientOutput)
            }
            upstreamInput.consume(responseHead.byteCount)
            responseParser.reset()
            return flushClient()
        }

        if holdsHead {
            clientInput.consume(requestHead.byteCount)
            holdsHead = false
        }
        // A request that is still being sent after its answer has no known end on this connection.
        let close = !requestHead.isPersistent || request != .complete || client!.closesAfterResponse
        let (coding, compressor) = chooseCoding()
        let requestID = requestID
        let outcome = DownstreamResponseHead.write(
            responseHead, from: input.readable, to: version, at: now, close: close, coding: coding,
            identity: identity, requestID: requestID.name, isPrivate: hasTokenInURL, into: clientOutput)
        closesClient = outcome.closes
        record.status = responseHead.statusCode
        responseFraming = outcome.body
        responseRelay.start(
            responseHead.body, as: outcome.body,
            trailers: coding == .gzip ? .fromBackendCompressed : .fromBackend, through: compressor)
        connection.noteKeepAlive(responseHead, in: input.readable, now: worker.loop.now)
        upstreamInput.consume(responseHead.byteCount)
        response = .relayingBody
        return true
    }

    /// The coding of the response whose head has been parsed, with the compressor for a body of it.
    private func chooseCoding() -> (ContentCoding, BodyCompressor?) {
        let input = upstreamInput
        let coding = generation.settings.gzip.coding(of: responseHead, in: input.readable, to: codingPreference)
        guard coding == .gzip, responseHead.body != .none else { return (coding, nil) }
        do throws(ZlibError) {
            if let compressor = try generation.compressors.take() { return (.gzip, compressor) }
        } catch {
            worker.log.log(.error, "a response goes uncompressed: \(error)")
        }
        return (.identity, nil)
    }

    /// Moves the body from the upstream to the client as far as both allow.
    func relayResponseBody() -> Bool {
        guard let connection = upstream else { return false }
        // The request's direction is done once all of it has been read, which is not yet sent.
        if request == .complete { flushUpstream() }
        var moved = false
        // Compressing takes far longer than passing on: a turn is one piece, so that the others' come sooner.
        for turn in 0..<(responseRelay.isCompressed ? 1 : Exchange.turnsMax) {
            do throws(ChunkError) {
                try responseRelay.move(from: upstreamInput, to: clientOutput, outputBytesMax: Exchange.outputBytesMax)
            } catch {
                truncate(.upstreamInvalidResponse, error.detail)
                return false
            }
            if responseRelay.isFinished {
                responseEnded(connection)
                return true
            }
            let wasFull = clientOutput.count >= Exchange.outputBytesMax
            if !flushClient() { return false }
            if clientOutput.count >= Exchange.outputBytesMax { return moved }
            // What had no room is still in the input, and no event will tell of it.
            if wasFull {
                moved = true
                continue
            }
            switch fillBody(upstreamInput, from: connection, turn: turn) {
            case .moved:
                progressedAt = worker.loop.now
                moved = true
            case .blocked:
                responseRelay.flush(to: clientOutput)
                return flushClient() && moved
            case .ended where responseRelay.endsWithConnection:
                responseRelay.finishAtClose(to: clientOutput)
            case .ended:
                truncate(.upstreamInvalidResponse, "the connection closed before the end of the body")
                return false
            case .failed(let error):
                truncate(.upstreamInvalidResponse, error.reason)
                return false
            }
        }
        return true
    }

    private func responseEnded(_ connection: UpstreamConnection) {
        record.upstreamNanoseconds = worker.loop.now - upstreamStartedAt
        upstream = nil
        connection.leave()
        releaseCompressor()
        if upstreamInput.isEmpty { upstreamInput.giveBack() }
        // Bytes behind the response, or a request it has not taken whole, make a connection unfit for the next one.
        let isReusable =
            responseHead.isPersistent && request == .complete && upstreamOutput.isEmpty
            && upstreamInput.isEmpty && !upstreamWriteFailed
        if isReusable {
            connection.group.pool.give(back: connection)
        } else {
            connection.close()
        }
        response = .complete
    }

    func releaseCompressor() {
        if let compressor = responseRelay.releaseCompressor() { generation.compressors.give(back: compressor) }
    }

    /// Writes what the client takes. False: the client is gone, and with it the exchange.
    func flushClient() -> Bool {
        let before = clientOutput.count
        switch client!.flush(clientOutput) {
        case .done, .blocked:
            if clientOutput.count < before { progressedAt = worker.loop.now }
            if clientOutput.isEmpty { clientOutput.giveBack() }
            return true
        case .failed:
            abandon()
            return false
        }
    }
}
