// Finding a request's one token where the policy looks for it, and leaving it out of what goes upstream.
//
// Cookies, parameters and subprotocols that are a token's are left out of every request, whatever is decided of it, by the
// same walk that finds them: what one of the two overlooks, the other does too. Where backends differ on where a piece
// begins or what its name is, it is read in all of the ways, so that none of them sees a token that was not counted here.

internal import Bytes
public import HTTPWire

/// The policy's token sources, compiled for comparison. A class, as it is handed on several times for each request.
public final class TokenPlaces: Sendable {
    /// The word before the token among subprotocols, and what is answered to those who offered nothing else.
    static let protocolMark: StaticString = "bearer"

    private let takesAuthorization: Bool
    /// Folded, as backends fold them.
    private let headers: [[UInt8]]
    private let cookies: [[UInt8]]
    /// Decoded.
    private let parameters: [[UInt8]]
    private let takesProtocol: Bool
    private let isAuthorizationAlone: Bool
    private let missing: Refusal

    public init(_ sources: [TokenSource]) {
        takesAuthorization = sources.contains(.authorization)
        headers = sources.compactMap { if case .header(let name) = $0 { HeaderHygiene.fold(name) } else { nil } }
        cookies = sources.compactMap { if case .cookie(let name) = $0 { Array(name.utf8) } else { nil } }
        parameters = sources.compactMap { if case .query(let name) = $0 { Array(name.utf8) } else { nil } }
        takesProtocol = sources.contains(.webSocketProtocol)
        isAuthorizationAlone = sources == [.authorization]
        missing = Refusal(
            .missingToken, "The request has no token in any of the places that this API takes one from.",
            hint: "Send the access token \(sources.map(\.advice).joined(separator: ", or ")).")
    }

    /// A token's place in the bytes of the head.
    struct Located {
        var range: ByteRange
        /// It stands in Authorization, whose grammar it has to follow too.
        var isCredentials = false
    }

    /// Where the one token stands. Its characters are not checked yet. An empty cookie, parameter or header is none:
    /// that is how they are cleared.
    func locate(_ head: borrowing RequestHead, in bytes: Span<UInt8>) throws(Refusal) -> Located {
        if isAuthorizationAlone { return Located(range: try BearerToken.locate(head, in: bytes), isCredentials: true) }
        var found: Located?
        var absence = missing
        if takesAuthorization, head.kinds.contains(.authorization) {
            do throws(Refusal) {
                found = Located(range: try BearerToken.locate(head, in: bytes), isCredentials: true)
            } catch {
                if error.code != .missingToken { throw error }
                absence = error
            }
        }
        for index in head.fields.indices {
            let field = head.fields[index]
            if field.kind == .other {
                guard isHeader(bytes.slice(field.name)) else { continue }
                try Self.add(Self.bareToken(field.value, in: bytes), to: &found)
            } else if let carrier = carrier(of: field.kind) {
                try addTokens(of: carrier, field.value, in: bytes, to: &found)
            }
        }
        if !parameters.isEmpty, let query = head.query { try addTokens(of: .query, query, in: bytes, to: &found) }
        guard let found else { throw absence }
        return found
    }

    private func addTokens(
        of carrier: Carrier, _ range: ByteRange, in bytes: Span<UInt8>, to found: inout Located?
    ) throws(Refusal) {
        let value = bytes.slice(range)
        var walk = Walk(carrier)
        while let piece = walk.next(in: value, of: self) {
            guard case .token(let token) = piece.role else { continue }
            try Self.add(
                ByteRange(offset: range.lowerBound + token.lowerBound, count: Int(token.count)), to: &found)
        }
    }

    private static func add(_ range: ByteRange, to found: inout Located?) throws(Refusal) {
        if range.isEmpty { return }
        if found != nil { throw multiple }
        found = Located(range: range)
    }

    /// The value without a scheme in front, which the gateways that put tokens into fields of their own write or not.
    private static func bareToken(_ value: ByteRange, in bytes: Span<UInt8>) -> ByteRange {
        let text = bytes.slice(value)
        guard text.count > 7, text.extracting(first: 7).equalsIgnoringCase("bearer ") else { return value }
        var start = 7
        while start < text.count, text[start] == ASCII.space { start &+= 1 }
        return ByteRange(value.lowerBound + start..<value.upperBound)
    }

