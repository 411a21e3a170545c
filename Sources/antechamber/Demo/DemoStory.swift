// What the demo prints: three tokens, and a line to try each.

import Configuration
import Gateway

enum DemoStory {
    /// What to know of the issuer where it is alone.
    static func tell(of issuer: DemoIssuer) {
        Terminal.print(
            """
            issuer: listening on \(issuer.identifier)

            An ID token, of the client that logs in:
            curl -s \(issuer.identifier)oauth/token -d client_id=web-app
            An access token, for an API:
            curl -s \(issuer.identifier)oauth/token -d client_id=web-app -d audience=\(DemoConfiguration.audience)
            """)
    }

    static func tell(endpoint: Endpoint, issuer: DemoIssuer, backend: SampleBackend) {
        let url = "http://\(endpoint.fromHere)/orders"
        let good = issuer.accessToken(audience: DemoConfiguration.audience)
        let other = issuer.accessToken(audience: "https://billing.example.com")
        let identity = issuer.idToken()
        Terminal.print(
            """

            Antechamber stands at   http://\(endpoint.fromHere)
            in front of             http://127.0.0.1:\(backend.port)   a Node API that knows nothing of tokens
            and trusts tokens of    \(issuer.identifier)   for the audience \(DemoConfiguration.audience)

            1. An access token for this API: 200, and the backend is told who calls.

            curl -i -H 'Authorization: Bearer \(good)' http://\(endpoint.fromHere)/whoami

            2. An access token of the same issuer for another API: 401 wrong_audience.

            curl -i -H 'Authorization: Bearer \(other)' \(url)

            3. An ID token, which tells a client who logged in and opens no API: 401 wrong_audience, and why.

            curl -i -H 'Authorization: Bearer \(identity)' \(url)

            4. No token: 401 missing_token.

            curl -i \(url)

            More tokens: curl -s \(issuer.identifier)oauth/token -d client_id=cli -d audience=\(DemoConfiguration.audience)
            (without an audience the access token is opaque, as with Auth0). Ctrl-C ends all three.

            """)
    }
}
