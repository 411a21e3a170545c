// The text of one configuration file, and the way from a byte offset to the line and column that people count.

/// Where something was said.
enum Origin: Equatable {
    /// A byte of a file; `source` counts the files in the order they were read.
    case text(source: Int, offset: Int)
    /// A file as a whole.
    case file(source: Int)
    /// A flag or an environment variable, by its name.
    case setting(String)
}

struct SourceText {
    /// The path as the operator gave it, or as it follows from an `include`.
    let name: String
    let bytes: [UInt8]
    /// The offset of each line's first byte.
    private let lineStarts: [Int]

    init(name: String, bytes: [UInt8]) {
        self.name = name
        self.bytes = bytes
        var starts = [0]
        for (offset, byte) in bytes.enumerated() where byte == UInt8(ascii: "\n") {
            starts.append(offset + 1)
        }
        lineStarts = starts
    }

    /// What relative paths in this file start from: its directory with a slash at the end, or nothing.
    var directory: String {
        guard let slash = name.lastIndex(of: "/") else { return "" }
        return String(name[...slash])
    }

    var lineCount: Int { lineStarts.count }

    /// The bytes of a line (from 0) without its end.
    func line(_ index: Int) -> ArraySlice<UInt8> {
        var end = index + 1 < lineStarts.count ? lineStarts[index + 1] - 1 : bytes.count
        if end > lineStarts[index], bytes[end - 1] == UInt8(ascii: "\r") { end -= 1 }
        return bytes[lineStarts[index]..<end]
    }

    func place(at offset: Int) -> Diagnostic.Place {
        let line = lineIndex(of: offset)
        let lineBytes = self.line(line)
        // One past the last character is a place too: that is where a semicolon is missing.
        let before = lineBytes[lineBytes.startIndex..<max(lineBytes.startIndex, min(offset, lineBytes.endIndex))]
        return Diagnostic.Place(
            file: name,
            line: line + 1,
            column: visible(before).count + 1,
            lineText: visible(lineBytes))
    }

    /// The line (from 0) that holds the byte: the last one to start at or before it.
    func lineIndex(of offset: Int) -> Int {
        var low = 0
        var high = lineStarts.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if lineStarts[middle] <= offset { low = middle } else { high = middle }
        }
        return low
    }

    /// The text with every control character but the tab replaced, so that a file cannot drive the terminal.
    private func visible(_ bytes: ArraySlice<UInt8>) -> String {
        var text = String.UnicodeScalarView()
        for scalar in String(decoding: bytes, as: UTF8.self).unicodeScalars where scalar != "\u{FEFF}" {
            text.append(isControl(scalar) && scalar != "\t" ? "\u{FFFD}" : scalar)
        }
        return String(text)
    }
}

/// C0, DEL, C1, and the bidirectional controls that let a line show itself other than it is.
func isControl(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x00...0x1F, 0x7F...0x9F, 0x2028...0x202E, 0x2066...0x2069: true
    default: false
    }
}

/// A value in a message: in quotes, without control characters, and cut where it is longer than a reader needs.
func quoted(_ text: String) -> String {
    var shown = ""
    for (count, scalar) in text.unicodeScalars.enumerated() {
        if count == 100 {
            shown += "…"
            break
        }
        if isControl(scalar) {
            shown += "\\u{\(String(scalar.value, radix: 16, uppercase: true))}"
        } else {
            shown.unicodeScalars.append(scalar)
        }
    }
    return "'\(shown)'"
}