    /// Whether a field of that name may hold the token.
    func isHeader(_ name: Span<UInt8>) -> Bool {
        for index in headers.indices {
            let folded = headers[index]
            if HeaderHygiene.folds(name, into: folded.span) { return true }
        }
        return false
    }

    private static let multiple = Refusal(
        .multipleTokens, "The request carries more than one token, or one token more than once.",
        hint: "Send exactly one, in one place; look for an old cookie or parameter beside a new Authorization header.")
}

// MARK: What goes upstream

extension TokenPlaces {
    /// Whether a parameter of the query is a token's: what answers such a request is for nobody else's cache
    /// (RFC 6750 §2.3).
    public func takesParameter(of head: borrowing RequestHead, in bytes: Span<UInt8>) -> Bool {
        guard !parameters.isEmpty, let query = head.query else { return false }
        return rest(.query, of: bytes.slice(query)).isShorter
    }

    /// Whether subprotocols are a token's, so that a backend which chooses none of the others leaves us to answer.
    public func takesProtocol(of head: borrowing RequestHead, in bytes: Span<UInt8>) -> Bool {
        guard takesProtocol, head.kinds.contains(.secWebSocketProtocol) else { return false }
        for index in head.fields.indices where head.fields[index].kind == .secWebSocketProtocol {
            if rest(.webSocketProtocol, of: bytes.slice(head.fields[index].value)).isShorter { return true }
        }
        return false
    }

    /// Appends the request-target (RFC 9112 §3.2.1) without the parameters that are a token's.
    func appendTarget(_ head: borrowing RequestHead, from bytes: Span<UInt8>, to out: ByteBuffer) {
        guard !parameters.isEmpty, let query = head.query else { return out.appendTarget(head, from: bytes) }
        out.appendTargetPath(head, from: bytes)
        let value = bytes.slice(query)
        let rest = rest(.query, of: value)
        if rest.isShorter && rest.isEmpty { return }
        out.append(UInt8(ascii: "?"))
        appendRest(.query, of: value, to: out)
    }

    /// Appends a field's line, without what in its value is a token's; nothing where nothing is left of it.
    func appendFieldLine(_ field: Field, from bytes: Span<UInt8>, to out: ByteBuffer) {
        let value = bytes.slice(field.value)
        guard let carrier = carrier(of: field.kind) else { return out.appendFieldLine(bytes.slice(field.name), value) }
        let rest = rest(carrier, of: value)
        if rest.isShorter && rest.isEmpty { return }
        out.append(bytes.slice(field.name))
        out.append(": ")
        appendRest(carrier, of: value, to: out)
        out.appendLineEnd()
    }

    private func appendRest(_ carrier: Carrier, of value: Span<UInt8>, to out: ByteBuffer) {
        var walk = Walk(carrier)
        var isFirst = true
        while let piece = walk.next(in: value, of: self) {
            guard case .other = piece.role else { continue }
            var text = value.slice(piece.range)
            if isFirst {
                // White space that followed a separator which is gone.
                while piece.range.lowerBound > 0, !text.isEmpty, text[0] == ASCII.space || text[0] == ASCII.tab {
                    text = text.extracting(droppingFirst: 1)
                }
            } else {
                out.append(value[piece.range.lowerBound - 1])
            }
            isFirst = false
            out.append(text)
        }
    }

    private func rest(_ carrier: Carrier, of value: Span<UInt8>) -> Rest {
        var walk = Walk(carrier)
        var rest = Rest()
        while let piece = walk.next(in: value, of: self) {
            switch piece.role {
            case .other: rest.isEmpty = rest.isEmpty && piece.isBlank
            case .token, .mark: rest.isShorter = true
            }
        }
        return rest
    }
}

// MARK: Taking a value apart

extension TokenPlaces {
    fileprivate enum Carrier { case cookie, query, webSocketProtocol }

    fileprivate enum Role {
        case other
        /// A token's piece, with the place of the token in the value; it may be empty.
        case token(ByteRange)
        /// Goes with the token.
        case mark
    }

    private func carrier(of kind: FieldKind) -> Carrier? {
        switch kind {
        case .cookie where !cookies.isEmpty: .cookie
        case .secWebSocketProtocol where takesProtocol: .webSocketProtocol
        default: nil
        }
    }

