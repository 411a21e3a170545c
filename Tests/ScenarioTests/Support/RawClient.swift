// A client that sends exactly the bytes it is told to.

/// One client connection to the proxy.
final class RawClient {
    let socket: Socket
    private let reader: MessageReader
    /// What its requests say that they are meant for.
    var host = "api.example.com"

    convenience init(port: UInt16, receiveBufferBytes: Int32? = nil) throws {
        self.init(try Socket.connect(port: port, receiveBufferBytes: receiveBufferBytes))
    }

    init(_ socket: Socket) {
        self.socket = socket
        reader = MessageReader(socket)
    }

    func send(_ text: String) throws { try socket.send(latin1Bytes(text)) }
    func send(_ bytes: [UInt8]) throws { try socket.send(bytes) }

    /// A GET with the token, or without one.
    func get(_ path: String = "/", token: String? = nil, fields: [String] = []) throws {
        try request("GET", path, token: token, fields: fields)
    }

    /// A request; a body gets a Content-Length.
    func request(
        _ method: String, _ path: String = "/", token: String? = nil, fields: [String] = [], body: String? = nil
    ) throws {
        var lines = ["\(method) \(path) HTTP/1.1", "Host: \(host)"]
        if let token { lines.append("Authorization: Bearer \(token)") }
        lines += fields
        if let body { lines.append("Content-Length: \(body.utf8.count)") }
        try send(lines.joined(separator: "\r\n") + "\r\n\r\n" + (body ?? ""))
    }

    /// The next response, 1xx ones included.
    func response(toHead: Bool = false) throws -> RawMessage {
        guard let response = try reader.response(toHead: toHead) else {
            throw ScenarioError("the proxy closed the connection without a response")
        }
        return response
    }

    /// The next response that is not a 1xx one.
    func finalResponse() throws -> RawMessage {
        while true {
            let response = try response()
            if response.status >= 200 { return response }
        }
    }

    /// Only a response's head; the body stays on the wire.
    func responseHead() throws -> RawMessage {
        guard let head = try reader.head() else {
            throw ScenarioError("the proxy closed the connection without a response")
        }
        return RawMessage(head: head, rawBody: [], body: [])
    }

    func bytes(_ count: Int) throws -> [UInt8] { try reader.bytes(count) }

    /// All that comes until the proxy closes.
    func rest() throws -> [UInt8] { try reader.rest() }

    /// The proxy closes, and sends nothing before it does.
    func isClosedByProxy() throws -> Bool { try reader.rest().isEmpty }

    func finishSending() { socket.finishSending() }
}
