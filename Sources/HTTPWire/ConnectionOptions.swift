// The Connection field (RFC 9110 §7.6.1), as far as it concerns the connection itself.

internal import Bytes

struct ConnectionOptions {
    var close = false
    var keepAlive = false
    var upgrade = false
    /// An element that is no token, so that it cannot be told which field it was meant to name; or more than
    /// `countMax` of them.
    var isMalformed = false

    /// Each field of the head is looked for among these before it is forwarded: without a bound, 32 KiB of `a,a,a,…`
    /// would cost milliseconds a request.
    static let countMax = 32
    private var count = 0

    init(_ fields: borrowing [Field], kinds: FieldKindSet, in bytes: Span<UInt8>) {
        guard kinds.contains(.connection) else { return }
        for index in fields.indices where fields[index].kind == .connection {
            let value = bytes.slice(fields[index].value)
            var cursor = 0
            while let range = value.nextListElement(&cursor) { add(value.slice(range)) }
        }
    }

    private mutating func add(_ option: Span<UInt8>) {
        count += 1
        if count > Self.countMax { isMalformed = true }
        if option.equalsIgnoringCase("keep-alive") {
            keepAlive = true
        } else if option.equalsIgnoringCase("close") {
            close = true
        } else if option.equalsIgnoringCase("upgrade") {
            upgrade = true
        } else if option.firstNonToken(from: 0, upTo: option.count) < option.count {
            isMalformed = true
        }
    }

    /// Whether the connection stays open after the message (RFC 9112 §9.3).
    func isPersistent(_ version: HTTPVersion) -> Bool {
        !close && !isMalformed && (version == .http11 || keepAlive)
    }

    /// Whether an Upgrade field is meant for this hop. HTTP/1.0 has none: there it is ignored (RFC 9110 §7.8).
    func offersUpgrade(_ kinds: FieldKindSet, _ version: HTTPVersion) -> Bool {
        version == .http11 && upgrade && kinds.contains(.upgrade)
    }
}
