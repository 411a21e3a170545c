// What this proxy tells the backend about the connection the request came by, and about what came before it.

internal import Bytes
internal import HTTPWire

/// How the client reached us.
public enum ForwardedScheme: Sendable {
    case http
    case https

    var name: StaticString {
        switch self {
        case .http: "http"
        case .https: "https"
        }
    }
}

/// The values of `X-Forwarded-*`, `Forwarded`, `X-Request-Id` and `traceparent`, and the Host for a request without one.
///
/// All bytes are of our own making or the operator's, or were checked, and are free of CR and LF.
public struct ForwardedFields: ~Escapable {
    /// The peer's address without its port, an IPv6 address without brackets; empty for a Unix socket.
    public let clientAddress: Span<UInt8>
    /// Whether the peer is a trusted proxy, so that what it says of the request's way before it is passed on.
    public let isTrusted: Bool
    public let scheme: ForwardedScheme
    /// Ready-made lines that tell of the client's certificate; empty: it has shown none.
    public let certificateFields: Span<UInt8>
    public let requestID: Span<UInt8>
    /// A trace that starts here, for a request that brings none along (W3C Trace Context §3.2).
    public let traceparent: Span<UInt8>
    /// `host[:port]` of the backend: the Host of an HTTP/1.0 request that named none (RFC 9112 §3.2 wants one).
    public let upstreamAuthority: Span<UInt8>

    @_lifetime(copy clientAddress, copy certificateFields, copy requestID, copy traceparent, copy upstreamAuthority)
    public init(
        clientAddress: Span<UInt8>, isTrusted: Bool, scheme: ForwardedScheme,
        certificateFields: Span<UInt8> = Span(), requestID: Span<UInt8>, traceparent: Span<UInt8>, upstreamAuthority: Span<UInt8>
    ) {
        self.clientAddress = clientAddress
        self.isTrusted = isTrusted
        self.scheme = scheme
        self.certificateFields = certificateFields
        self.requestID = requestID
        self.traceparent = traceparent
        self.upstreamAuthority = upstreamAuthority
    }

    /// Bytes that the fields take, rounded up; of the head itself only its authority may come again.
    func fieldBytesMax(for head: borrowing RequestHead) -> Int {
        let chainBytes = isTrusted ? AddressChain.countMax * 2 * (IPAddress.textBytesMax + 10) : 0
        return 512 + chainBytes + certificateFields.count + 2 * clientAddress.count + requestID.count + upstreamAuthority.count
            + 3 * Int(head.authority?.count ?? 0)
    }

    /// Appends the field lines for a request. `bytes` are those that `head` was parsed from.
    func append(for head: borrowing RequestHead, in bytes: Span<UInt8>, to out: ByteBuffer) {
        let provenance = isTrusted ? Provenance(head, in: bytes) : Provenance()
        appendXForwarded(provenance, head, bytes, out)
        appendForwarded(provenance, head, bytes, out)
        out.append(certificateFields)
        out.appendFieldLine("X-Request-Id", requestID)
        if isTrusted, let field = head.only(.traceparent), TraceContext.isTraceparent(bytes.slice(field.value)) {
            out.appendFieldLine("traceparent", bytes.slice(field.value))
            if TraceContext.hasTracestate(head, in: bytes) {
                for index in head.fields.indices where head.fields[index].kind == .tracestate {
                    out.appendFieldLine("tracestate", bytes.slice(head.fields[index].value))
                }
            }
        } else {
            out.appendFieldLine("traceparent", traceparent)
        }
    }

    private func appendXForwarded(
        _ provenance: borrowing Provenance, _ head: borrowing RequestHead, _ bytes: Span<UInt8>, _ out: ByteBuffer
    ) {
        let count = provenance.chain.count
        if count > 0 || !clientAddress.isEmpty {
            out.append("X-Forwarded-For: ")
            for index in 0..<count {
                if index > 0 { out.append(", ") }
                provenance.chain[index].append(to: out)
            }
            if count > 0, !clientAddress.isEmpty { out.append(", ") }
            out.append(clientAddress)
            out.appendLineEnd()
        }
        out.appendFieldLine("X-Forwarded-Proto", (provenance.scheme ?? scheme).name)
        if let host = provenance.host ?? head.authority { out.appendFieldLine("X-Forwarded-Host", bytes.slice(host)) }
    }

    /// The first element has what the client asked for, where most readers look; ours, the last one, what we were
    /// asked for (RFC 7239 §4).
    private func appendForwarded(
        _ provenance: borrowing Provenance, _ head: borrowing RequestHead, _ bytes: Span<UInt8>, _ out: ByteBuffer
    ) {
        out.append("Forwarded: for=")
        let count = provenance.chain.count
        for index in 0..<count {
            let address = provenance.chain[index]
            out.append(address.isIPv4 ? "" : "\"[")
            address.append(to: out)
            out.append(address.isIPv4 ? "" : "]\"")
            if index == 0 { appendRequest(provenance.scheme ?? scheme, provenance.host ?? head.authority, bytes, out) }
            out.append(", for=")
        }
        if clientAddress.isEmpty {
            out.append("unknown")
        } else {
            let isIPv6 = clientAddress.firstIndex(of: ASCII.colon) != nil
            out.append(isIPv6 ? "\"[" : "")
            out.append(clientAddress)
            out.append(isIPv6 ? "]\"" : "")
        }
        if count == 0 {
            appendRequest(provenance.scheme ?? scheme, provenance.host ?? head.authority, bytes, out)
        } else {
            appendRequest(scheme, head.authority, bytes, out)
        }
        out.appendLineEnd()
    }

    /// A port or an IPv6 address has characters that no token holds.
    private func appendRequest(
        _ scheme: ForwardedScheme, _ host: ByteRange?, _ bytes: Span<UInt8>, _ out: ByteBuffer
    ) {
        if let host {
            let host = bytes.slice(host)
            let isQuoted = host.firstIndex(of: ASCII.colon) != nil
            out.append(isQuoted ? ";host=\"" : ";host=")
            out.append(host)
            if isQuoted { out.append(UInt8(ascii: "\"")) }
        }
        out.append(";proto=")
        out.append(scheme.name)
    }
}
