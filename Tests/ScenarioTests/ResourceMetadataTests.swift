// A client that was refused finds out whose tokens the API takes.

import Foundation
import Testing

@Suite("Resource metadata", .scenario)
struct ResourceMetadataTests {
    private struct Document: Decodable {
        var resource: String
        var authorization_servers: [String]
        var bearer_methods_supported: [String]
    }

    @Test("A refusal leads to the metadata, which need no token, and nothing of it all goes upstream")
    func discovery() throws {
        try Scene.play(main: "resource \(Scene.audience);") { scene throws in
            let refused = try scene.get("/orders")
            #expect(refused.status == 401)
            let challenge = try #require(refused["WWW-Authenticate"])
            let place = "/.well-known/oauth-protected-resource"
            #expect(challenge.hasSuffix(", resource_metadata=\"\(Scene.audience)\(place)\""), "\(challenge)")
            let client = try scene.client()
            for _ in 0..<2 {
                try client.get(place, fields: ["Accept: application/json"])
                let response = try client.response()
                #expect(response.status == 200)
                #expect(response["Access-Control-Allow-Origin"] == "*")
                #expect(response["Content-Type"] == "application/json")
                let document = try JSONDecoder().decode(Document.self, from: Data(response.body))
                #expect(document.resource == Scene.audience)
                #expect(document.authorization_servers == [scene.issuer.identifier])
                #expect(document.bearer_methods_supported == ["header"])
            }
            try client.request("HEAD", place)
            #expect(try client.response(toHead: true).status == 200)
            try client.request("OPTIONS", place, fields: ["Origin: https://b.example", "Access-Control-Request-Method: GET"])
            #expect(try client.response().status == 204)
            try client.request("POST", place, body: "{}")
            #expect(try client.response().status == 401)
            try scene.expectNothingMoreUpstream()
        }
    }

    @Test("Without a resource there are no metadata, and the place is one like any")
    func none() throws {
        try Scene.play { scene throws in
            let response = try scene.get("/.well-known/oauth-protected-resource")
            #expect(response.status == 401)
            #expect(response["WWW-Authenticate"]?.contains("resource_metadata") == false)
            try scene.get("/.well-known/oauth-protected-resource", token: scene.token(), expecting: 200)
            #expect(scene.origin.requestLines == ["GET /.well-known/oauth-protected-resource HTTP/1.1"])
        }
    }
}
