// The head that the backend gets, written anew from what was parsed.
//
// The order of work is the defence: first everything that ends at this hop or that a client may not say goes,
// then our own fields are set. So a client's `Connection: X-Auth-Subject` removes its own field of that name,
// never ours, and each of our names occurs exactly once. An identity is a parameter, and only a verified token
// makes one: forwarding an unverified request does not compile.

public import Bytes
public import HTTPWire

/// The writer of the head that goes upstream: for an admitted request only, as it takes an `Identity`.
public enum UpstreamRequestHead {
    /// Appends the head, its empty line included; allocates nothing unless `out` has to grow.
    ///
    /// - Parameters:
    ///   - bytes: those that `head` was parsed from.
    ///   - forwardExpect: send `Expect: 100-continue` on, and relay the backend's 100; otherwise the proxy has
    ///     answered it itself.
    public static func write(
        _ head: borrowing RequestHead, from bytes: Span<UInt8>, identity: Identity, hygiene: HeaderHygiene,
        forwarding: borrowing ForwardedFields, forwardExpect: Bool, into out: ByteBuffer
    ) {
        // Once for the whole head: the appends below then only check.
        out.reserve(head.byteCount + identity.fieldBytes + ownFieldBytesMax(forwarding) + 2 * head.fields.count)

        out.appendRequestLine(head, from: bytes)
        if let authority = head.authority {
            out.appendFieldLine("Host", bytes.slice(authority))
        } else {
            out.appendFieldLine("Host", forwarding.upstreamAuthority)
        }

        let hasNominations = head.kinds.contains(.connection) && head.fields.mayNominate(in: bytes)
        for index in head.fields.indices {
            let field = head.fields[index]
            guard forwards(field.kind) else { continue }
            let name = bytes.slice(field.name)
            if hygiene.isReserved(name) { continue }
            if hasNominations, head.connectionNominates(name, in: bytes) { continue }
            out.appendFieldLine(name, bytes.slice(field.value))
        }

        if !forwarding.clientAddress.isEmpty {
            out.appendFieldLine("X-Forwarded-For", forwarding.clientAddress)
        }
        out.appendFieldLine("X-Forwarded-Proto", forwarding.scheme.name)
        if let received = head.authority {
            out.appendFieldLine("X-Forwarded-Host", bytes.slice(received))
        }
        out.appendFieldLine("X-Request-Id", forwarding.requestID)
        identity.appendFields(to: out)

        if forwardExpect { out.append("Expect: 100-continue\r\n") }
        out.appendFramingField(head.body)
        out.appendLineEnd()
    }

    /// Whether a field of this kind is copied: not what ends at this hop, and not what is written anew.
    private static func forwards(_ kind: FieldKind) -> Bool {
        switch kind {
        case .host, .contentLength, .expect, .forwarded, .xForwardedFor, .xForwardedProto, .xForwardedHost,
            .xRequestID:
            false
        default: !kind.isHopByHop
        }
    }

    /// Names, separators and framing of the fields that are ours, rounded up.
    private static func ownFieldBytesMax(_ forwarding: borrowing ForwardedFields) -> Int {
        // Our field names and the framing take under 256 bytes; the authority may come twice, and is part of
        // the head already once.
        256 + forwarding.clientAddress.count + forwarding.requestID.count + forwarding.upstreamAuthority.count
    }
}
