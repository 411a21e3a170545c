public import Bytes

/// Writes JSON text (RFC 8259) into a buffer: commas and escapes are its business, nesting is the caller's.
public struct JSONWriter {
    public init(into buffer: ByteBuffer, asciiOnly: Bool = false) { fatalError() }
    public mutating func beginObject() { fatalError() }
    public mutating func endObject() { fatalError() }
    public mutating func beginArray() { fatalError() }
    public mutating func endArray() { fatalError() }
    public mutating func name(_ name: String) { fatalError() }
    public mutating func string(_ text: String) { fatalError() }
    public mutating func integer(_ value: Int64) { fatalError() }
    public mutating func bool(_ value: Bool) { fatalError() }
    public mutating func null() { fatalError() }
    /// Re-serialises a parsed value without white space; numbers keep their very digits.
    public mutating func value(_ value: JSONValue) { fatalError() }
}
