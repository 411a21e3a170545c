// Field names are known by their letters, in any case, and by nothing less than all of them.

import Bytes
import FuzzTargets
import HTTPWire
import Testing

private let spellings: [(String, FieldKind)] = [
    ("host", .host), ("content-length", .contentLength), ("transfer-encoding", .transferEncoding),
    ("trailer", .trailer), ("sec-websocket-key", .secWebSocketKey), ("sec-websocket-accept", .secWebSocketAccept),
    ("te", .te), ("expect", .expect), ("connection", .connection), ("keep-alive", .keepAlive),
    ("proxy-connection", .proxyConnection), ("upgrade", .upgrade), ("proxy-authorization", .proxyAuthorization),
    ("proxy-authenticate", .proxyAuthenticate), ("authorization", .authorization),
    ("www-authenticate", .wwwAuthenticate),
    ("cookie", .cookie), ("set-cookie", .setCookie), ("sec-websocket-protocol", .secWebSocketProtocol),
    ("accept", .accept), ("accept-encoding", .acceptEncoding), ("origin", .origin),
    ("access-control-request-method", .accessControlRequestMethod),
    ("forwarded", .forwarded), ("x-forwarded-for", .xForwardedFor), ("x-forwarded-proto", .xForwardedProto),
    ("x-forwarded-host", .xForwardedHost), ("x-request-id", .xRequestID), ("traceparent", .traceparent),
    ("tracestate", .tracestate),
    ("content-type", .contentType), ("content-encoding", .contentEncoding), ("content-range", .contentRange),
    ("cache-control", .cacheControl), ("date", .date), ("range", .range), ("vary", .vary), ("location", .location),
    ("if-none-match", .ifNoneMatch), ("max-forwards", .maxForwards),
]

private func kindOf(_ name: [UInt8]) -> FieldKind { FieldKind(name: name.span) }

@Suite struct FieldKindTests {
    @Test func `Every kind has a spelling here`() {
        #expect(Set(spellings.map(\.1)).union([.other]) == Set(FieldKind.allCases))
    }

    @Test(arguments: spellings)
    func `A name is known in any case, and only whole`(name: String, kind: FieldKind) {
        func look(_ text: String) -> FieldKind { kindOf(octets(text)) }
        #expect(look(name) == kind)
        #expect(look(name.uppercased()) == kind)
        #expect(look(String(name.dropLast())) != kind)
        #expect(look(String(name.dropFirst())) != kind)
        #expect(look(name + "x") != kind)
        for index in 0..<name.utf8.count {
            var changed = octets(name)
            changed[index] ^= 1
            #expect(kindOf(changed) != kind)
            // The case bit turns a hyphen into CR, which no name holds, but a lookup must not be fooled either.
            if changed[index] ^ 1 == UInt8(ascii: "-") {
                changed[index] = 0x0D
                #expect(kindOf(changed) != kind)
            }
        }
    }

    @Test func `An empty name is no known field`() {
        #expect(kindOf([]) == .other)
    }

    @Test func `The hop-by-hop fields are those of RFC 9110`() {
        #expect(
            Set(FieldKind.allCases.filter(\.isHopByHop)) == [
                .connection, .keepAlive, .proxyConnection, .te, .transferEncoding, .upgrade, .proxyAuthenticate,
                .proxyAuthorization,
            ])
    }
}
