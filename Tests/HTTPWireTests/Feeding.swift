// How the tests hand bytes to a parser: all at once, byte by byte, or in pieces of a test's choosing. What came out is
// a value, so that two ways of feeding can be compared.

import Bytes
import HTTPWire

/// The bytes of `text`, one a scalar: "\u{FF}" is the byte 0xFF.
func octets(_ text: String) -> [UInt8] {
    text.unicodeScalars.map { UInt8(exactly: $0.value)! }
}

func text(_ bytes: [UInt8], _ range: ByteRange) -> String {
    String(String.UnicodeScalarView(bytes[range.range].map { Unicode.Scalar($0) }))
}

enum Outcome<Head: Equatable, Failure: Equatable>: Equatable {
    case head(Head)
    case refused(Failure)
    case incomplete
}

typealias RequestOutcome = Outcome<RequestHead, RequestError>
typealias ResponseOutcome = Outcome<ResponseHead, ResponseError>

struct Limits {
    var headBytesMax = 32768
    var targetBytesMax = 8192
    var fieldCountMax = 100
}

/// Parses the bytes as they grow to each of `lengths`, until there is an outcome.
func parseRequest(_ bytes: [UInt8], growingTo lengths: some Sequence<Int>, limits: Limits = Limits()) -> RequestOutcome
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

func parseRequest(_ bytes: [UInt8], limits: Limits = Limits()) -> RequestOutcome {
    parseRequest(bytes, growingTo: CollectionOfOne(bytes.count), limits: limits)
}

func parseRequestByteByByte(_ bytes: [UInt8], limits: Limits = Limits()) -> RequestOutcome {
    parseRequest(bytes, growingTo: 0...bytes.count, limits: limits)
}

func parseResponse(
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
struct Decoded: Equatable {
    enum End: Equatable {
        case complete(trailers: [String])
        case refused(ChunkError)
        case incomplete
    }

    var payload: [UInt8] = []
    var consumed = 0
    var end = End.incomplete
}

/// Decodes the bytes as they grow to each of `lengths`, as a connection would: what is consumed is gone.
func decodeChunked(_ bytes: [UInt8], growingTo lengths: some Sequence<Int>, trailerBytesMax: Int = 8192) -> Decoded {
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

func decodeChunked(_ bytes: [UInt8], trailerBytesMax: Int = 8192) -> Decoded {
    decodeChunked(bytes, growingTo: CollectionOfOne(bytes.count), trailerBytesMax: trailerBytesMax)
}
