// The characters that a token is made of.

import Testing

@testable import Admission

@Suite struct BearerTokenTests {
    @Test func `A token is of b64token's characters, and no other byte passes for one of them`() {
        let allowed = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/".utf8)
        for byte in UInt8.min ... .max {
            let token = [UInt8(ascii: "a"), byte, UInt8(ascii: "a")]
            let passes: Bool
            do throws(Refusal) {
                try BearerToken.checkSyntax(token.span)
                passes = true
            } catch {
                passes = false
            }
            #expect(passes == allowed.contains(byte), "byte \(byte)")
        }
    }
}
