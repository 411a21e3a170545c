// The head that the backend gets, written anew from what was parsed.
//
// The order of work is the defence: first everything that ends at this hop or that a client may not say goes,
// then our own fields are set. So a client's `Connection: X-Auth-Subject` removes its own field of that name,
// never ours, and each of our names occurs exactly once. An admittance is a parameter, and only a verified token or a
// route's rule makes one (Route.swift): forwarding a request that nobody admitted does not compile.

public import Bytes
public import HTTPWire

/// The writer of the head that goes upstream: for an admitted request only, as it takes an `Admittance`.
public enum UpstreamRequestHead {
    /// Appends the head, its empty line included; allocates nothing unless `out` has to grow.
    ///
    /// - Parameters:
    ///   - bytes: those that `head` was parsed from.
    ///   - tokens: where tokens are taken from: what is only there for us is left out.
    ///   - authorization: whether the client's Authorization field goes on. A minted one is part of the admittance.
    ///   - forwardExpect: send `Expect: 100-continue` on, and relay the backend's 100; otherwise the proxy has
    ///     answered it itself.
    ///   - upgrade: where in `bytes` the one protocol stands that the backend is offered to switch to.
    public static func write(
        _ head: borrowing RequestHead, from bytes: Span<UInt8>, admittance: Admittance, hygiene: HeaderHygiene,
        tokens: TokenPlaces, authorization: AuthorizationPolicy, forwarding: borrowing ForwardedFields,
        forwardExpect: Bool, upgrade: ByteRange?, into out: ByteBuffer
    ) {
        // Once for the whole head: the appends below then only check.
        out.reserve(head.byteCount + admittance.fieldBytes + forwarding.fieldBytesMax(for: head) + 2 * head.fields.count)

        out.append(bytes.slice(head.methodName))
        out.append(ASCII.space)
        tokens.appendTarget(head, from: bytes, to: out)
        out.append(" HTTP/1.1\r\n")
        if let authority = head.authority {
            out.appendFieldLine("Host", bytes.slice(authority))
        } else {
            out.appendFieldLine("Host", forwarding.upstreamAuthority)
        }

        let hasNominations = head.kinds.contains(.connection) && head.fields.mayNominate(in: bytes)
        for index in head.fields.indices {
            let field = head.fields[index]
            guard forwards(field.kind, head.body) else { continue }
            let name = bytes.slice(field.name)
            if authorization != .keep, HeaderHygiene.folds(name, into: authorizationName.span) { continue }
            if hygiene.isReserved(name, fromTrusted: forwarding.isTrusted) { continue }
            if hasNominations, head.connectionNominates(name, in: bytes) { continue }
            tokens.appendFieldLine(field, from: bytes, to: out)
        }

        forwarding.append(for: head, in: bytes, to: out)
        admittance.appendFields(to: out)

        if forwardExpect { out.append("Expect: 100-continue\r\n") }
        appendConnectionFields(head, from: bytes, upgrade: upgrade, to: out)
        out.appendFramingField(head.body)
        out.appendLineEnd()
    }

    /// As with every field that we set, no spelling of it comes through from a client.
    private static let authorizationName = HeaderHygiene.fold("Authorization")

    /// The refusal of a head that came to more than the backend may be sent; nil: it is good. Nothing is ever cut.
    ///
    /// - Parameter bytes: what `write` appended for `head`.
    public static func refusal(ofBytes bytes: Int, for head: borrowing RequestHead, bytesMax: Int) -> Refusal? {
        guard bytes > bytesMax else { return nil }
        return .upstreamHeadTooLarge(bytes: bytes, bytesMax: bytesMax, addedBytes: bytes - head.byteCount)
    }

    /// What we say to the backend of our connection to it: the protocol that it may switch to (RFC 9110 §7.8), and that
    /// trailers will be passed on, where the client takes them (§10.1.4).
    private static func appendConnectionFields(
        _ head: borrowing RequestHead, from bytes: Span<UInt8>, upgrade: ByteRange?, to out: ByteBuffer
    ) {
        let takesTrailers = head.takesTrailers(in: bytes)
        if let upgrade {
            out.append(takesTrailers ? "Connection: upgrade, TE\r\n" : "Connection: upgrade\r\n")
            out.appendFieldLine("Upgrade", bytes.slice(upgrade))
        } else if takesTrailers {
            out.append("Connection: TE\r\n")
        }
        if takesTrailers { out.append("TE: trailers\r\n") }
    }

    /// Whether a field of this kind is copied: not what ends at this hop, and not what is written anew.
    private static func forwards(_ kind: FieldKind, _ body: BodyFraming) -> Bool {
        switch kind {
        // It announces what only the chunked coding has a place for.
        case .trailer: body == .chunked
        case .host, .contentLength, .expect, .forwarded, .xForwardedFor, .xForwardedProto, .xForwardedHost,
            .xRequestID, .traceparent, .tracestate:
            false
        default: !kind.isHopByHop
        }
    }
}

extension RequestHead {
    /// Whether TE says that the client takes trailers, and that it says so to us (RFC 9110 §10.1.4).
    fileprivate func takesTrailers(in bytes: Span<UInt8>) -> Bool {
        guard kinds.contains(.te), version == .http11 else { return false }
        return fields.containsListElement(of: .te, in: bytes) { $0.equalsIgnoringCase("trailers") }
    }
}
