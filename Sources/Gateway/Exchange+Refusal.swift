// Answers of our own: a refusal in the place of the backend's response.

import Admission
import Bytes
import HTTPWire
import Reactor

extension Exchange {
    /// Answers in the upstream's place. Only while no final head has gone to the client.
    func refuse(_ refusal: Refusal) {
        precondition(response == .awaitingHead)
        dropUpstream()
        worker.forgetWaiting(self)
        upstreamOutput.removeAll()
        let input = clientInput
        let plainText = hasHead && holdsHead && requestParser.head.acceptsOnlyPlainText(in: input.readable)
        // What could be read in two ways ends the connection: the next request in it may be a matter of reading, too.
        let keepsConnection = refusal.code != .badRequest && hasHead && requestParser.head.isPersistent && !worker.closesAfterResponse && skipRequestBody()
        closesClient = !keepsConnection
        lingersAtClose = !keepsConnection
        let requestID = requestID
        record.responseBodyBytes = refusal.writeResponse(
            into: clientOutput, at: now, requestID: requestID.name,
            realm: worker.settings.admission.realm, plainText: plainText,
            omitBody: hasHead && requestParser.head.method == .head, close: !keepsConnection)
        record.status = refusal.code.status
        record.code = refusal.code.rawValue
        request = .complete
        response = .complete
    }

    /// Steps over the request's head and body, where all of it has arrived: a body that is still on its way is not
    /// waited for, and its bytes must never be taken for the next request, so the connection closes instead.
    private func skipRequestBody() -> Bool {
        guard holdsHead else { return request == .complete }
        clientInput.consume(requestParser.head.byteCount)
        holdsHead = false
        switch requestParser.head.body {
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
