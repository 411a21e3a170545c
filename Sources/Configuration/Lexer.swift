// Text to tokens, in nginx's grammar: words, strings, `;`, `{` and `}`, with `#` comments.
//
// Invariants:
// - The value of a `${VARIABLE}` goes into the word it stands in and is never read as text again, so a value can
//   add no directive, no argument and no brace.
// - Every byte is looked at once; a file has at most `bytesMax` bytes and a line at most `lineBytesMax`.
// - A string ends on its own line. So an unterminated one costs one line, and not the rest of the file.

/// A directive's name or argument.
struct Word {
    var text: String
    var origin: Origin
    /// The offset behind the word's last byte; 0 where the word is not from a file.
    var end = 0
    var isQuoted = false
    /// Something is wrong with it and was reported; its text means nothing.
    var isDamaged = false
    var usesVariable = false
    /// It is the first thing on its line.
    var startsLine = false
}

struct Token {
    enum Kind {
        case word(Word)
        case semicolon
        case open
        case close
        case end
    }

    var kind: Kind
    var offset: Int
}

struct Lexer {
    static let bytesMax = 1 << 20
    static let lineBytesMax = 4096

    private let source: Int
    private let bytes: [UInt8]
    private let end: Int
    private let environment: [String: String]
    private let problems: Problems
    private var position: Int
    /// A token that recovery put in: the `;` or `{` that an unterminated string or variable swallowed.
    private var pending: Token?
    private var lineHasToken = false

    /// - Parameter source: The number of the text in `problems`.
    init(source: Int, environment: [String: String], problems: Problems) {
        let text = problems.sources[source]
        self.source = source
        self.environment = environment
        self.problems = problems
        bytes = text.bytes
        end = Self.readableEnd(of: text, source: source, problems: problems)
        position = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0  // a byte order mark, as some editors write it
    }

    mutating func next() -> Token {
        if let token = pending {
            pending = nil
            return token
        }
        skipBlank()
        let start = position
        guard position < end else { return Token(kind: .end, offset: start) }
        let startsLine = !lineHasToken
        lineHasToken = true
        switch bytes[position] {
        case UInt8(ascii: ";"):
            position += 1
            return Token(kind: .semicolon, offset: start)
        case UInt8(ascii: "{"):
            position += 1
            return Token(kind: .open, offset: start)
        case UInt8(ascii: "}"):
            position += 1
            return Token(kind: .close, offset: start)
        case UInt8(ascii: "\""), UInt8(ascii: "'"):
            return Token(kind: .word(string(startsLine: startsLine)), offset: start)
        default:
            return Token(kind: .word(bareWord(startsLine: startsLine)), offset: start)
        }
    }

    /// Blanks and comments.
    private mutating func skipBlank() {
        while position < end {
            switch bytes[position] {
            case UInt8(ascii: "\n"):
                lineHasToken = false
                position += 1
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"):
                position += 1
            case UInt8(ascii: "#"):
                while position < end, bytes[position] != UInt8(ascii: "\n") { position += 1 }
            default:
                return
            }
        }
    }

    /// A word without quotes: up to white space, `;`, `{` or `}`. A quote or `#` inside it is itself, as in nginx.
    private mutating func bareWord(startsLine: Bool) -> Word {
        var word = Word(text: "", origin: .text(source: source, offset: position), startsLine: startsLine)
        var text: [UInt8] = []
        while position < end, !Self.endsWord(bytes[position]) {
            element(into: &text, of: &word)
        }
        word.text = String(decoding: text, as: UTF8.self)
        word.end = position
        return word
    }

    private mutating func string(startsLine: Bool) -> Word {
        let start = position
        let quote = bytes[position]
        var word = Word(
            text: "", origin: .text(source: source, offset: start), isQuoted: true, startsLine: startsLine)
        var text: [UInt8] = []
        position += 1
        while position < end, !Self.endsLine(bytes[position]), bytes[position] != quote {
            element(into: &text, of: &word)
        }
        guard position < end, bytes[position] == quote else {
            // Where an unterminated variable took the rest of the line, that is what is wrong.
            if pending == nil {
                let mark = Character(Unicode.Scalar(quote))
                problems.error("unterminated string: no closing \(mark) on this line", at: word.origin)
                recoverSwallowedToken(from: start + 1)
            }
            word.isDamaged = true
            word.end = position
            return word
        }
        position += 1
        word.text = String(decoding: text, as: UTF8.self)
        word.end = position
        if position < end, !Self.endsWord(bytes[position]) {
            problems.error(
                "a string ends here; expected white space, ';' or '{' behind it",
                at: .text(source: source, offset: position))
            word.isDamaged = true
            while position < end, !Self.endsWord(bytes[position]) { position += 1 }
        }
        return word
    }

