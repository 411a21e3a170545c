internal import Bytes

public struct RequestHeadParser {
    public private(set) var head = RequestHead()
    let headBytesMax: Int
    let targetBytesMax: Int
    let fieldCountMax: Int

    /// `headBytesMax` bounds the head with its empty line, `targetBytesMax` the request-target, `fieldCountMax` the field lines.
    public init(headBytesMax: Int, targetBytesMax: Int = 8192, fieldCountMax: Int = 100) {
        self.headBytesMax = headBytesMax
        self.targetBytesMax = targetBytesMax
        self.fieldCountMax = fieldCountMax
    }

    /// True: `head` is complete; false: more bytes are needed. `bytes` always starts at the first byte of the head.
    public mutating func parse(_ bytes: Span<UInt8>) throws(RequestError) -> Bool {
        if bytes.count > headBytesMax { throw RequestError(.headerTooLarge, "head too large") }
        return false
    }

    /// Ready for the next head; the field storage is kept.
    public mutating func reset() { head.fields.removeAll(keepingCapacity: true) }
}
