internal import Bytes

public struct ResponseHeadParser {
    public private(set) var head = ResponseHead()
    let headBytesMax: Int
    let fieldCountMax: Int

    public init(headBytesMax: Int, fieldCountMax: Int = 100) {
        self.headBytesMax = headBytesMax
        self.fieldCountMax = fieldCountMax
    }

    /// True: `head` is complete; false: more bytes are needed. `bytes` always starts at the first byte of the head.
    public mutating func parse(_ bytes: Span<UInt8>, requestMethod: Method) throws(ResponseError) -> Bool {
        if bytes.count > headBytesMax { throw ResponseError(.headTooLarge, "head too large") }
        return false
    }

    /// Ready for the next head; the field storage is kept.
    public mutating func reset() { head.fields.removeAll(keepingCapacity: true) }
}
