// Tokens to statements: `name argument …;` and `name argument … { … }`, with each `include` replaced by what it
// names. What the names mean is the directive table's business, which is asked for two things only: which block
// belongs to which directive, so that a missing semicolon can be told from a long list of arguments.
//
// Invariants: files, their depth and the nesting of blocks are bounded; braces balance within a file.

/// One directive as written.
struct Statement {
    var name: Word
    var arguments: [Word]
    /// What stands between its braces; nil where it has none.
    var block: [Statement]?
}

struct StatementParser {
    static let includeDepthMax = 8
    static let filesMax = 256
    static let blockDepthMax = 16

    private let files: any ConfigurationFiles
    private let environment: [String: String]
    private let problems: Problems
    private var lexer: Lexer
    private var token: Token
    private let source: Int
    /// The files that are being read, outermost first: what a cycle would come back to.
    private let trail: [String]

    /// The statements of the file at `path`, all includes in place.
    static func statements(
        of path: String, files: any ConfigurationFiles, environment: [String: String], problems: Problems
    ) -> [Statement] {
        let bytes: [UInt8]
        do {
            bytes = try files.read(path, bytesMax: Lexer.bytesMax)
        } catch {
            problems.incomplete("cannot be read: \(error.reason)", at: .setting(path))
            return []
        }
        let source = problems.add(SourceText(name: path, bytes: bytes))
        var parser = StatementParser(
            source: source, trail: [path], files: files, environment: environment, problems: problems)
        return parser.file(in: .main)
    }

    private init(
        source: Int, trail: [String], files: any ConfigurationFiles, environment: [String: String],
        problems: Problems
    ) {
        self.files = files
        self.environment = environment
        self.problems = problems
        self.source = source
        self.trail = trail
        lexer = Lexer(source: source, environment: environment, problems: problems)
        token = lexer.next()
    }

    private mutating func file(in context: Context?) -> [Statement] {
        var all: [Statement] = []
        while true {
            all += statements(in: context, depth: 0)
            guard case .close = token.kind else { return all }
            problems.incomplete("unexpected '}': no block is open here", at: here)
            token = lexer.next()
        }
    }

    /// Statements up to a `}` or the end, which stays the current token.
    private mutating func statements(in context: Context?, depth: Int) -> [Statement] {
        var all: [Statement] = []
        while true {
            switch token.kind {
            case .end, .close:
                return all
            case .semicolon:
                problems.error("unexpected ';': there is no directive in front of it", at: here)
                token = lexer.next()
            case .open:
                problems.error("unexpected '{': there is no directive in front of it", at: here)
                _ = block(in: nil, depth: depth)
            case .word(let name):
                token = lexer.next()
                let statement = statement(named: name, in: context, depth: depth)
                if name.usesVariable {
                    problems.error("the name of a directive cannot come from a variable", at: name)
                } else if name.text == "include" {
                    all += included(by: statement, in: context)
                } else {
                    all.append(statement)
                }
            }
        }
    }

    /// The rest of a statement behind its name.
    private mutating func statement(named name: Word, in context: Context?, depth: Int) -> Statement {
        var statement = Statement(name: name, arguments: [], block: nil)
        while true {
            switch token.kind {
            case .word(let word):
                if word.startsLine, !word.isQuoted, let context, Directive.named(word.text, in: context) != nil {
                    // A new line that begins with a directive's name: more likely a forgotten semicolon than an
                    // argument. Who means the argument puts it in quotes.
                    missingSemicolon(after: statement)
                    return statement
                }
                statement.arguments.append(word)
                token = lexer.next()
            case .semicolon:
                token = lexer.next()
                return statement
            case .open:
                let inner = context.flatMap { Directive.named(name.text, in: $0) }?.block
                statement.block = block(in: inner, depth: depth)
                return statement
            case .close, .end:
                missingSemicolon(after: statement)
                return statement
            }
        }
    }

    /// A block with both its braces; the current token is its `{`.
    private mutating func block(in context: Context?, depth: Int) -> [Statement] {
        let open = here
        token = lexer.next()
        if depth == Self.blockDepthMax {
            problems.error("blocks are nested deeper than \(Self.blockDepthMax) levels", at: open)
            skipBlock()
            return []
        }
        let inside = statements(in: context, depth: depth + 1)
        if case .close = token.kind {
            token = lexer.next()
        } else {
            problems.incomplete("unterminated block: this '{' has no '}'", at: open)
        }
        return inside
    }

    /// Goes behind the `}` of a block whose `{` is taken, without recursion.
    private mutating func skipBlock() {
        var open = 1
        while open > 0 {
            switch token.kind {
            case .open: open += 1
            case .close: open -= 1
            case .end: return
            case .word, .semicolon: break
            }
            token = lexer.next()
        }
    }

    private func missingSemicolon(after statement: Statement) {
        let last = statement.arguments.last ?? statement.name
        problems.error(
            "missing ';' behind \(last.isDamaged ? "this" : quoted(last.text))",
            at: .text(source: source, offset: last.end))
    }

    private var here: Origin { .text(source: source, offset: token.offset) }
}

extension StatementParser {
    /// What an `include` stands for. A pattern that matches nothing is fine, as in nginx; a plain path must be there.
    private func included(by statement: Statement, in context: Context?) -> [Statement] {
        guard statement.block == nil, statement.arguments.count == 1 else {
            problems.error("'include' takes one argument and no block: include PATH;", at: statement.name)
            return []
        }
        let argument = statement.arguments[0]
        guard !argument.isDamaged else { return [] }
        guard !argument.text.isEmpty else {
            problems.error("'include' needs a path", at: argument)
            return []
        }
        let path = problems.path(argument)
        let paths: [String]
        do {
            paths = argument.text.contains(where: isWildcard) ? try files.paths(matching: pattern(argument)) : [path]
        } catch {
            problems.incomplete("\(quoted(path)) cannot be read: \(error.reason)", at: argument.origin)
            return []
        }
        return paths.flatMap { file(at: $0, for: argument, in: context) }
    }

    /// The argument as a pattern, below this file's directory, whose own name may hold what would be a wildcard.
    private func pattern(_ argument: Word) -> String {
        let directory = problems.path(argument).dropLast(argument.text.count)
        return directory.map { isWildcard($0) || $0 == "\\" ? "\\\($0)" : String($0) }.joined() + argument.text
    }

    private func isWildcard(_ character: Character) -> Bool { "*?[".contains(character) }

    private func file(at path: String, for argument: Word, in context: Context?) -> [Statement] {
        if trail.contains(path) {
            problems.incomplete(
                "this file includes itself: \((trail + [path]).joined(separator: " → "))", at: argument.origin)
            return []
        }
        guard trail.count <= Self.includeDepthMax, problems.sources.count < Self.filesMax else {
            problems.incomplete(
                "too many files: at most \(Self.filesMax), and at most \(Self.includeDepthMax) inside each other",
                at: argument.origin)
            return []
        }
        do {
            let bytes = try files.read(path, bytesMax: Lexer.bytesMax)
            var parser = StatementParser(
                source: problems.add(SourceText(name: path, bytes: bytes)), trail: trail + [path],
                files: files, environment: environment, problems: problems)
            return parser.file(in: context)
        } catch {
            problems.incomplete("\(quoted(path)) cannot be read: \(error.reason)", at: argument.origin)
            return []
        }
    }
}
