// Fields that a Connection field names end at this hop: which those are, without asking for each field in turn.

internal import Bytes
internal import HTTPWire

extension [Field] {
    /// Whether a Connection field may name others, which then end at this hop (RFC 9110 §7.6.1). The two options that
    /// nearly every Connection field consists of name none; knowing that spares a look through it for each field.
    func mayNominate(in bytes: Span<UInt8>) -> Bool {
        for index in indices where self[index].kind == .connection {
            let value = bytes.slice(self[index].value)
            if !value.equalsIgnoringCase("keep-alive"), !value.equalsIgnoringCase("close") { return true }
        }
        return false
    }

    /// Whether a Connection field names any that is not an option of the connection's own.
    func nominates(in bytes: Span<UInt8>) -> Bool {
        containsListElement(of: .connection, in: bytes) { option in
            !(option.isEmpty || option.equalsIgnoringCase("keep-alive") || option.equalsIgnoringCase("close")
                || option.equalsIgnoringCase("upgrade") || option.equalsIgnoringCase("te"))
        }
    }
}
