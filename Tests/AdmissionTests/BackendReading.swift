// How backends read paths: a model of each habit by itself, written apart from the proxy's own reading.

/// One backend's habits.
struct BackendReading: CustomStringConvertible {
    /// How often escapes are decoded.
    var decodes = 1
    /// An escaped slash stays a part of its segment.
    var keepsEscapedSlash = false
    var backslashIsSlash = false
    var mergesSlashes = false
    /// Of a segment with a `;`, what stands in front of it is the name: in front of decoding, or after it.
    var cutsParameters = false
    var cutsDecodedParameters = false
    /// A `?`, `#` or NUL that decoding has brought out ends the path.
    var stopsAtDecodedQuery = false
    /// As `new URL(target, base)` does: `//host` is one, and dot segments go, escaped ones too, before anything is decoded.
    var readsURL = false
    var resolvesDots = false
    var foldsCase = false
    var ignoresSlashAtEnd = false

    /// A backend with habits picked by the bits of a number.
    init(bits: UInt64) {
        func has(_ bit: UInt64) -> Bool { bits >> bit & 1 == 1 }
        decodes = Int(bits >> 60) % 3
        keepsEscapedSlash = has(0)
        backslashIsSlash = has(1)
        mergesSlashes = has(2)
        cutsParameters = has(3)
        cutsDecodedParameters = has(4)
        stopsAtDecodedQuery = has(5)
        readsURL = has(6)
        resolvesDots = has(7)
        foldsCase = has(8)
        ignoresSlashAtEnd = has(9)
    }

    /// The segments that this backend routes by; the last one is empty behind a slash at the end.
    func segments(of path: String) -> [String] {
        var text = path
        if readsURL { text = url(text) }
        if cutsParameters { text = withoutParameters(text) }
        for _ in 0..<decodes { text = decoded(text) }
        if cutsDecodedParameters { text = withoutParameters(text) }
        if stopsAtDecodedQuery { text = String(text.prefix { $0 != "?" && $0 != "#" && $0 != "\0" }) }
        if backslashIsSlash { text = text.replacing("\\", with: "/") }
        var segments = text.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map(String.init)
        if mergesSlashes, let last = segments.popLast() { segments = segments.filter { !$0.isEmpty } + [last] }
        if resolvesDots { segments = resolved(segments, isUp: { $0 == ".." }, isHere: { $0 == "." }) }
        if foldsCase { segments = segments.map { $0.lowercased() } }
        if ignoresSlashAtEnd, segments.count > 1, segments.last == "" { segments.removeLast() }
        return segments
    }

    private func url(_ text: String) -> String {
        var path = text.replacing("\\", with: "/")
        if path.hasPrefix("//") {
            let rest = path.drop { $0 == "/" }
            path = rest.firstIndex(of: "/").map { String(rest[$0...]) } ?? "/"
        }
        func plain(_ segment: String) -> String { segment.lowercased().replacing("%2e", with: ".") }
        let segments = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map(String.init)
        return "/" + resolved(segments, isUp: { plain($0) == ".." }, isHere: { plain($0) == "." }).joined(separator: "/")
    }

    private func withoutParameters(_ text: String) -> String {
        text.split(separator: "/", omittingEmptySubsequences: false)
            .map { String($0.prefix { $0 != ";" }) }.joined(separator: "/")
    }

    private func decoded(_ text: String) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%"), rest.count >= 2,
                let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16),
                !keepsEscapedSlash || value != UInt8(ascii: "/") && value != UInt8(ascii: "\\")
            else {
                bytes.append(byte)
                continue
            }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private func resolved(_ segments: [String], isUp: (String) -> Bool, isHere: (String) -> Bool) -> [String] {
        var result: [String] = []
        for (index, segment) in segments.enumerated() {
            let isLast = index == segments.count - 1
            if isUp(segment) {
                _ = result.popLast()
                if isLast { result.append("") }
            } else if isHere(segment) {
                if isLast { result.append("") }
            } else {
                result.append(segment)
            }
        }
        return result
    }

    var description: String {
        let habits = Mirror(reflecting: self).children.compactMap { child -> String? in
            if let count = child.value as? Int { return "\(child.label!)=\(count)" }
            return child.value as? Bool == true ? child.label! : nil
        }
        return habits.joined(separator: " ")
    }
}
