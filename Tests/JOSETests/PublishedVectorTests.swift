// The examples printed in the RFCs.

import Bytes
import JOSE
import OpenSSLKit
import Testing

@Suite struct PublishedVectorTests {
    static let payload =
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
    static let claims = #"{"iss":"joe","exp":1300819380,"http://example.com/is_root":true}"#

    static let rsaModulus =
        "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZ"
        + "S-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2"
        + "R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcD"
        + "TW9gb54h4FRWyuXpoQ"
    static let rsaSignature =
        "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CU"
        + "Ar7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_d"
        + "O--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0ig"
        + "cN_IoypGlUPQGe77Rw"

    @Test("RFC 7515 appendix A.2: RS256")
    func rs256() throws {
        let keys = try keySet(#"{"keys":[{"kty":"RSA","n":"\#(Self.rsaModulus)","e":"AQAB"}]}"#)
        let token = "eyJhbGciOiJSUzI1NiJ9.\(Self.payload).\(Self.rsaSignature)"
        #expect(Verdict.of(token, keys) == .verified(claims: Self.claims))
    }

    @Test("RFC 7515 appendix A.3: ES256")
    func es256() throws {
        let keys = try keySet(
            #"{"keys":[{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","#
                + #""y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}"#)
        let signature = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
        #expect(
            Verdict.of("eyJhbGciOiJFUzI1NiJ9.\(Self.payload).\(signature)", keys) == .verified(claims: Self.claims))
    }

    @Test("RFC 8037 appendix A.3 and A.4: the Ed25519 thumbprint, and a signature over what is no JSON")
    func ed25519() throws {
        let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
        let keys = try keySet(#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"\#(x)"}]}"#)
        #expect(keys.keys[0].thumbprint.description == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k")
        let input = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc"
        let signature = "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
        let verifier = try Self.verifier(ed25519: Self.decode(x))
        let bytes = try Self.decode(signature)
        for _ in 0..<2 {
            #expect(Self.isValid(bytes, input, verifier))
            #expect(!Self.isValid(bytes, input + "x", verifier))
        }
        // As a token it is refused: its payload is text.
        #expect(
            Verdict.of("\(input).\(signature)", keys)
                == .malformed(.badJSON(.payload, JSONError(kind: .unexpectedByte, offset: 0))))
    }

    private static func decode(_ text: String) throws(Base64URLError) -> [UInt8] {
        let bytes = Array(text.utf8)
        return try Base64URL.decode(bytes.span)
    }

    private static func verifier(ed25519 bytes: [UInt8]) throws -> PreparedVerifier {
        try PreparedVerifier(PublicKey(ed25519: bytes.span), .ed25519)
    }

    private static func isValid(_ signature: [UInt8], _ message: String, _ verifier: PreparedVerifier) -> Bool {
        let message = Array(message.utf8)
        return verifier.isValid(signature.span, for: message.span)
    }

    @Test("RFC 7638 §3.1: the thumbprint, whatever else the JWK says and in whatever order")
    func thumbprint() throws {
        let n =
            "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiF"
            + "V4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9"
            + "c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1"
            + "jF44-csFCur-kEgU8awapJzKnqDKgw"
        // The second writes n with a leading zero byte: the same key.
        let bytes = try Self.decode(n)
        for modulus in [n, base64url([0] + bytes)] {
            let keys = try keySet(
                #"{"keys":[{"n":"\#(modulus)","kid":"2011-04-29","alg":"RS256","e":"AQAB","kty":"RSA"}]}"#)
            #expect(keys.keys[0].thumbprint.description == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs")
            #expect(keys.keys[0].keyID == "2011-04-29")
            #expect(keys.keys[0].type == .rsa(bits: 2048))
            #expect(keys.keys[0].algorithm == .rs256)
        }
    }
}