    /// Takes one element of a word: a plain byte, an escape or a variable.
    private mutating func element(into text: inout [UInt8], of word: inout Word) {
        let byte = bytes[position]
        if byte == UInt8(ascii: "\\") {
            escape(into: &text, of: &word)
        } else if byte == UInt8(ascii: "$"), position + 1 < end, bytes[position + 1] == UInt8(ascii: "{") {
            variable(into: &text, of: &word)
        } else if byte == UInt8(ascii: "$"), position + 1 < end, Self.startsName(bytes[position + 1]) {
            var nameEnd = position + 1
            while nameEnd < end, Self.continuesName(bytes[nameEnd]) { nameEnd += 1 }
            let name = String(decoding: bytes[(position + 1)..<nameEnd], as: UTF8.self)
            problems.warning(
                "'$\(name)' is taken as it stands; a variable is written '${\(name)}', a plain dollar sign '\\$'",
                at: .text(source: source, offset: position))
            text.append(contentsOf: bytes[position..<nameEnd])
            position = nameEnd
        } else {
            if (byte < 0x20 && byte != UInt8(ascii: "\t")) || byte == 0x7F {
                problems.error("control character in the text", at: .text(source: source, offset: position))
                word.isDamaged = true
            }
            text.append(byte)
            position += 1
        }
    }

    /// `\n`, `\r` and `\t`, or punctuation and the space as themselves. Anything else is refused, since what it
    /// should mean differs from program to program.
    private mutating func escape(into text: inout [UInt8], of word: inout Word) {
        let start = position
        position += 1
        guard position < end, !Self.endsLine(bytes[position]) else {
            problems.error("a backslash at the end of a line", at: .text(source: source, offset: start))
            word.isDamaged = true
            return
        }
        let byte = bytes[position]
        switch byte {
        case UInt8(ascii: "n"): text.append(UInt8(ascii: "\n"))
        case UInt8(ascii: "r"): text.append(UInt8(ascii: "\r"))
        case UInt8(ascii: "t"): text.append(UInt8(ascii: "\t"))
        case 0x20...0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E: text.append(byte)
        default:
            problems.error(
                #"unknown escape; known are \n, \r, \t, and a backslash in front of punctuation"#,
                at: .text(source: source, offset: start))
            word.isDamaged = true
            return
        }
        position += 1
    }

    /// `${NAME}` or `${NAME:-default}`; the default also stands in for an empty value, as in the shell.
    private mutating func variable(into text: inout [UInt8], of word: inout Word) {
        let start = position
        word.usesVariable = true
        position += 2
        var close = position
        while close < end, bytes[close] != UInt8(ascii: "}"), bytes[close] != UInt8(ascii: "\n") { close += 1 }
        guard close < end, bytes[close] == UInt8(ascii: "}") else {
            problems.error("unterminated '${': no '}' on this line", at: .text(source: source, offset: start))
            word.isDamaged = true
            position = close
            recoverSwallowedToken(from: start + 2)
            return
        }
        let inside = bytes[position..<close]
        position = close + 1
        let nameEnd = inside.firstIndex { !Self.continuesName($0) } ?? inside.endIndex
        let name = String(decoding: inside[..<nameEnd], as: UTF8.self)
        let rest = inside[nameEnd...]
        let hasDefault = rest.starts(with: ":-".utf8)
        guard let first = inside.first, Self.startsName(first), rest.isEmpty || hasDefault else {
            problems.error(
                "not a variable; expected '${NAME}' or '${NAME:-default}'", at: .text(source: source, offset: start))
            word.isDamaged = true
            return
        }
        if let value = environment[name], !(value.isEmpty && hasDefault) {
            text.append(contentsOf: value.utf8)
        } else if hasDefault {
            text.append(contentsOf: rest.dropFirst(2))
        } else {
            problems.error(
                "the environment has no variable \(quoted(name)); '${\(name):-default}' would give it a default",
                at: .text(source: source, offset: start))
            word.isDamaged = true
        }
    }

    /// An unterminated string or variable took the rest of its line; a `{` at the line's end was surely meant as such, and
    /// whatever else stands there, the directive is taken to end with the line.
    private mutating func recoverSwallowedToken(from start: Int) {
        let last = (start..<max(start, position)).last { bytes[$0] > 0x20 }
        let opens = last.map { bytes[$0] == UInt8(ascii: "{") } ?? false
        pending = Token(kind: opens ? .open : .semicolon, offset: last ?? position)
    }

    /// How far the text can be read at all: up to the first line that is too long or is not UTF-8.
    private static func readableEnd(of text: SourceText, source: Int, problems: Problems) -> Int {
        for index in 0..<text.lineCount {
            let line = text.line(index)
            if line.count > lineBytesMax {
                problems.incomplete(
                    "line \(index + 1) has \(line.count) bytes; a line has at most \(lineBytesMax)",
                    at: .file(source: source))
                return line.startIndex
            }
            if String(validating: line, as: UTF8.self) == nil {
                problems.incomplete(
                    "this line is not UTF-8", at: .text(source: source, offset: line.startIndex))
                return line.startIndex
            }
        }
        return text.bytes.count
    }

    private static func endsLine(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r")
    }

    private static func endsWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"), UInt8(ascii: "\n"), UInt8(ascii: ";"),
            UInt8(ascii: "{"), UInt8(ascii: "}"):
            true
        default: false
        }
    }

    private static func startsName(_ byte: UInt8) -> Bool {
        (byte | 0x20) &- 0x61 < 26 || byte == UInt8(ascii: "_")
    }

    private static func continuesName(_ byte: UInt8) -> Bool {
        startsName(byte) || byte &- 0x30 < 10
    }
}
