// Which protocols a request may switch its connection to (RFC 9110 §7.8).
//
// By an allow-list, and one protocol at a time: behind a switch the proxy relays bytes that it does not read, so what it
// lets through must be something whose bytes the backend cannot take for HTTP requests. `h2c` is exactly that, and can
// never be listed: each request within it would reach the backend without a token.

public import Bytes
public import HTTPWire

/// The protocols that a backend may be offered.
public final class UpgradeRule: Sendable {
    private let protocols: [[UInt8]]

    /// - Parameter protocols: names (RFC 9110 §16.7), matched in any case. Without any, no request switches.
    public init(_ protocols: [String]) {
        self.protocols = protocols.map { Array($0.utf8) }
    }

    /// Whether tunnelling the protocol would carry HTTP requests past the proxy.
    public static func carriesRequests(_ name: String) -> Bool {
        let name = name.lowercased()
        return name == "h2c" || name == "h2" || name == "http" || name.hasPrefix("http/") || name.hasPrefix("tls/")
            || name == "tls"
    }

    /// Where in `bytes` the first protocol stands that the client asks for and that is listed; nil: the request goes on
    /// as a plain one, which RFC 9110 §7.8 leaves to whoever receives it. `bytes` are those `head` was parsed from.
    ///
    /// A request with a body does not switch: where the body ends and the new protocol begins is one more thing that two
    /// readers could see differently.
    public func offer(_ head: borrowing RequestHead, in bytes: Span<UInt8>) -> ByteRange? {
        guard head.hasUpgrade, head.body == .none else { return nil }
        for index in head.fields.indices where head.fields[index].kind == .upgrade {
            let value = head.fields[index].value
            var cursor = 0
            while let element = bytes.slice(value).nextListElement(&cursor) {
                if allows(bytes.slice(value).slice(element)) {
                    return ByteRange(offset: value.lowerBound + element.lowerBound, count: Int(element.count))
                }
            }
        }
        return nil
    }

    private func allows(_ name: Span<UInt8>) -> Bool {
        for index in protocols.indices {
            let listed = protocols[index]
            if name.equalsIgnoringCase(listed.span) { return true }
        }
        return false
    }
}

extension ResponseHead {
    /// Whether a 101 switches to `offered`, and to that alone (RFC 9110 §15.2.2): a status code by itself could be one
    /// that an attacker made the backend repeat. `bytes` are those the head was parsed from.
    public func switches(to offered: Span<UInt8>, in bytes: Span<UInt8>) -> Bool {
        guard isSwitchingProtocols, hasUpgrade, count(of: .upgrade) == 1, let upgrade = first(.upgrade)
        else { return false }
        return bytes.slice(upgrade.value).equalsIgnoringCase(offered)
    }
}
