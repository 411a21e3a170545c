// Which header fields a claim may go in. The proxy removes a field of such a name from every client's request, on every
// route, and writes its own: so none whose absence or new meaning would change the request itself.

internal import Bytes

/// What keeps a header from carrying a claim.
public enum ForwardedHeaderName {
    public enum Objection: Sendable, Equatable {
        /// It is no name of a field (RFC 9110 §5.1), has no letter or digit, or is too long.
        case malformed
        /// The field has a meaning of its own: it frames, routes, authorises, negotiates or describes the message.
        case hasMeaning
        /// The proxy writes or removes it for reasons of its own.
        case isOurs
    }

    public static let bytesMax = 128

    /// nil: the header may carry a claim.
    public static func objection(to name: String) -> Objection? {
        let folded = HeaderHygiene.fold(name)
        guard !folded.isEmpty, name.utf8.count <= bytesMax, name.utf8.allSatisfy(ASCII.isToken) else {
            return .malformed
        }
        // It crashes some versions of Node.
        if name.lowercased() == "__proto__" { return .malformed }
        if (ours.contains { HeaderHygiene.fold($0) == folded }) || HeaderHygiene.isOfForwarding(name) { return .isOurs }
        let hyphened = String(
            decoding: name.utf8.map { ASCII.isAlphanumeric($0) ? ASCII.lowercased($0) : UInt8(ascii: "-") },
            as: UTF8.self)
        let isTaken =
            names.contains { HeaderHygiene.fold($0) == folded } || prefixes.contains(where: hyphened.hasPrefix)
        return isTaken ? .hasMeaning : nil
    }

    /// They speak of the decision and of the connection, whatever is forwarded of the claims.
    private static let ours = ["X-Auth-Status", "X-Auth-Legacy-Audience"] + ClientCertificate.fieldNames

    private static let names = [
        // Framing, the connection, and the target.
        "Host", "Content-Length", "Transfer-Encoding", "Trailer", "TE", "Expect", "Connection", "Keep-Alive", "Upgrade",
        "HTTP2-Settings", "Max-Forwards", "Via", "Alt-Used", "X-HTTP-Method-Override", "X-HTTP-Method",
        "X-Method-Override",
        // Credentials, and what browsers say of where a request comes from.
        "Authorization", "Cookie", "Cookie2", "Set-Cookie", "Origin", "Referer", "DPoP",
        // What the request asks for.
        "Accept", "Range", "Cache-Control", "Pragma", "Prefer", "Date", "Early-Data",
    ]
    private static let prefixes = ["accept-", "access-control-", "content-", "if-", "proxy-", "sec-"]
}
