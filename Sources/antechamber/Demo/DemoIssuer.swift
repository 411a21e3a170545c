// An OpenID provider small enough to read: discovery, keys, and a token endpoint.
//
// For the demo alone: it gives tokens to whoever asks, on loopback, with a key that is gone when it ends.

import ArgumentParser
import Bytes
import Glibc
import JOSE
import Reactor

final class DemoIssuer {
    /// `iss`, with the slash at its end that Auth0's have too.
    let identifier: String
    private let signer: TokenSigner
    private let server: DemoServer

    private static let subject = "auth0|alice"
    private static let webClient = "web-app"
    private static let lifetimeSeconds: Int64 = 8 * 3600

    init() throws {
        do {
            signer = try TokenSigner(generating: .rs256, keyID: "demo-1")
            server = try DemoServer()
        } catch {
            Terminal.printError("demo: the issuer does not start: \(error)")
            throw ExitCode.no
        }
        identifier = "http://127.0.0.1:\(server.port)/"
        let issuer = (identifier: identifier, signer: signer)
        server.start { request in DemoIssuer.answer(request, identifier: issuer.identifier, signer: issuer.signer) }
    }

    func stop() {
        server.stop()
    }

    func accessToken(audience: String) -> String {
        Self.accessToken(audience: audience, client: Self.webClient, identifier, signer)
    }

    func idToken() -> String {
        Self.idToken(client: Self.webClient, identifier, signer)
    }

    // MARK: Answers

    private static func answer(_ request: DemoServer.Request, identifier: String, signer: TokenSigner) -> DemoServer.Answer {
        switch (request.method, request.path) {
        case ("GET", "/.well-known/openid-configuration"):
            return .json(200, metadata(identifier))
        case ("GET", "/.well-known/jwks.json"):
            return .json(200, signer.keySet)
        case ("POST", "/oauth/token"):
            return token(request.form, identifier, signer)
        default:
            return .json(404, object { $0.member("error", "not_found") })
        }
    }

    private static func metadata(_ identifier: String) -> String {
        object { writer in
            writer.member("issuer", identifier)
            writer.member("jwks_uri", identifier + ".well-known/jwks.json")
            writer.member("token_endpoint", identifier + "oauth/token")
            for (name, value) in [
                ("response_types_supported", "token"), ("subject_types_supported", "public"),
                ("id_token_signing_alg_values_supported", "RS256"),
            ] {
                writer.name(name)
                writer.beginArray()
                writer.string(value)
                writer.endArray()
            }
        }
    }

    private static func token(_ form: [String: String], _ identifier: String, _ signer: TokenSigner) -> DemoServer.Answer {
        guard let client = form["client_id"], !client.isEmpty else {
            return .json(
                400,
                object {
                    $0.member("error", "invalid_request")
                    $0.member("error_description", "client_id is missing")
                })
        }
        return .json(
            200,
            object { writer in
                if let audience = form["audience"], !audience.isEmpty {
                    writer.member("access_token", accessToken(audience: audience, client: client, identifier, signer))
                } else {
                    // Nobody but the issuer can read such a token: it is for the issuer's own userinfo endpoint.
                    writer.member("access_token", "opaque-\(UInt64.random(in: .min ... .max))")
                }
                writer.member("id_token", idToken(client: client, identifier, signer))
                writer.member("token_type", "Bearer")
                writer.name("expires_in")
                writer.integer(lifetimeSeconds)
            })
    }

    private static func accessToken(
        audience: String, client: String, _ identifier: String, _ signer: TokenSigner
    ) -> String {
        sign(signer, type: "at+jwt") { writer in
            writer.member("iss", identifier)
            writer.member("sub", subject)
            writer.name("aud")
            writer.beginArray()
            writer.string(audience)
            writer.string(identifier + "userinfo")
            writer.endArray()
            writer.member("azp", client)
            writer.member("scope", "openid profile read:orders")
        }
    }

    private static func idToken(client: String, _ identifier: String, _ signer: TokenSigner) -> String {
        sign(signer, type: "JWT") { writer in
            writer.member("iss", identifier)
            writer.member("sub", subject)
            writer.member("aud", client)
            writer.member("name", "Alice")
            writer.member("email", "alice@example.com")
            writer.member("nonce", "n-0S6_WzA2Mj")
        }
    }

    private static func sign(_ signer: TokenSigner, type: String, _ claims: (inout JSONWriter) -> Void) -> String {
        let now = Clock.wallNanoseconds() / 1_000_000_000
        let text = object { writer in
            claims(&writer)
            writer.name("iat")
            writer.integer(now)
            writer.name("exp")
            writer.integer(now + lifetimeSeconds)
        }
        do {
            return try signer.sign(claims: text, type: type)
        } catch {
            preconditionFailure("our own key does not sign: \(error)")
        }
    }

    private static func object(_ members: (inout JSONWriter) -> Void) -> String {
        let buffer = ByteBuffer(capacity: 512)
        var writer = JSONWriter(into: buffer)
        writer.beginObject()
        members(&writer)
        writer.endObject()
        return buffer.readable.text()
    }
}
