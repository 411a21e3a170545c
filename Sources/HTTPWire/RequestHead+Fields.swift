// What a request's fields say of the request as a whole: asked once, when all of them are there.

internal import Bytes

extension RequestHead {
    /// Settles authority, framing, persistence, expectation and upgrade from the fields.
    func applyFields(_ bytes: Span<UInt8>) throws(RequestError) {
        try applyHost(bytes)
        try applyFraming(bytes)
        let options = ConnectionOptions(fields, kinds: kinds, in: bytes)
        if options.isMalformed { throw RequestError(.badRequest, "Connection is not a list of at most 32 tokens") }
        isPersistent = options.isPersistent(version)
        hasUpgrade = options.offersUpgrade(kinds, version)
        try applyExpectation(bytes)
    }

    /// Clears all but the field storage.
    func removeAll() {
        method = .other
        methodName = .empty
        target = .empty
        path = .empty
        query = nil
        authority = nil
        version = .http11
        fields.removeAll(keepingCapacity: true)
        kinds = FieldKindSet()
        body = .none
        isPersistent = false
        expectsContinue = false
        hasUpgrade = false
        byteCount = 0
    }

    /// RFC 9112 §3.2: exactly one Host on HTTP/1.1, at most one on HTTP/1.0, and the absolute-form's own authority
    /// has to agree with it: which of the two a backend believes is not known.
    private func applyHost(_ bytes: Span<UInt8>) throws(RequestError) {
        guard let host = first(.host) else {
            if version == .http11 { throw RequestError(.badRequest, "no Host field") }
            return
        }
        if count(of: .host) > 1 { throw RequestError(.badRequest, "more than one Host field") }
        let value = bytes.slice(host.value)
        if let authority {
            guard value.equalsIgnoringCase(bytes.slice(authority)) else {
                throw RequestError(.badRequest, "Host differs from the request-target's authority")
            }
        } else if !value.isEmpty {
            guard isAuthority(value) else { throw RequestError(.badRequest, "Host is not host[:port]") }
            authority = host.value
        }
    }

    /// A request without framing fields has no body (RFC 9112 §6.3).
    private func applyFraming(_ bytes: Span<UInt8>) throws(RequestError) {
        do {
            body = try declaredFraming(fields, kinds: kinds, version: version, in: bytes) ?? .none
        } catch {
            switch error {
            case .ambiguous(let detail): throw RequestError(.badRequest, detail)
            case .codingNotTaken: throw RequestError(.notImplemented, "no transfer coding but chunked is taken")
            }
        }
    }

    private func applyExpectation(_ bytes: Span<UInt8>) throws(RequestError) {
        guard let expectation = first(.expect) else { return }
        guard count(of: .expect) == 1, bytes.slice(expectation.value).equalsIgnoringCase("100-continue") else {
            throw RequestError(.expectationFailed, "the only expectation served is 100-continue")
        }
        // HTTP/1.0 has no 100 (RFC 9110 §10.1.1).
        expectsContinue = version == .http11 && body != .none && body != .length(0)
    }
}
