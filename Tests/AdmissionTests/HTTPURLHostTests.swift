// Who a URL names, and whether that can only be this machine.

import Testing

@testable import Admission

@Suite struct HTTPURLHostTests {
    @Test(
        "hosts that are loopback, and hosts that only look so",
        arguments: [
            ("127.0.0.1", true), ("127.9.9.9", true), ("localhost", true), ("LOCALHOST", true), ("a.localhost", true),
            ("a.b.LocalHost", true), ("[::1]", true), ("[0:0:0:0:0:0:0:1]", true), ("128.0.0.1", false), ("127.example", false),
            ("localhost.example", false), ("notlocalhost", false), ("127.0.0.1.example", false), ("localhost.", false), ("[::2]", false),
        ])
    func loopback(text: String, isLoopback: Bool) throws {
        #expect(try #require(HTTPURL.Host(parsing: text)).isLoopback == isLoopback)
    }

    @Test("what is no host", arguments: ["", "a..b", "-a", "a-", "a b", "1.2.3", "127.1", "010.0.0.1", "127.0.0.999", "a.1", "0x7f", "a.0x1", "[::1", "[a]", "é", "\u{212A}"])
    func noHost(text: String) {
        #expect(HTTPURL.Host(parsing: text) == nil)
    }
}
