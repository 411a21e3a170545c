// The request's direction: head, decision, body.

import Admission
import Bytes
import HTTPWire
import Reactor

extension Exchange {
    /// Reads until the head is complete, then judges it. Returns whether anything changed.
    func readHead() -> Bool {
        let client = client!
        let input = clientInput
        while true {
            if !input.isEmpty {
                do throws(RequestError) {
                    if try requestParser.parse(input.readable) {
                        startRequest()
                        return true
                    }
                } catch {
                    refuse(Refusal(error))
                    return true
                }
            }
            switch fill(input, from: client) {
            case .moved:
                progressedAt = worker.loop.now
            case .blocked:
                if input.isEmpty {
                    let hasServed = hasServed
                    release()
                    if hasServed { client.idle() } else { client.waitOn() }
                }
                return false
            case .ended, .failed:
                // Between requests that is how a connection ends; within a head there is nobody left to answer.
                abandon(reset: false)
                return false
            }
        }
    }

    private func startRequest() {
        hasHead = true
        holdsHead = true
        goByNewestGeneration()
        let client = client!
        let generation = generation
        client.goBy(generation)
        if client.isTrusted { believeProxy() }
        rememberForLog()
        if answersWithDocument() { return }
        do throws(Refusal) {
            let input = clientInput
            let route = try generation.routes.route(of: requestHead, in: input.readable)
            self.route = route
            try route.rules.checkMethod(requestHead, in: input.readable)
            try checkRates(route.addressLimits)
        } catch {
            refuse(error)
            return
        }
        let route = route
        if case .none = route.destination {
            refuse(.notFound)
            return
        }
        if case .length(let length) = requestHead.body, exceedsBodyLimit(length) {
            refuse(.bodyTooLarge(bytesMax: route.bodyBytesMax))
            return
        }
        decide()
    }

    /// The configuration has changed while keys were awaited.
    func startOver() {
        awaitedIssuer = nil
        request = .readingHead
        claimedAddress = nil
        startRequest()
        advance()
    }

    /// Takes over what a trusted proxy says of the request before us: its name, and whose it is.
    private func believeProxy() {
        let input = clientInput
        let provenance = Provenance(requestHead, in: input.readable)
        if let name = provenance.requestID { requestID.become(input.readable.slice(name)) }
        claimedAddress = provenance.client(behind: generation.settings.trustedProxies)
    }

    /// Judges the request; again after its issuer's keys have changed.
    func decide() {
        worker.forgetWaiting(self)
        request = .readingHead
        let before = worker.accessLog == nil ? 0 : Clock.monotonicNanoseconds()
        let input = clientInput
        let verdict = route.rules.judge(
            requestHead, in: input.readable, by: worker.authenticator, at: now,
            certificate: client!.certificate?.thumbprint, mayAwaitKeys: keyWaits < Exchange.keyWaitsMax)
        if before > 0 { record.verificationNanoseconds += Clock.monotonicNanoseconds() - before }
        switch verdict {
        case .forward(let admittance):
            forward(admittance)
        case .refuse(let refusal):
            refuse(refusal)
        case .awaitKeys(let issuerIndex, let keyID):
            request = .awaitingKeys
            keyWaits += 1
            progressedAt = worker.loop.now
            worker.awaitKeys(self, issuerIndex: issuerIndex, unknownKeyID: keyID.map(KeyIDHash.init))
        }
    }

    /// The wait for keys took too long: judged with what there is.
    func stopAwaitingKeys() {
        keyWaits = Exchange.keyWaitsMax
        decide()
    }

