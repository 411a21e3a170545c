// Responses that are nearly right, as `RequestMutation` makes requests; and what the origin does after it has sent one.

/// One exchange: what is asked, what the origin answers, and how it ends its connection.
struct ResponseCase {
    enum Ending {
        /// It waits for the next request.
        case keeps
        case closes
        case resets
    }

    var method: String
    /// The client's.
    var version: String
    var bytes: [UInt8]
    var ending: Ending
    /// Nothing was mutated: the proxy has no reason to refuse it.
    var isPlain: Bool
    /// Where the bytes are cut into pieces that are sent one by one. Bytes behind a response are not sent apart from
    /// it: a proxy that has passed the response on by then, and the next request too, cannot tell whose they are.
    var cuts: [Int]

    /// What the bytes and the ending come to.
    var reading: Result<(response: WireResponse, interim: Int), Misread> {
        var stream = StrictReading(bytes)
        return Result { () throws(Misread) in try stream.response(to: method, ended: ending == .closes) }
    }
}

private struct Draft {
    var interim: [String] = []
    var version = "HTTP/1.1"
    var afterVersion = " "
    var status = "200"
    var reason = " OK"
    var lineEnd = "\r\n"
    var fields: [String]
    var fieldEnd = "\r\n"
    var headEnd = "\r\n"
    var content = ""
    var stray = ""

    var text: String {
        interim.joined() + version + afterVersion + status + reason + lineEnd
            + fields.map { $0 + fieldEnd }.joined() + headEnd + content + stray
    }
}

/// Makes the cases of one run.
struct ResponseMutation {
    let seed: UInt64

    func exchange(_ index: Int) -> ResponseCase {
        var random = SeededGenerator(seed: seed, index: index)
        let method = random.pick(["GET", "GET", "GET", "HEAD", "DELETE", "OPTIONS"])
        var draft = draft(mark: index, to: method, using: &random)
        let mutations = random.pick([0, 1, 1, 1, 2, 3])
        for _ in 0..<mutations { random.pick(Self.mutations)(&draft, &random) }
        var bytes = latin1Bytes(draft.text)
        var isPlain = mutations == 0
        if random.happens(15), !bytes.isEmpty {
            isPlain = false
            let place = random.below(bytes.count)
            switch random.below(4) {
            case 0: bytes[place] = UInt8(random.below(256))
            case 1: bytes.remove(at: place)
            case 2: bytes.removeSubrange(place...)
            default: bytes.insert(random.pick([0, 9, 10, 11, 13, 32, 44, 58, 127, 160, 255]), at: place)
            }
        }
        var made = ResponseCase(
            method: method, version: random.happens(15) ? "HTTP/1.0" : "HTTP/1.1", bytes: bytes, ending: .keeps,
            isPlain: isPlain, cuts: [])
        // A response that is not whole by itself would be waited for.
        if case .failure = made.reading {
            made.ending = random.happens(15) ? .resets : .closes
        } else if random.happens(15) {
            made.ending = .closes
        }
        if draft.stray.isEmpty, isPlain, random.happens(30) {
            made.cuts = (0..<3).map { _ in random.below(bytes.count) }.sorted()
        }
        return made
    }

    /// A response as it should be. HEAD's has the fields of a GET's.
    private func draft(mark: Int, to method: String, using random: inout SeededGenerator) -> Draft {
        var draft = Draft(fields: ["X-Mark: \(mark)"])
        if random.happens(40) { draft.fields.append("Content-Type: text/plain") }
        if random.happens(30) { draft.fields.append("Date: Sun, 06 Nov 1994 08:49:37 GMT") }
        // What a reader finds who ends a body too early: an answer to the next request.
        let poison = "HTTP/1.1 200 OK\r\nX-Mark: poison\r\nContent-Length: 6\r\n\r\npoison"
        let body = random.pick(["body of \(mark)", poison, "", "0\r\n\r\n"])
        switch random.below(8) {
        case 0: draft.status = random.pick(["204", "304"])
        case 1: draft.content = body
        case 2, 3, 4:
            draft.fields.append("Content-Length: \(body.utf8.count)")
            draft.content = body
        default:
            draft.fields.append("Transfer-Encoding: chunked")
            for data in ["first of \(mark) ", body] where !data.isEmpty {
                draft.content += "\(String(data.utf8.count, radix: 16))\r\n\(data)\r\n"
            }
            draft.content += "0\r\n\r\n"
        }
        if method == "HEAD" { draft.content = "" }
        return draft
    }

    private typealias Mutation = @Sendable (inout Draft, inout SeededGenerator) -> Void

