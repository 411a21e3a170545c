// The metadata document of RFC 9728, and who gets it.

import Admission
import Bytes
import HTTPWire
import Testing

@Suite struct ResourceMetadataTests {
    static func policy(_ resource: String, _ change: (inout AdmissionPolicy) -> Void = { _ in }) throws -> AdmissionPolicy {
        var policy = AdmissionPolicy(
            issuers: [Fixture.policy(), Fixture.policy { $0.identifier = "accounts.example" }],
            resource: ProtectedResource(identifier: resource, url: try HTTPURL(parsing: resource)))
        change(&policy)
        return policy
    }

    static func response(
        _ metadata: ResourceMetadata, _ answer: PublicDocument.Answer = .document, omitBody: Bool = false
    ) -> String {
        let out = ByteBuffer(capacity: 16)
        metadata.document.writeResponse(
            answer, into: out, at: Fixture.instant(), requestID: Array("4bf92f35".utf8).span, omitBody: omitBody, close: false)
        return out.text
    }

    static func answer(_ metadata: ResourceMetadata, _ request: String) -> PublicDocument.Answer? {
        let bytes = Array((request + " HTTP/1.1\r\nHost: a\r\nOrigin: https://b\r\n\r\n").utf8)
        return metadata.document.answer(to: Fixture.parse(bytes), in: bytes.span)
    }

    @Test func `The document is this, to the byte`() throws {
        let metadata = try #require(
            ResourceMetadata(
                Self.policy("https://api.example.com") {
                    $0.tokenSources = [.authorization, .query("t"), .cookie("c")]
                    $0.rules = [["read", "write"], ["read"]].map { AccessRules(requirements: Requirements(scopes: $0)) }
                }))
        let body = """
            {"resource":"https://api.example.com","authorization_servers":["https://issuer.example/"],\
            "scopes_supported":["read","write"],"bearer_methods_supported":["header","query"]}

            """
        let head = """
            HTTP/1.1 200 OK\r
            Date: Fri, 15 Jan 2027 08:00:00 GMT\r
            Access-Control-Allow-Origin: *\r
            X-Request-Id: 4bf92f35\r
            Cache-Control: public, max-age=3600\r
            Content-Type: application/json\r
            Content-Length: \(body.utf8.count)\r
            \r

            """
        #expect(Self.response(metadata) == head + body)
        #expect(Self.response(metadata, omitBody: true) == head)
    }

    @Test func `What is not known is left out, and places that RFC 6750 has no name for are none`() throws {
        let metadata = try #require(
            ResourceMetadata(
                Self.policy("http://127.0.0.1:8080") {
                    $0.issuers.removeFirst()
                    $0.tokenSources = [.cookie("c"), .webSocketProtocol]
                }))
        #expect(
            Self.response(metadata).hasSuffix(
                "\r\n\r\n{\"resource\":\"http://127.0.0.1:8080\",\"bearer_methods_supported\":[]}\n"))
        #expect(ResourceMetadata(AdmissionPolicy(issuers: [])) == nil)
    }

    @Test(arguments: [
        ("https://api.example", "https://api.example/.well-known/oauth-protected-resource"),
        ("https://api.example/", "https://api.example/.well-known/oauth-protected-resource"),
        ("https://API.example:443/v1", "https://api.example/.well-known/oauth-protected-resource/v1"),
        ("https://api.example:8443/v1/", "https://api.example:8443/.well-known/oauth-protected-resource/v1/"),
    ])
    func `The well-known part goes in front of the path, and every refusal that challenges names the place`(
        resource: String, location: String
    ) throws {
        let metadata = try #require(ResourceMetadata(Self.policy(resource)))
        let path = "/" + location.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: true)[2]
        for place in [path, "/.well-known/oauth-protected-resource", path + "?x=1"] {
            #expect(Self.answer(metadata, "GET \(place)") == .document, "\(place)")
        }
        for code in RefusalCode.allCases {
            let out = ByteBuffer(capacity: 16)
            Refusal(code).writeResponse(
                into: out, at: Fixture.instant(), requestID: Array("id".utf8).span, realm: "api", metadata: metadata,
                plainText: false, omitBody: true, close: false)
            let challenge = out.text.split(separator: "\r\n").first { $0.hasPrefix("WWW-Authenticate: ") }
            #expect((challenge != nil) == ([401, 403].contains(code.status) || [.multipleTokens, .malformedAuthorization].contains(code)))
            if let challenge { #expect(challenge.hasSuffix(", resource_metadata=\"\(location)\"")) }
        }
    }

    @Test func `Only who gets it there gets it, all else goes the way of every request`() throws {
        let metadata = try #require(ResourceMetadata(Self.policy("https://api.example/v1")))
        let place = "/.well-known/oauth-protected-resource"
        #expect(Self.answer(metadata, "HEAD \(place)/v1") == .document)
        for other in [
            "POST \(place)", "DELETE \(place)", "OPTIONS \(place)", "GET \(place)/", "GET \(place)/v1/", "GET \(place)/v2",
            "GET /x\(place)", "GET /%2ewell-known/oauth-protected-resource", "GET /v1\(place)", "GET /", "GET //\(place)",
            "GET /.well-known/../\(place)", "GET /.WELL-KNOWN/oauth-protected-resource", "GET /?\(place)",
        ] {
            #expect(Self.answer(metadata, other) == nil, "\(other)")
        }
        let preflight = Array(
            "OPTIONS \(place) HTTP/1.1\r\nHost: a\r\nOrigin: https://b\r\nAccess-Control-Request-Method: GET\r\n\r\n".utf8)
        #expect(metadata.document.answer(to: Fixture.parse(preflight), in: preflight.span) == .preflight)
        let response = Self.response(metadata, .preflight)
        #expect(response.hasPrefix("HTTP/1.1 204 No Content\r\n"))
        #expect(response.contains("\r\nAccess-Control-Allow-Origin: *\r\n"))
        #expect(response.contains("\r\nAccess-Control-Allow-Methods: GET, HEAD\r\n"))
        #expect(!response.contains("Content-Length"))
    }
}
