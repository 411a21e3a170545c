/// One JSON text (RFC 8259), parsed strictly into a flat tape; owns its bytes.
public struct JSONDocument: Sendable {
    public static let bytesMaxDefault = 1 << 20
    public static let depthMaxDefault = 32
    public init(parsing bytes: consuming [UInt8], depthMax: Int = depthMaxDefault) throws(JSONError) { fatalError() }
    public init(parsing bytes: Span<UInt8>, depthMax: Int = depthMaxDefault) throws(JSONError) { fatalError() }
    public var root: JSONValue { fatalError() }
}

public struct JSONError: Error, Sendable, Equatable {
    public enum Kind: Sendable, Equatable {
        case empty, unexpectedEnd, unexpectedByte, byteOrderMark, invalidUTF8, loneSurrogate, badEscape, controlCharacter, badNumber
        case tooDeep, tooLarge, duplicateMember, trailingBytes
    }
    public var kind: Kind
    /// Where in the text, in bytes from its start.
    public var offset: Int
}
