// Which requests are CORS preflights: the question that a browser asks on its own before it sends a script's request
// (Fetch §4.8), without a token and without anything else of the script's.

internal import Bytes
internal import HTTPWire

extension RequestHead {
    /// Whether this is a preflight and nothing more: it has no body, asks for no other protocol, and has no field by
    /// which a backend could be made to see another method than OPTIONS (`X-HTTP-Method-Override` and its like). A
    /// browser never sends any of that, so nothing gets through without a token that could do more than ask. A proxy in
    /// front may say once more what the method is (`X-Forwarded-Method: OPTIONS`).
    func isPreflight(in bytes: Span<UInt8>) -> Bool {
        guard method == .options, body == .none || body == .length(0), !hasUpgrade else { return false }
        var origins = 0
        var requestedMethods = 0
        for index in fields.indices {
            let name = bytes.slice(fields[index].name)
            if name.equalsIgnoringCase("origin") {
                origins += 1
            } else if name.equalsIgnoringCase("access-control-request-method") {
                requestedMethods += 1
            } else if name.containsIgnoringCase("method"), !bytes.slice(fields[index].value).equals("OPTIONS") {
                return false
            }
        }
        return origins == 1 && requestedMethods == 1
    }
}

extension Span where Element == UInt8 {
    fileprivate func containsIgnoringCase(_ word: StaticString) -> Bool {
        let length = word.utf8CodeUnitCount
        guard count >= length else { return false }
        for start in 0...(count - length) where extracting(start..<(start + length)).equalsIgnoringCase(word) {
            return true
        }
        return false
    }
}
