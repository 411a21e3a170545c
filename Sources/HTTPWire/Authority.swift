// `host[:port]` of a Host field or an absolute-form target (RFC 9110 §7.2, RFC 3986 §3.2).
//
// Narrower than the grammar of RFC 3986: no userinfo, no percent-encoding, no sub-delims (a comma could pass for a
// list, a quote or a semicolon for something else in the backend's logs and redirects), no empty port.

internal import Bytes

/// Whether the bytes are a host of letters, digits, `-`, `.`, `_`, `~`, or an IPv6 address in brackets, and at most
/// one port of 1…65535.
public func isAuthority(_ bytes: Span<UInt8>) -> Bool {
    guard !bytes.isEmpty else { return false }
    let hostEnd = bytes[0] == UInt8(ascii: "[") ? endOfAddress(bytes) : endOfName(bytes)
    guard let hostEnd else { return false }
    return hostEnd == bytes.count
        || (bytes[hostEnd] == ASCII.colon && isPort(bytes.extracting((hostEnd &+ 1)...)))
}

private func endOfName(_ bytes: Span<UInt8>) -> Int? {
    var end = 0
    while end < bytes.count, isUnreserved(bytes[end]) { end &+= 1 }
    return end > 0 ? end : nil
}

/// Unreserved of RFC 3986 §2.3.
private func isUnreserved(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"): true
    default: ASCII.isAlphanumeric(byte)
    }
}

/// Past the `]`. That the address is one is for whoever connects to it; here it only must not end anywhere else.
private func endOfAddress(_ bytes: Span<UInt8>) -> Int? {
    var end = 1
    while end < bytes.count, bytes[end] != UInt8(ascii: "]") {
        guard ASCII.hexValue(bytes[end]) != nil || bytes[end] == ASCII.colon || bytes[end] == UInt8(ascii: ".") else {
            return nil
        }
        end &+= 1
    }
    return end > 2 && end < bytes.count ? end &+ 1 : nil
}

private func isPort(_ digits: Span<UInt8>) -> Bool {
    guard digits.count >= 1 && digits.count <= 5 else { return false }
    var port = 0
    for index in digits.indices {
        guard ASCII.isDigit(digits[index]) else { return false }
        port = port &* 10 &+ Int(digits[index] &- 0x30)
    }
    return port >= 1 && port <= 65535
}