    private static let mutations: [Mutation] = [
        { $0.version = $1.pick(versions) },
        { draft, _ in draft.version = "HTTP/1.0" },
        { $0.status = $1.pick(statuses) },
        { $0.reason = $1.pick(["", " ", "  two", " caf\u{E9}", " a\u{0}b", " a\rb", "\t", " \t", "OK"]) },
        { $0.afterVersion = $1.pick(["  ", "\t", "", "\r\n"]) },
        { $0.lineEnd = $1.pick(lineEnds) },
        { $0.fieldEnd = $1.pick(lineEnds) },
        { $0.headEnd = $1.pick(lineEnds) },
        { $0.fields.insert($1.pick(fields), at: $1.below($0.fields.count + 1)) },
        { $0.fields.insert($1.pick(fields), at: $1.below($0.fields.count + 1)) },
        { $0.fields.insert($1.pick(framingFields), at: $1.below($0.fields.count + 1)) },
        { draft, random in
            draft.fields.removeAll { $0.hasPrefix("Content-Length") || $0.hasPrefix("Transfer-Encoding") }
            draft.fields.append(random.pick(framingFields))
        },
        { draft, random in
            draft.fields.removeAll { $0.hasPrefix("Content-Length") || $0.hasPrefix("Transfer-Encoding") }
        },
        { draft, random in
            // Somewhere in the content, most of which is chunk lines where there are chunks.
            var bytes = latin1Bytes(draft.content)
            bytes.insert(contentsOf: latin1Bytes(random.pick(chunkTexts)), at: random.below(bytes.count + 1))
            draft.content = latin1Text(bytes)
        },
        { draft, random in draft.content = draft.content.replacing("\r\n", with: random.pick(lineEnds)) },
        { draft, random in draft.content = latin1Text(latin1Bytes(draft.content).prefix(random.below(40))) },
        { draft, random in draft.content = draft.content.replacing("0\r\n\r\n", with: random.pick(lastChunks)) },
        { $0.stray = $1.pick(strays) },
        { $0.stray = $1.pick(strays) },
        { draft, random in
            let count = random.pick([1, 1, 2, 16, 17, 40])
            draft.interim = Array(repeating: random.pick(interims), count: count)
        },
        { draft, _ in draft.fields.append("Connection: close") },
    ]

    private static let versions = [
        "HTTP/1.0", "HTTP/1.2", "HTTP/2", "HTTP/2.0", "http/1.1", "HTTP/1.1x", "HTTP/01.1", "HTTP/0.9", "ICY", "",
        "\r\nHTTP/1.1",
    ]
    private static let statuses = [
        "200", "201", "204", "205", "206", "301", "304", "404", "500", "502", "599", "100", "101", "102", "103",
        "199", "20",
        "2000", "000", "099", "600", "999", "2x0", "+200", "-20", "", " 200", "200.1",
    ]
    private static let lineEnds = [
        "\r\n", "\n", "\r", "\r\r\n", "\n\r\n", "\r\n ", "\r\n\r\n", "", "\u{0}\r\n", "\t\r\n", "\n\n", "x\n",
        "xx",
    ]
    private static let fields = [
        "Connection: close", "Connection: keep-alive", "Connection: X-Mark", "Connection: close, X-Mark",
        "connection: CLOSE",
        "Connection: upgrade", "Connection: a b", "Keep-Alive: timeout=1", "Keep-Alive: timeout=0", "Upgrade: h2c",
        "Proxy-Connection: close", "Trailer: X-Late", "TE: trailers", "Set-Cookie: a=b", "Set-Cookie: c=\u{E9}",
        "X-Empty:",
        "X-Auth-Subject: from the backend", "X Y: z", ": z", "X-Bare", " X-Folded: a", "X-Fold: a\r\n b",
        "X-Nul: a\u{0}b",
        "X-CR: a\rb", "X\u{0}: y", "X-\u{E9}: y", "__proto__: x", "Date: now", "Server: origin", "Upgrade: websocket",
        "Proxy-Authenticate: Basic", "WWW-Authenticate: Bearer", "Content_Length: 3", "Transfer_Encoding: chunked",
    ]
    private static let framingFields = [
        "Content-Length: 0", "Content-Length: 3", "content-length: 3", "Content-Length: 03", "Content-Length: +3",
        "Content-Length: -1", "Content-Length: 3, 3", "Content-Length: 3,4", "Content-Length: 0x3", "Content-Length:",
        "Content-Length: 1000", "Content-Length: 18446744073709551616", "Content-Length: 3 ", "Content-Length : 3",
        "Content-Length: 3\u{B}", "Transfer-Encoding: chunked", "transfer-encoding: CHUNKED",
        "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: chunked, chunked", "Transfer-Encoding: identity", "Transfer-Encoding: gzip",
        "Transfer-Encoding: xchunked", "Transfer-Encoding:", "Transfer-Encoding : chunked",
        "Transfer-Encoding: \"chunked\"",
        "Transfer-Encoding: chunked;q=1", "Transfer-Encoding:\u{B}chunked", "Transfer-Encoding: chunked\u{0}",
    ]
    private static let chunkTexts = [
        ";", ";a=b", ";a=\"b\"", " ", "\t", "\n", "\r", "0x", "+", "-", "0", "g", "\r\n", "\u{0}", "f",
        "ffffffffffffffff", "_",
        "0\r\n\r\n", "3\r\nabc\r\n",
    ]
    private static let lastChunks = [
        "0\r\n", "0", "", "00\r\n\r\n", "0;a=b\r\n\r\n", "0\n\n", "0\r\nX-Late: y\r\n\r\n",
        "0\r\nContent-Length: 5\r\n\r\n",
        "0\r\nX Y: z\r\n\r\n", "0\r\n\r", "-0\r\n\r\n", "0 \r\n\r\n", "0\r\nXX", "0\r\nX-Auth-Subject: m\r\n\r\n",
    ]
    private static let strays = [
        "HTTP/1.1 200 OK\r\nX-Mark: poison\r\nContent-Length: 6\r\n\r\npoison", "\r\n", "x", "HTTP/1.1 ", "\u{0}",
        "HTTP/1.1 100 Continue\r\n\r\n", "0\r\n\r\n", "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n",
    ]
    private static let interims = [
        "HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", "HTTP/1.1 102 \r\n\r\n",
        "HTTP/1.1 103 Early Hints\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 100 Continue\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 100 Continue\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\n\r\n",
        "HTTP/1.1 199 x\r\n\r\n", "HTTP/1.0 100 Continue\r\n\r\n", "HTTP/1.1 100 Continue\n\n",
        "HTTP/1.1 102 Processing\r\nContent-Length: 0\r\n\r\n",
    ]
}