    private func forward(_ admittance: Admittance) {
        admit(admittance)
        do throws(Refusal) {
            try checkRates(route.callerLimits)
        } catch {
            refuse(error)
            return
        }
        note(admittance)
        let input = clientInput
        if let identity {
            worker.legacyUse.record(
                identity, at: now.unixSeconds, route: route.place, requestHead, in: input.readable)
        }
        if case .verify = route.destination {
            answerVerify(admittance)
            return
        }
        upgrade = generation.upgrades.offer(requestHead, in: input.readable)
        hasTokenInURL = generation.tokens.takesParameter(of: requestHead, in: input.readable)
        takeServer()
        writeUpstreamHead()
        // It can only be longer for another server where it names that server as the Host, for a client of HTTP/1.0.
        if let refusal = UpstreamRequestHead.refusal(
            ofBytes: upstreamOutput.count, for: requestHead, bytesMax: generation.settings.limits.upstreamHeaderBytes)
        {
            refuse(refusal)
            return
        }
        if generation.settings.gzip.isOn {
            codingPreference = CodingPreference(requestHead, in: input.readable)
        }
        let body = requestHead.body
        let trailers =
            body == .chunked
            ? TrailerRule.fromClient(requestHead, in: input.readable, hygiene: generation.hygiene, tokens: generation.tokens)
            : .none
        requestRelay.start(body, as: body, trailers: trailers)
        if body == .none {
            request = .complete
        } else {
            clientInput.consume(requestHead.byteCount)
            holdsHead = false
            request = .relayingBody
            // What has come of the body is checked before a byte goes upstream.
            if !moveRequestBody() { return }
        }
        connectUpstream()
    }

    private func note(_ admittance: Admittance) {
        switch admittance {
        case .verified:
            record.verdict = .verified
        case .waived(let waiver):
            switch waiver.ground {
            case .anonymous:
                record.verdict = .anonymous
            case .reportOnly(let code):
                record.verdict = .reportOnly
                note(code)
            }
        }
    }

    func writeUpstreamHead() {
        let input = clientInput
        let client = client!
        let clientAddress = client.forwardedAddress
        let requestID = requestID
        let authority = server!.authority
        let certificateFields = client.certificate?.fieldLines ?? []
        let forwarding = ForwardedFields(
            clientAddress: clientAddress.span, isTrusted: client.isTrusted, scheme: client.isEncrypted ? .https : .http,
            certificateFields: certificateFields.span, requestID: requestID.name,
            traceparent: requestID.traceparent.span, upstreamAuthority: authority.span)
        UpstreamRequestHead.write(
            requestHead, from: input.readable, admittance: admittance!, hygiene: generation.hygiene,
            tokens: generation.tokens, authorization: route.authorization, forwarding: forwarding,
            forwardExpect: requestHead.expectsContinue, upgrade: upgrade, into: upstreamOutput)
    }

    /// Moves the body from the client towards the upstream as far as both allow.
    func relayRequestBody() -> Bool {
        guard let connection = upstream, !connection.isConnecting else { return false }
        let client = client!
        var moved = false
        for turn in 0..<Exchange.turnsMax {
            guard moveRequestBody() else { return true }
            let wasFull = upstreamOutput.count >= Exchange.outputBytesMax
            flushUpstream()
            if request == .complete { return true }
            if upstreamOutput.count >= Exchange.outputBytesMax { return moved }
            // What had no room is still in the input, and no event will tell of it.
            if wasFull {
                moved = true
                continue
            }
            switch fillBody(clientInput, from: client, turn: turn) {
            case .moved:
                progressedAt = worker.loop.now
                moved = true
            case .blocked:
                return moved
            case .ended, .failed:
                // A body cut short must not reach the upstream as if it were whole: its connection goes as well.
                abandon()
                return false
            }
        }
        return true
    }

    /// Decodes what has arrived into `upstreamOutput`. False: the body is refused.
    private func moveRequestBody() -> Bool {
        do throws(ChunkError) {
            try requestRelay.move(from: clientInput, to: upstreamOutput, outputBytesMax: Exchange.outputBytesMax)
        } catch {
            refuseBody(Refusal(error))
            return false
        }
        if exceedsBodyLimit(requestRelay.bodyBytes) {
            refuseBody(.bodyTooLarge(bytesMax: route.bodyBytesMax))
            return false
        }
        if requestRelay.isFinished { request = .complete }
        return true
    }

    /// A body that turned out bad after its request was admitted.
    private func refuseBody(_ refusal: Refusal) {
        guard response == .awaitingHead else {
            abandon()
            return
        }
        refuse(refusal)
    }

    private func exceedsBodyLimit(_ count: UInt64) -> Bool {
        let limit = route.bodyBytesMax
        return limit > 0 && count > limit
    }
}
