// The kinds of requests whose costs are recorded. Each is a step away from the first, so that the difference is what
// that step costs.

import JOSE
import JOSEFixtures

struct Case {
    enum AccessLog: String {
        case off
        case json = "/dev/null json"
    }

    let name: String
    /// The requests, sent in turn.
    var requests: [String]
    /// What they end with, as the backend gets them.
    var requestEnd = "\r\n\r\n"
    var response = Case.small
    var responseStart = "HTTP/1.1 200 OK\r\n"
    var responseEnd = "\"ok\":true}"
    /// Lines of the configuration beside those that all have.
    var directives = ""
    var accessLog = AccessLog.off
    /// Between a request and the next. The log is written by another thread, and whether that is still at it makes a
    /// difference to what handing over costs.
    var pauseMicroseconds: Int32 = 0

    private static let small = """
        HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n{"ok":true}
        """

    /// A client of few words; `fields` are lines with their ends.
    private static func request(
        _ line: String = "GET /api/v1/items/42?page=1", token: String?, _ fields: String = "", body: String = ""
    ) -> String {
        let authorization = token.map { "Authorization: Bearer \($0)\r\n" } ?? ""
        return "\(line) HTTP/1.1\r\nHost: api.example.com\r\n\(authorization)\(fields)\r\n\(body)"
    }

    /// What a browser sends beside that.
    private static let browserFields = """
        User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r
        Accept: application/json, text/plain, */*\r
        Accept-Language: en-GB,en;q=0.7,de;q=0.3\r
        Accept-Encoding: gzip, deflate, br, zstd\r
        Referer: https://app.example.com/items?sort=name\r
        Origin: https://app.example.com\r
        Connection: keep-alive\r
        Sec-Fetch-Dest: empty\r
        Sec-Fetch-Mode: cors\r
        Sec-Fetch-Site: same-site\r
        Pragma: no-cache\r
        Cache-Control: no-cache\r\n
        """

    static func all() throws -> [Case] {
        // PKCS #1 signatures of one key and one text are the same bytes each time; those of ECDSA are not, so that
        // ready-made ones serve.
        let signer = try TokenSigner(pem: Array(IndependentTokens.rsaPEM.utf8).span)
        let rs256 = try ["alice", "bobby"].map { subject in
            try signer.sign(
                claims: """
                    {"iss":"https://issuer.example/","aud":"https://api.example.com","sub":"auth0|\(subject)",\
                    "azp":"dashboard","iat":1750000000,"exp":4102444800,\
                    "scope":"openid profile items:read items:write","jti":"0b9fd6f0-3c5b-4c8e-9d2e-\(subject)"}
                    """)
        }
        let es256 = IndependentTokens.genuine.filter { $0.algorithm == "ES256" }.map(\.token)
        let token = rs256[0]
        let body = #"{"name":"a thing","colour":"green","count":12,"tags":["new","sale"],"ok":true}"#
        let page = String(repeating: "0123456789abcde\n", count: 4096)

        return [
            Case(name: "remembered", requests: [request(token: token)]),
            Case(name: "browser", requests: [request(token: token, browserFields)]),
            Case(
                name: "unremembered-rs256", requests: rs256.map { request(token: $0) }, directives: "token_cache 0;"),
            Case(
                name: "unremembered-es256", requests: es256.map { request(token: $0) }, directives: "token_cache 0;"),
            Case(
                name: "refused", requests: [request(token: nil)], responseStart: "HTTP/1.1 401 Unauthorized\r\n",
                responseEnd: "}\n"),
            Case(
                name: "post",
                requests: [
                    request(
                        "POST /api/v1/items", token: token,
                        "Content-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n", body: body)
                ],
                requestEnd: body),
            Case(
                name: "chunked", requests: [request(token: token)],
                response: """
                    HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n\
                    6\r\n{"ok":\r\n5\r\ntrue}\r\n0\r\n\r\n
                    """,
                responseEnd: "\r\n0\r\n\r\n"),
            Case(
                name: "64-KiB", requests: [request(token: token)],
                response: """
                    HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: \(page.utf8.count)\r\n\r\n\
                    \(page.dropLast(8))the end\n
                    """,
                responseEnd: "the end\n"),
            Case(
                name: "limited", requests: [request(token: token)],
                directives: "limit_requests subject rate=1000000r/s burst=1000000;"),
            Case(name: "access-log", requests: [request(token: token)], accessLog: .json, pauseMicroseconds: 500),
        ]
    }
}
