import Bytes
import Testing

@testable import Gateway

@Suite struct RequestIDTests {
    @Test("identifiers are 32 hexadecimal digits and differ")
    func differ() {
        var generator = RequestIDGenerator()
        var seen: Set<[UInt8]> = []
        for _ in 0..<1_000 {
            let requestID = RequestID(using: &generator)
            let text = requestID.name.copied()
            #expect(text.count == 32 && text.allSatisfy { ASCII.hexValue($0) != nil })
            seen.insert(text)
        }
        #expect(seen.count == 1_000)
    }

    @Test("a trace starts with the request's own identifier, and another one for its parent")
    func trace() throws {
        var generator = RequestIDGenerator()
        let one = RequestID(using: &generator)
        let parts = one.traceparent.span.text().split(separator: "-")
        #expect(parts.map(\.count) == [2, 32, 16, 2])
        #expect(parts[0] == "00" && parts[3] == "01")
        #expect(String(parts[1]) == one.name.text())
        #expect(parts[2].contains { $0 != "0" })
        let other = RequestID(using: &generator).traceparent.span.text()
        #expect(other.split(separator: "-")[2] != parts[2])
    }

    @Test("another's name is taken over, and the trace keeps its own")
    func become() {
        var generator = RequestIDGenerator()
        var requestID = RequestID(using: &generator)
        let trace = requestID.traceparent.span.text()
        for name in ["a", String(repeating: "x", count: 128), "b.c"] {
            requestID.become(Array(name.utf8).span)
            #expect(requestID.name.text() == name)
        }
        #expect(requestID.traceparent.span.text() == trace)
    }
}
