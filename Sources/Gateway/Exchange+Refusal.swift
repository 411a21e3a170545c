// Answers of our own, in the place of the backend's response: refusals, and what we say of ourselves.

import Admission
import Bytes
import HTTPWire
import Reactor

extension Exchange {
    /// Answers in the upstream's place. Only while no final head has gone to the client.
    func refuse(_ refusal: Refusal) {
        let input = clientInput
        let plainText = hasHead && holdsHead && requestHead.acceptsOnlyPlainText(in: input.readable)
        // What could be read in two ways ends the connection: the next request in it may be a matter of reading, too.
        let isAmbiguous = refusal.code == .badRequest
        answer(status: refusal.code.status, mayKeepConnection: !isAmbiguous) { requestID, omitBody, close in
            refusal.writeResponse(
                into: clientOutput, at: now, requestID: requestID, realm: generation.settings.admission.realm,
                metadata: generation.metadata, plainText: plainText, omitBody: omitBody, close: close)
        }
        note(refusal.code, issuerIndex: refusal.issuerIndex)
        worker.log.log(
            .debug, "request \(requestID.name.text()): \(refusal.code.rawValue): \(refusal.detail)")
    }

    /// Answers a request for a document of ours, which needs no token. False: it is for something else.
    func answersWithDocument() -> Bool {
        let input = clientInput
        for document in generation.documents {
            guard let answer = document.answer(to: requestHead, in: input.readable) else { continue }
            record.verdict = .anonymous
            self.answer(status: answer.status) { requestID, omitBody, close in
                document.writeResponse(
                    answer, into: clientOutput, at: now, requestID: requestID, omitBody: omitBody, close: close)
            }
            return true
        }
        return false
    }

    /// Tells a proxy that asks whom the request speaks for.
    func answerVerify(_ admittance: Admittance) {
        answer(status: 200) { requestID, _, close in
            admittance.writeVerifyResponse(into: clientOutput, at: now, requestID: requestID, close: close)
            return 0
        }
    }

    /// - Parameter write: appends the whole response to `clientOutput`, and returns how many bytes of it are the body.
    private func answer(
        status: Int, mayKeepConnection: Bool = true,
        _ write: (_ requestID: Span<UInt8>, _ omitBody: Bool, _ close: Bool) -> UInt64
    ) {
        precondition(response == .awaitingHead)
        dropUpstream()
        worker.forgetWaiting(self)
        upstreamOutput.removeAll()
        let keepsConnection =
            mayKeepConnection && hasHead && requestHead.isPersistent && !client!.closesAfterResponse
            && skipRequestBody()
        closesClient = !keepsConnection
        lingersAtClose = !keepsConnection
        let requestID = requestID
        record.responseBodyBytes = write(requestID.name, hasHead && requestHead.method == .head, !keepsConnection)
        record.status = status
        request = .complete
        response = .complete
    }

    /// Steps over the request's head and body, where all of it has arrived: a body that is still on its way is not
    /// waited for, and its bytes must never be taken for the next request, so the connection closes instead.
    private func skipRequestBody() -> Bool {
        guard holdsHead else { return request == .complete }
        clientInput.consume(requestHead.byteCount)
        holdsHead = false
        switch requestHead.body {
        case .none:
            return true
        case .length(let length) where length <= UInt64(clientInput.count):
            clientInput.consume(Int(length))
            return true
        case .length, .chunked, .untilClose:
            return false
        }
    }
}
