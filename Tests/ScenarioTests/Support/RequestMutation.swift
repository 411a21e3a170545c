// Requests that are nearly right: built from parts, a few of which are then spelled as attackers spell them.
//
// One case is what one client sends over one connection: up to three requests, the later ones behind the first as
// smuggled ones would be. Every request names its case and its place in the target, so that none passes for another.

/// A request before it is put together: every part as text, one Latin-1 character a byte.
private struct Draft {
    struct Line {
        var name: String
        var separator = ": "
        var value: String
        var end = "\r\n"

        var text: String { name + separator + value + end }
    }

    struct Chunk {
        var size: String
        var sizeEnd = "\r\n"
        var data: String
        var dataEnd = "\r\n"

        var text: String { size + sizeEnd + data + dataEnd }
    }

    var leading = ""
    var method = "GET"
    var afterMethod = " "
    var target: String
    var afterTarget = " "
    var version = "HTTP/1.1"
    var lineEnd = "\r\n"
    var fields: [Line]
    var headEnd = "\r\n"
    var body = ""
    var chunks: [Chunk] = []
    var trailers: [Line] = []
    var end = ""

    var text: String {
        let head = leading + method + afterMethod + target + afterTarget + version + lineEnd
        let content = chunks.map(\.text).joined() + trailers.map(\.text).joined()
        return head + fields.map(\.text).joined() + headEnd + body + content + end
    }
}

/// Makes the cases of one run.
struct RequestMutation {
    let seed: UInt64
    /// What a good Authorization field says.
    let authorization: String

    /// Stands for that value until the mutations are done: so they hit what is around it, and are the same whatever
    /// the token.
    private static let placeholder = "\u{1A}"

    func bytes(ofCase index: Int) -> [UInt8] {
        let credentials = latin1Bytes(authorization)
        return template(ofCase: index).flatMap { $0 == 0x1A ? credentials : [$0] }
    }

    /// As it is shown to a reader.
    func text(ofCase index: Int) -> String {
        latin1Text(template(ofCase: index)).replacing(Self.placeholder, with: "{TOKEN}").debugDescription
    }

    private func template(ofCase index: Int) -> [UInt8] {
        var random = SeededGenerator(seed: seed, index: index)
        let count = random.pick([1, 2, 2, 3])
        var drafts = (0..<count).map { draft(mark: "\(index).\($0)", using: &random) }
        for _ in 0..<random.pick([0, 0, 1, 1, 1, 1, 2, 3]) {
            let place = random.below(count)
            random.pick(Self.mutations)(&drafts[place], &random)
        }
        var bytes = latin1Bytes(drafts.map(\.text).joined())
        if random.happens(10) {
            let place = random.below(bytes.count)
            switch random.below(3) {
            case 0: bytes[place] = UInt8(random.below(256))
            case 1: bytes.remove(at: place)
            default: bytes.insert(random.pick([0, 9, 10, 11, 13, 32, 44, 58, 127, 160, 255]), at: place)
            }
        }
        return bytes
    }

    /// In bytes, the token in its place.
    private func length(of text: String) -> Int {
        text.unicodeScalars.reduce(0) { $0 + ($1 == "\u{1A}" ? authorization.utf8.count : 1) }
    }

    /// Where the case's bytes are cut into pieces that are sent one by one: mostly nowhere.
    func cuts(ofCase index: Int, count: Int) -> [Int] {
        var random = SeededGenerator(seed: ~seed, index: index)
        guard random.happens(25) else { return [] }
        return (0..<random.pick([1, 1, 2, 4])).map { _ in random.below(count + 1) }.sorted()
    }

