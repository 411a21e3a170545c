// Where a request came from, as the trusted proxy that sent it tells.
//
// Two vocabularies say the same: X-Forwarded-* and Forwarded (RFC 7239). Few proxies speak both, and one that speaks
// the first lets its client's Forwarded through. So X-Forwarded-* is what counts where there is any of it, and both
// are written anew from what was understood: backends that read the one or the other are told one story.
//
// A client chooses what stands at the beginning of a chain, the proxies append to it. So a chain is read from its end,
// as far as it consists of addresses: whatever a client starts it with, it cannot hide what was appended.

public import Bytes
public import HTTPWire

/// What a trusted proxy said of a request's way to it. Nothing of it is verified.
public struct Provenance {
    /// The addresses that the request came by, the client's first.
    var chain = AddressChain()
    /// How the client reached the first proxy; nil: it does not say.
    var scheme: ForwardedScheme?
    /// `host[:port]` that the client asked for, in the bytes of the head; nil: it does not say.
    var host: ByteRange?

    /// The name that the proxy gave the request, in the bytes of the head; nil: none that can be taken over.
    public private(set) var requestID: ByteRange?

    /// As long as a name of a request may be.
    public static let requestIDBytesMax = 128

    /// Nothing is known.
    init() {}

    /// Reads what the fields of a trusted proxy's request say. `bytes` are those that `head` was parsed from.
    public init(_ head: borrowing RequestHead, in bytes: Span<UInt8>) {
        if head.kinds.contains(.xForwardedFor) || head.kinds.contains(.xForwardedProto)
            || head.kinds.contains(.xForwardedHost)
        {
            readXForwarded(head, bytes)
        } else if head.kinds.contains(.forwarded) {
            readForwarded(head, bytes)
        }
        if let field = head.only(.xRequestID), isRequestID(bytes.slice(field.value)) { requestID = field.value }
    }

    /// Who sent the request, as far as the word of trusted proxies reaches: the last address that is no proxy's, or the
    /// first one where all are. Nil: the peer itself.
    public func client(behind proxies: TrustedProxies) -> IPAddress? {
        var index = chain.count
        while index > 0 {
            index -= 1
            if index == 0 || !proxies.contains(chain[index]) { return chain[index] }
        }
        return nil
    }

    private mutating func readXForwarded(_ head: borrowing RequestHead, _ bytes: Span<UInt8>) {
        for index in head.fields.indices where head.fields[index].kind == .xForwardedFor {
            let value = bytes.slice(head.fields[index].value)
            var cursor = 0
            while let entry = value.nextListElement(&cursor) { chain.append(IPAddress(node: value.slice(entry))) }
        }
        if let field = head.only(.xForwardedProto) { scheme = ForwardedScheme(bytes.slice(field.value)) }
        if let field = head.only(.xForwardedHost), isAuthority(bytes.slice(field.value)) { host = field.value }
    }

    /// The first element says what the client asked for (RFC 7239 §5.3, §5.4).
    private mutating func readForwarded(_ head: borrowing RequestHead, _ bytes: Span<UInt8>) {
        var isFirst = true
        for index in head.fields.indices where head.fields[index].kind == .forwarded {
            var reader = ForwardedReader(bytes, head.fields[index].value)
            while let element = reader.next() {
                chain.append(element.node.flatMap { IPAddress(node: bytes.slice($0)) })
                if isFirst {
                    scheme = element.scheme.flatMap { ForwardedScheme(bytes.slice($0)) }
                    host = element.host.flatMap { isAuthority(bytes.slice($0)) ? $0 : nil }
                    isFirst = false
                }
            }
            if reader.isMalformed {
                chain = AddressChain()
                scheme = nil
                host = nil
                return
            }
        }
    }
}

/// The last addresses of a chain, in order.
struct AddressChain {
    /// More proxies than anyone has in a row.
    static let countMax = 32

    private var ring = InlineArray<32, IPAddress>(repeating: IPAddress(bits: 0))
    private var start = 0
    private(set) var count = 0

    subscript(index: Int) -> IPAddress { ring[(start &+ index) & 31] }

    /// Appends an address. What is none (nil: `unknown`, a made-up name) cuts off what stands before it, and so does
    /// the bound.
    mutating func append(_ address: IPAddress?) {
        guard let address else {
            count = 0
            return
        }
        ring[(start &+ count) & 31] = address
        if count < Self.countMax { count &+= 1 } else { start = (start &+ 1) & 31 }
    }
}

extension IPAddress {
    /// An address as proxies write it: an IPv6 one with or without brackets, and a port behind an IPv4 one or behind
    /// brackets. The port is dropped.
    init?(node text: Span<UInt8>) {
        if let address = IPAddress(text) {
            self = address
            return
        }
        let isBracketed = text.count > 2 && text[0] == UInt8(ascii: "[")
        guard let end = text.firstIndex(of: isBracketed ? UInt8(ascii: "]") : ASCII.colon) else { return nil }
        let port = text.extracting((isBracketed ? end + 1 : end)...)
        guard isBracketed && port.isEmpty || isPort(port) else { return nil }
        let inside = isBracketed ? IPAddress(ipv6: text.extracting(1..<end)) : IPAddress(ipv4: text.extracting(..<end))
        guard let inside else { return nil }
        self = inside
    }
}

/// A colon and one to five digits.
private func isPort(_ text: Span<UInt8>) -> Bool {
    guard text.count >= 2, text.count <= 6, text[0] == ASCII.colon else { return false }
    for index in 1..<text.count where !ASCII.isDigit(text[index]) { return false }
    return true
}

/// Letters, digits and `-._~+/=:@`: what stands in logs, JSON and header fields without an escape.
private func isRequestID(_ value: Span<UInt8>) -> Bool {
    guard (1...Provenance.requestIDBytesMax).contains(value.count) else { return false }
    for index in value.indices {
        switch value[index] {
        case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"), UInt8(ascii: "+"),
            UInt8(ascii: "/"), UInt8(ascii: "="), UInt8(ascii: ":"), UInt8(ascii: "@"):
            continue
        default:
            guard ASCII.isAlphanumeric(value[index]) else { return false }
        }
    }
    return true
}

extension ForwardedScheme {
    /// Exactly `http` or `https`.
    init?(_ name: Span<UInt8>) {
        if name.equalsIgnoringCase("https") {
            self = .https
        } else if name.equalsIgnoringCase("http") {
            self = .http
        } else {
            return nil
        }
    }
}

extension RequestHead {
    /// The field of that kind where there is exactly one: of two, nobody knows whom the proxy spoke for.
    func only(_ kind: FieldKind) -> Field? { count(of: kind) == 1 ? first(kind) : nil }
}
