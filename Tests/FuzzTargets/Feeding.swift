// How tests hand bytes to a parser of HTTP: all at once, byte by byte, or in pieces of a test's choosing. What came out is
// a value, so that two ways of feeding can be compared.

package import Bytes
package import HTTPWire

/// The bytes of `text`, one a scalar: "\u{FF}" is the byte 0xFF.
package func octets(_ text: String) -> [UInt8] {
    text.unicodeScalars.map { UInt8(exactly: $0.value)! }
}

package func text(_ bytes: [UInt8], _ range: ByteRange) -> String {
    String(String.UnicodeScalarView(bytes[range.range].map { Unicode.Scalar($0) }))
}

package enum Outcome<Head: Equatable, Failure: Equatable>: Equatable {
    case head(Head)
    case refused(Failure)
    case incomplete
}

package typealias RequestOutcome = Outcome<RequestHead, RequestError>
package typealias ResponseOutcome = Outcome<ResponseHead, ResponseError>

package struct Limits: Sendable {
    package var headBytesMax: Int
    package var targetBytesMax: Int
    package var fieldCountMax: Int

    package init(headBytesMax: Int = 32768, targetBytesMax: Int = 8192, fieldCountMax: Int = 100) {
        self.headBytesMax = headBytesMax
        self.targetBytesMax = targetBytesMax
        self.fieldCountMax = fieldCountMax
    }
}

/// Parses the bytes as they grow to each of `lengths`, until there is an outcome.
package func parseRequest(_ bytes: [UInt8], growingTo lengths: some Sequence<Int>, limits: Limits = Limits()) -> RequestOutcome
{
    var parser = RequestHeadParser(
        headBytesMax: limits.headBytesMax, targetBytesMax: limits.targetBytesMax, fieldCountMax: limits.fieldCountMax)
    for length in lengths {
        do throws(RequestError) {
            if try parser.parse(bytes.span.extracting(..<length)) { return .head(parser.head) }
        } catch {
            return .refused(error)
        }
    }
    return .incomplete
}

package func parseRequest(_ bytes: [UInt8], limits: Limits = Limits()) -> RequestOutcome {
    parseRequest(bytes, growingTo: CollectionOfOne(bytes.count), limits: limits)
}

package func parseRequestByteByByte(_ bytes: [UInt8], limits: Limits = Limits()) -> RequestOutcome {
    parseRequest(bytes, growingTo: 0...bytes.count, limits: limits)
}

package func parseResponse(
    _ bytes: [UInt8], growingTo lengths: some Sequence<Int>, to method: HTTPWire.Method = .get,
    limits: Limits = Limits()
) -> ResponseOutcome {
    var parser = ResponseHeadParser(headBytesMax: limits.headBytesMax, fieldCountMax: limits.fieldCountMax)
    for length in lengths {
        do throws(ResponseError) {
            if try parser.parse(bytes.span.extracting(..<length), requestMethod: method) { return .head(parser.head) }
        } catch {
            return .refused(error)
        }
    }
    return .incomplete
}

/// What came of a whole chunked body.
package struct Decoded: Equatable {
    package enum End: Equatable {
        case complete(trailers: [String])
        case refused(ChunkError)
        case incomplete
    }

    package var payload: [UInt8]
    package var consumed: Int
    package var end: End

    package init(payload: [UInt8] = [], consumed: Int = 0, end: End = .incomplete) {
        self.payload = payload
        self.consumed = consumed
        self.end = end
    }

    /// How much was consumed before a refusal depends on the pieces; nothing else does.
    package func agrees(with other: Decoded) -> Bool {
        if case .refused = end { return end == other.end && payload == other.payload }
        return self == other
    }
}

/// Decodes the bytes as they grow to each of `lengths`, as a connection would: what is consumed is gone.
package func decodeChunked(_ bytes: [UInt8], growingTo lengths: some Sequence<Int>, trailerBytesMax: Int = 8192) -> Decoded {
    var decoder = ChunkedDecoder(trailerBytesMax: trailerBytesMax)
    var decoded = Decoded()
    for length in lengths {
        var wantsMore = false
        while !wantsMore {
            let unread = bytes.span.extracting(decoded.consumed..<length)
            do throws(ChunkError) {
                switch try decoder.next(unread) {
                case .needMore(let consumed):
                    decoded.consumed += consumed
                    wantsMore = true
                case .data(let consumed, let payload):
                    precondition(payload.upperBound <= consumed && !payload.isEmpty)
                    decoded.payload += unread.slice(payload).copied()
                    decoded.consumed += consumed
                case .end(let consumed, let trailers):
                    let copy = unread.copied()
                    decoded.consumed += consumed
                    decoded.end = .complete(
                        trailers: trailers.map { "\(text(copy, $0.name)): \(text(copy, $0.value))" })
                    return decoded
                }
            } catch {
                decoded.end = .refused(error)
                return decoded
            }
        }
    }
    return decoded
}

package func decodeChunked(_ bytes: [UInt8], trailerBytesMax: Int = 8192) -> Decoded {
    decodeChunked(bytes, growingTo: CollectionOfOne(bytes.count), trailerBytesMax: trailerBytesMax)
}