    /// A request as it should be.
    private func draft(mark: String, using random: inout SeededGenerator) -> Draft {
        var draft = Draft(target: "/\(mark)", fields: [Draft.Line(name: "Host", value: "api.example.com")])
        draft.method = random.pick(["GET", "GET", "HEAD", "POST", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
        if !random.happens(8) { draft.fields.append(Draft.Line(name: "Authorization", value: Self.placeholder)) }
        if random.happens(30) { draft.fields.append(Draft.Line(name: "Accept", value: "*/*")) }
        if random.happens(30) { draft.fields.append(Draft.Line(name: "X-Mark", value: mark)) }
        // Half of the bodies are requests themselves: whoever ends a body too early runs them.
        let smuggled =
            "GET /\(mark).smuggled HTTP/1.1\r\nHost: api.example.com\r\nAuthorization: \(Self.placeholder)\r\n\r\n"
        let content = random.pick(["hello", "0\r\n\r\n", smuggled, smuggled])
        switch random.below(3) {
        case 0:
            break
        case 1:
            draft.fields.append(Draft.Line(name: "Content-Length", value: "\(length(of: content))"))
            draft.body = content
        default:
            draft.fields.append(Draft.Line(name: "Transfer-Encoding", value: "chunked"))
            for data in random.happens(50) ? [content] : ["abc", content] {
                draft.chunks.append(Draft.Chunk(size: String(length(of: data), radix: 16), data: data))
            }
            draft.chunks.append(Draft.Chunk(size: "0", data: "", dataEnd: ""))
            if random.happens(20) { draft.trailers.append(Draft.Line(name: "X-Checksum", value: "9")) }
            draft.end = "\r\n"
        }
        return draft
    }

    // MARK: The mutations, as tables of spellings

    private typealias Mutation = @Sendable (inout Draft, inout SeededGenerator) -> Void

    private static let mutations: [Mutation] = [
        // A framing field of another spelling, in place of the one that is there or beside it.
        { $0.fields.insert(framingField(&$1), at: $1.below($0.fields.count + 1)) },
        { $0.fields.insert(framingField(&$1), at: $1.below($0.fields.count + 1)) },
        { draft, random in
            draft.fields.removeAll { ["Content-Length", "Transfer-Encoding"].contains($0.name) }
            draft.fields.append(framingField(&random))
        },
        { draft, random in
            guard let place = draft.fields.firstIndex(where: { $0.name == "Content-Length" }) else { return }
            draft.fields[place].value = random.pick(lengths(around: draft.fields[place].value))
        },
        // Line ends.
        { $0.lineEnd = $1.pick(lineEnds) },
        { $0.fields[$1.below($0.fields.count)].end = $1.pick(lineEnds) },
        { $0.headEnd = $1.pick(lineEnds) },
        // Chunks.
        { draft, random in
            guard !draft.chunks.isEmpty else { return }
            let place = random.below(draft.chunks.count)
            draft.chunks[place].size = random.pick(sizes(around: draft.chunks[place].size))
        },
        { draft, random in
            guard !draft.chunks.isEmpty else { return }
            let place = random.below(draft.chunks.count)
            draft.chunks[place].sizeEnd = random.pick(extensions) + random.pick(["\r\n", "\r\n", "\r\n"] + lineEnds)
        },
        { draft, random in
            guard !draft.chunks.isEmpty else { return }
            draft.chunks[random.below(draft.chunks.count)].dataEnd = random.pick(lineEnds)
        },
        { draft, random in
            guard !draft.chunks.isEmpty else { return }
            let field = random.pick(trailers)
            let end = random.pick(["\r\n", "\r\n"] + lineEnds)
            draft.trailers.append(Draft.Line(name: field.0, value: field.1, end: end))
        },
        { $0.end = $1.pick(lineEnds) },
        // The request line.
        { draft, random in draft.target = random.pick(targets).replacing("{}", with: draft.target.dropFirst()) },
        { draft, random in draft.target = random.pick(targets).replacing("{}", with: draft.target.dropFirst()) },
        { $0.method = $1.pick(methods) },
        { $0.version = $1.pick(versions) },
        { $0.leading = $1.pick(["\r\n", "\n", "\r", " ", "\r\n\r\n", "\t", "\u{0}", "\u{FF}", "0\r\n\r\n", "x"]) },
        { $0.afterMethod = $1.pick(["  ", "\t", "", "\u{0B}", "\u{A0}", " \t"]) },
        { $0.afterTarget = $1.pick(["  ", "\t", "", "\u{0B}", "\u{A0}", "?", " HTTP/1.1 "]) },
        // Fields.
        { draft, random in
            let field = random.pick(fields)
            draft.fields.insert(Draft.Line(name: field.0, value: field.1), at: random.below(draft.fields.count + 1))
        },
        { draft, random in
            let field = random.pick(fields)
            draft.fields.insert(Draft.Line(name: field.0, value: field.1), at: random.below(draft.fields.count + 1))
        },
        { $0.fields.insert($0.fields[$1.below($0.fields.count)], at: $1.below($0.fields.count + 1)) },
        { if $0.fields.count > 1 { $0.fields.remove(at: $1.below($0.fields.count)) } },
        { draft, random in
            let separator = random.pick([":", ":  ", ":\t", " : ", "\t: ", ": \u{0B}", " ", "", "::"])
            draft.fields[random.below(draft.fields.count)].separator = separator
        },
        { draft, random in
            let place = random.below(draft.fields.count)
            draft.fields[place].name += random.pick(["\u{0}", "_", " ", "\u{A0}", "\u{E9}", "(", "\"", "\r", "!", "~"])
        },
        { draft, random in
            let place = random.below(draft.fields.count)
            draft.fields[place].value += random.pick([
                " ", "\t", "\t x", "\u{0}", "\u{1}", "\u{7F}", "\u{80}", "\u{FF}", "\rX: y", "\nX: y", ",", "\"", ", a",
            ])
        },
    ]

    private static func framingField(_ random: inout SeededGenerator) -> Draft.Line {
        random.happens(50)
            ? Draft.Line(name: random.pick(spellings(of: "Content-Length")), value: random.pick(lengths(around: "5")))
            : Draft.Line(name: random.pick(spellings(of: "Transfer-Encoding")), value: random.pick(codings))
    }

    private static func spellings(of name: String) -> [String] {
        [
            name, name, name, name.lowercased(), name.uppercased(), name.replacing("-", with: "_"),
            name.replacing("-", with: " "), name.replacing("-", with: ""), name + " ", name + "\t", " " + name,
            "X-" + name, name + "s", name + "\u{0}", name + "\u{A0}", name + "\r", "\n" + name, "X: y\n" + name,
        ]
    }

    private static func lengths(around length: String) -> [String] {
        [
            length, "0" + length, "+" + length, "-" + length, length + " ", "\t" + length, length + "," + length,
            length + ", " + length, "0x" + length, length + ".0", length + "e0", "", "\"\(length)\"", length + ";a",
            "\u{0B}" + length, length + "\u{A0}", "1_0", "0", "1", "4", "6", "18446744073709551615",
            "18446744073709551616", "18446744073709551621", "-0", "\u{B2}",
        ]
    }

    private static let codings = [
        "chunked", "chunked", "Chunked", "CHUNKED", "chunked, chunked", "gzip, chunked", "chunked, gzip", "gzip",
        "identity", "identity, chunked", "xchunked", "chunked;q=1", "\tchunked", "chunked\t", "\u{0B}chunked",
        "chunked\u{0C}", "\u{A0}chunked", "chunked\u{FF}", "chun\u{0}ked", "\"chunked\"", "", ",chunked", "chunked,",
        "chunked chunked", "'chunked'", "chu\rnked", "c\u{0}", "trailers",
    ]

    private static let lineEnds = [
        "\n", "\r", "\r\r\n", "\n\r\n", "\n\r", "\r\n\n", "\r\n ", "\r\n\t", "\r\n\r\n", "\u{0B}", "\u{0}\r\n",
        " \r\n", "",
        "\u{85}", "\r\n\r", "\n\n", "x\n", "\t\n", "xx",
    ]

    private static func sizes(around size: String) -> [String] {
        [
            "0" + size, "000000000000000" + size, "0x" + size, "+" + size, "-" + size, " " + size, size + " ",
            size + "\t", "\t" + size, size.uppercased(), size + "0", "1" + size, "", "0", "1", "00", "0_0", "-0",
            "ffffffffffffffff",
            "10000000000000000", "\u{0}" + size, size + "\u{A0}", size + "g", "\r\n" + size, size + ".",
        ]
    }

    private static let extensions = [
        ";", ";a", ";a=b", ";a=\"b\"", ";a=\"\r\n\"", ";a=\"\\\"\"", ";a;b=c", ";a=", ";=b", "; a=b", " ;a=b",
        ";a\u{0}",
        ";a\rb", ";a\nb", ";a=b\u{E9}", ";a=\"\u{E9}\"", ";;", ";a=\"b", ";0\r\n\r\n",
    ]

    private static let trailers = [
        ("X-Auth-Subject", "mallory"), ("Content-Length", "5"), ("Transfer-Encoding", "chunked"), ("Host", "evil"),
        ("Authorization", "Bearer mallory"), ("X-Late", "value"), ("x_auth_subject", "mallory"), ("Connection",
        "close"),
        ("Content_Length", "5"), ("X Y", "z"), ("", "z"), ("X-Late", "a\u{0}b"), ("__proto__", "x"), ("Cookie", "a=b"),
        ("Expect", "100-continue"), ("Trailer", "X-Late"), ("X-Forwarded-For", "6.6.6.6"), ("Set-Cookie", "a=b"),
    ]

    private static let targets = [
        "*", "//{}", "/./{}", "/../{}", "/%2e%2e/{}", "/{}%2fx", "/{}%5cx", "/{};a=b", "/{};/../x", "/{}//",
        "/{}?a=b?c",
        "/{}?a=/../b", "/{}#f", "/{}?#f", "/{}\\x", "/{}%00", "/{}%0d%0aX:%20y", "/{}%zz", "/{}%", "/{}%4", "/{}%u0041",
        "/{}\u{E9}", "/{}\u{0}", "/{}\u{7F}", "/{}\"", "/{}<>", "/{}|^`{}", "/{}'", "{}", "?{}", "",
        "http://api.example.com/{}", "http://api.example.com?{}", "http://api.example.com", "HTTP://API.EXAMPLE.COM/{}",
        "https://api.example.com/{}", "http://other.example.com/{}", "http://user@api.example.com/{}",
        "http://api.example.com:80/{}", "http:///{}", "http:/{}", "ftp://api.example.com/{}", "api.example.com:80",
        "api.example.com", "http://api.example.com#{}", "http://[::1]/{}", "/{}?\u{80}", "/{}%C3%A9", "/{}:8080",
        "/http://api.example.com/{}",
    ]

    private static let methods = [
        "GET", "get", "Get", "HEAD", "POST", "OPTIONS", "CONNECT", "TRACE", "PRI", "FOO", "M-SEARCH", "PURGE",
        "PROPFIND",
        "LINK", "SOURCE", "DESCRIBE", "G\u{0}T", "GE T", "G(T", "", "\u{C9}T", "GET\t", "POST/", "Q*", "_", "QUERY",
    ]

    private static let versions = [
        "HTTP/1.0", "HTTP/1.0", "HTTP/1.0", "http/1.1", "HTTP/1.2", "HTTP/1.32", "HTTP/01.1", "HTTP/2.0", "HTTP/2",
        "HTTP/0.9", "HTTP/1,1", "HTTP/1.1 ", "HTTP/1.1\u{0}", "HTTP/ 1.1", "HTTP /1.1", "HTP/1.1", "ICE/1.0",
        "RTSP/1.0",
        "", "HTTP/1.", "HTTP/1.1x", "HTTP/1.\u{B9}",
    ]

    private static let fields = [
        ("X-Auth-Subject", "mallory"), ("x_auth_subject", "mallory"), ("X.Auth.Status", "mallory"), ("XAuthScope",
        "mallory"),
        ("X-Forwarded-For", "6.6.6.6"), ("X_Forwarded_Host", "mallory"), ("Forwarded", "for=mallory"),
        ("X-Request-Id", "mallory"), ("traceparent", "mallory"), ("Connection", "close"), ("Connection", "keep-alive"),
        ("Connection", "X-Mark"), ("Connection", "close, X-Auth-Subject, Content-Length"), ("Connection",
        "Host, X-Mark"),
        ("Connection", "Transfer-Encoding"), ("Connection", "a b"), ("Connection", "upgrade, keep-alive"),
        ("Connection", "Authorization"), ("Upgrade", "h2c"), ("Upgrade", "websocket"), ("HTTP2-Settings", "AAMAAABk"),
        ("Keep-Alive", "timeout=5"), ("Proxy-Connection", "close"), ("TE", "trailers, deflate"), ("Trailer", "X-Late"),
        ("Proxy-Authorization", "Basic eA=="), ("Expect", "100-continue"), ("Expect", "100-Continue"), ("Expect",
        "200-ok"),
        ("Host", "api.example.com"), ("Host", "evil.example.com"), ("host", ""), ("Host ", "evil.example.com"),
        ("Authorization", "Bearer x.y.z"), ("Cookie", "a=b"), ("Cookie", "a=b; c=\"d\""), ("Set-Cookie", "a=b"),
        ("__proto__", "x"), ("constructor", "x"), ("X-Empty", ""), ("X-High", "\u{E9}\u{FF}"), ("X-List", "a,b, ,c"),
        ("Accept", "text/plain"), ("Content-Type", "application/json"), ("X-HTTP-Method-Override", "DELETE"),
        ("X-Original-URL", "/admin"), ("Range", "bytes=0-1"), ("!#$%&'*+-.^_`|~", "every token character"),
        ("X-Long", String(repeating: "v", count: 300)), ("Content-Encoding", "gzip"), ("Max-Forwards", "0"),
        ("\u{0}", "x"), ("X\u{0}Y", "x"), ("X-Y\u{A0}", "x"), ("", "x"), ("X-Folded", "a\r\n b"), ("X-Bare",
        "a\nX-Auth-Subject: mallory"),
    ]
}