    /// What is left of a value.
    fileprivate struct Rest {
        /// A piece of it goes.
        var isShorter = false
        /// None stays that says anything.
        var isEmpty = true
    }

    fileprivate struct Piece {
        /// As it stands between its separators.
        var range: ByteRange
        /// White space alone.
        var isBlank: Bool
        var role: Role
    }

    /// The pieces of a value, one after another.
    fileprivate struct Walk {
        private let carrier: Carrier
        private var cursor = 0
        /// The piece before was the word that a token follows.
        private var isMarked = false

        init(_ carrier: Carrier) {
            self.carrier = carrier
        }

        mutating func next(in value: Span<UInt8>, of places: borrowing TokenPlaces) -> Piece? {
            guard cursor <= value.count else { return nil }
            let start = cursor
            var end = start
            while end < value.count, !separates(value[end]) { end &+= 1 }
            cursor = end &+ 1
            let text = trimmed(start..<end, in: value)
            return Piece(
                range: ByteRange(start..<end), isBlank: text.isEmpty,
                role: text.isEmpty ? (isMarked ? .mark : .other) : role(of: text, in: value, places))
        }

        /// Some backends part a query at semicolons too.
        private func separates(_ byte: UInt8) -> Bool {
            switch carrier {
            case .cookie: byte == UInt8(ascii: ";")
            case .query: byte == UInt8(ascii: "&") || byte == UInt8(ascii: ";")
            case .webSocketProtocol: byte == UInt8(ascii: ",")
            }
        }

        private mutating func role(
            of text: Range<Int>, in value: Span<UInt8>, _ places: borrowing TokenPlaces
        ) -> Role {
            if carrier == .webSocketProtocol {
                if isMarked {
                    isMarked = false
                    return .token(ByteRange(text))
                }
                isMarked = value.extracting(text).equals(TokenPlaces.protocolMark)
                return isMarked ? .mark : .other
            }
            var equals = text.lowerBound
            while equals < text.upperBound, value[equals] != UInt8(ascii: "=") { equals &+= 1 }
            let name = trimmed(text.lowerBound..<equals, in: value)
            guard places.isToken(value.extracting(name), in: carrier) else { return .other }
            return equals == text.upperBound
                ? .mark : .token(ByteRange(trimmed(equals + 1..<text.upperBound, in: value)))
        }

        private func trimmed(_ range: Range<Int>, in value: Span<UInt8>) -> Range<Int> {
            var start = range.lowerBound
            var end = range.upperBound
            while start < end, Self.isBlank(value[start]) { start &+= 1 }
            while start < end, Self.isBlank(value[end &- 1]) { end &-= 1 }
            return start..<end
        }

        private static func isBlank(_ byte: UInt8) -> Bool { byte == ASCII.space || byte == ASCII.tab }
    }

    private func isToken(_ name: Span<UInt8>, in carrier: Carrier) -> Bool {
        if carrier == .cookie {
            for index in cookies.indices {
                let cookie = cookies[index]
                if name.equals(cookie.span) { return true }
            }
        } else {
            for index in parameters.indices {
                let parameter = parameters[index]
                if Self.spells(name, parameter.span) { return true }
            }
        }
        return false
    }

    /// Whether a parameter's name is this once it is decoded, as the backend will read it.
    private static func spells(_ name: Span<UInt8>, _ decoded: Span<UInt8>) -> Bool {
        var place = 0
        var index = 0
        while index < name.count {
            var byte = name[index]
            index &+= 1
            if byte == UInt8(ascii: "+") { byte = ASCII.space }
            if byte == UInt8(ascii: "%"), index &+ 1 < name.count, let high = ASCII.hexValue(name[index]),
                let low = ASCII.hexValue(name[index &+ 1])
            {
                byte = high &<< 4 | low
                index &+= 2
            }
            guard place < decoded.count, decoded[place] == byte else { return false }
            place &+= 1
        }
        return place == decoded.count
    }
}

extension TokenSource {
    /// How a request without a token should have sent one.
    fileprivate var advice: String {
        switch self {
        case .authorization: "as `Authorization: Bearer <token>`"
        case .header(let name): "in the header \(Quoted.text(name))"
        case .cookie(let name): "in the cookie \(Quoted.text(name))"
        case .query(let name): "in the query parameter \(Quoted.text(name))"
        case .webSocketProtocol: "as the WebSocket subprotocols `bearer, <token>`"
        }
    }
}
