// Which trailer fields go on (RFC 9110 §6.5).
//
// What frames, routes, authorises or controls a message has been dropped by the decoder already, as it may not stand in
// a trailer section (§6.5.1). Here the rules of the head are applied again: a name that a client may never send is no
// better at the end of a body than in front of it.

public import Bytes
public import HTTPWire

/// The rule for one message's trailer section.
public struct TrailerRule: Sendable {
    private enum Scope {
        case none
        case all
        case notOfReceivedBytes
        case unreserved(HeaderHygiene, TokenPlaces)
    }

    private let scope: Scope

    /// No trailer goes on: the receiver could not read one.
    public static let none = TrailerRule(scope: .none)
    /// What the backend says goes to the client.
    public static let fromBackend = TrailerRule(scope: .all)
    /// The same for a body that is compressed here: not what tells of the very bytes that the backend sent.
    public static let fromBackendCompressed = TrailerRule(scope: .notOfReceivedBytes)

    /// The rule for a client's request. `bytes` are those that `head` was parsed from.
    ///
    /// Where its Connection names fields of its own, no trailer goes on: they would have to be looked for among those
    /// names (RFC 9110 §7.6.1), and by the time of the trailers the head is gone.
    public static func fromClient(
        _ head: borrowing RequestHead, in bytes: Span<UInt8>, hygiene: HeaderHygiene, tokens: TokenPlaces
    ) -> TrailerRule {
        head.kinds.contains(.connection) && head.fields.nominates(in: bytes)
            ? .none : TrailerRule(scope: .unreserved(hygiene, tokens))
    }

    /// Appends the lines of those `fields` that go on, each with its CRLF. `bytes` are those they were parsed from.
    public func append(_ fields: [Field], from bytes: Span<UInt8>, to out: ByteBuffer) {
        for field in fields where allows(bytes.slice(field.name)) {
            out.appendFieldLine(bytes.slice(field.name), bytes.slice(field.value))
        }
    }

    private func allows(_ name: Span<UInt8>) -> Bool {
        switch scope {
        case .none: false
        case .all: true
        case .notOfReceivedBytes: !DownstreamResponseHead.isOfReceivedBytes(name) && !name.equalsIgnoringCase("etag")
        // A token that comes behind the body was not looked at.
        case .unreserved(let hygiene, let tokens): !hygiene.isReserved(name) && !tokens.isHeader(name)
        }
    }
}
