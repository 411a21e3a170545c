// What a response's fields say of the response as a whole: asked once, when all of them are there.

internal import Bytes

extension ResponseHead {
    /// Settles framing and persistence from the fields.
    func applyFields(_ bytes: Span<UInt8>, requestMethod: Method) throws(ResponseError) {
        let options = ConnectionOptions(fields, kinds: kinds, in: bytes)
        isPersistent = options.isPersistent(version)
        hasUpgrade = options.offersUpgrade(kinds, version)
        try applyFraming(bytes, requestMethod: requestMethod)
    }

    /// Clears all but the field storage.
    func removeAll() {
        statusCode = 0
        reason = .empty
        version = .http11
        fields.removeAll(keepingCapacity: true)
        kinds = FieldKindSet()
        body = .none
        contentLength = nil
        isPersistent = false
        hasUpgrade = false
        byteCount = 0
    }

    /// RFC 9112 §6.3, in its order. Framing fields are checked even where they do not apply.
    private func applyFraming(_ bytes: Span<UInt8>, requestMethod: Method) throws(ResponseError) {
        let declared: BodyFraming?
        do {
            declared = try declaredFraming(fields, kinds: kinds, version: version, in: bytes)
        } catch {
            switch error {
            case .ambiguous(let detail): throw ResponseError(.ambiguousFraming, detail)
            case .codingNotTaken:
                throw ResponseError(.ambiguousFraming, "a transfer coding that was not asked for")
            }
        }
        if case .length(let length) = declared { contentLength = length }
        let declaresContent = declared != nil && declared != .length(0)
        switch statusCode {
        case ..<200:
            // The upstream may believe that content follows; we would read that content as the next head.
            if declaresContent { throw ResponseError(.ambiguousFraming, "a 1xx response that declares content") }
            body = .none
        case 204:
            body = .none
            // The same doubt, but a final response: it ends here, and the connection is not used again.
            if declaresContent { isPersistent = false }
        case 304:
            body = .none
        default:
            body = requestMethod == .head ? .none : declared ?? .untilClose
            if body == .untilClose { isPersistent = false }
        }
    }
}
