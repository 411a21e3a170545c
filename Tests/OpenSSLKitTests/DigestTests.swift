import Testing

@testable import OpenSSLKit

@Suite struct DigestTests {
    @Test(
        "FIPS 180-4 examples for 'abc'",
        arguments: [
            (HashFunction.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                .sha384,
                "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7"
            ),
            (
                .sha512,
                "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd"
                    + "454d4423643ce80e2a9ac94fa54ca49f"
            ),
        ])
    func vectors(function: HashFunction, expected: String) throws {
        let context = try DigestContext(function)
        try context.digest(Array("abc".utf8).span)
        let bytes = unsafe Array(context.result)
        #expect(bytes.count == function.byteCount)
        #expect(bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() == expected)
    }

    @Test("SHA-256 as a value, of nothing too")
    func value() {
        let empty = SHA256Digest(of: [UInt8]().span)
        #expect(empty.bytes.prefix(4) == [0xE3, 0xB0, 0xC4, 0x42])
        #expect(empty.prefix == 0xE3B0_C442_98FC_1C14)
        let abc = Array("abc".utf8)
        let first = SHA256Digest(of: abc.span)
        #expect(first.bytes.prefix(4) == [0xBA, 0x78, 0x16, 0xBF])
        #expect(first != empty)
        #expect(SHA256Digest(of: abc.span) == first)
    }

    @Test("The handshake of RFC 6455 §1.3")
    func sha1() throws {
        let message = Array("dGhlIHNhbXBsZSBub25jZQ==258EAFA5-E914-47DA-95CA-C5AB0DC85B11".utf8)
        #expect(try SHA1.base64Digest(of: message) == Array("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=".utf8))
    }
}
