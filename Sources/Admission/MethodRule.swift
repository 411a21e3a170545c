// The methods that a location serves.

internal import Bytes
internal import HTTPWire

struct MethodRule: Sendable {
    /// A bit for each method that has a case of its own.
    private var known: UInt16 = 0
    /// The names of the others.
    private var others: [[UInt8]] = []
    /// For all other methods. Its Allow field is the list (RFC 9110 §15.5.6).
    let refusal: Refusal

    /// - Parameter names: as requests spell them.
    init(_ names: [String]) {
        var names = names
        // Whoever serves GET serves HEAD (RFC 9110 §9.3.2).
        if let get = names.firstIndex(of: "GET"), !names.contains("HEAD") { names.insert("HEAD", at: get + 1) }
        var refusal = Refusal(.methodNotAllowed, "This path is not served with that method.")
        refusal.allow = names.joined(separator: ", ")
        self.refusal = refusal
        for name in names {
            let bytes = Array(name.utf8)
            let method = Method(name: bytes.span)
            if method == .other { others.append(bytes) } else { known |= 1 << UInt16(method.rawValue) }
        }
    }

    func allows(_ head: borrowing RequestHead, in bytes: Span<UInt8>) -> Bool {
        guard head.method == .other else { return known & 1 << UInt16(head.method.rawValue) != 0 }
        for other in others {
            if bytes.slice(head.methodName).equals(other.span) { return true }
        }
        return false
    }
}
