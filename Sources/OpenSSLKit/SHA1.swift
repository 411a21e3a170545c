// SHA-1 (FIPS 180-4), for the one protocol here that is built on it: the WebSocket handshake (RFC 6455 §1.3), where it
// only shows that a server has read the request. Broken for anything that has to resist a forger.

internal import COpenSSL

public enum SHA1 {
    private static let byteCount = 20

    /// The digest of `message` in base64 (RFC 4648 §4, with padding): 28 characters.
    public static func base64Digest(of message: [UInt8]) throws(OpenSSLError) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: byteCount)
        try succeed("EVP_Digest") { unsafe EVP_Digest(message, message.count, &digest, nil, EVP_sha1(), nil) }
        // EVP_EncodeBlock ends its text with a NUL.
        var text = [UInt8](repeating: 0, count: (byteCount + 2) / 3 * 4 + 1)
        let count = unsafe EVP_EncodeBlock(&text, digest, Int32(byteCount))
        return Array(text.prefix(Int(count)))
    }
}
