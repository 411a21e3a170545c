import Testing

@testable import Configuration

@Suite("Lexer")
struct LexerTests {
    /// The tokens of a text in a short form: words in brackets, and problems behind them.
    private func tokens(_ text: String, environment: [String: String] = [:]) -> (String, [String]) {
        let problems = Problems(at: 0)
        let source = problems.add(SourceText(name: "t", bytes: Array(text.utf8)))
        var lexer = Lexer(source: source, environment: environment, problems: problems)
        var shown: [String] = []
        while true {
            switch lexer.next().kind {
            case .word(let word): shown.append(word.isDamaged ? "<!>" : "<\(word.text)>")
            case .semicolon: shown.append(";")
            case .open: shown.append("{")
            case .close: shown.append("}")
            case .end: return (shown.joined(separator: " "), problems.diagnostics.map(\.message))
            }
        }
    }

    @Test(
        "words, strings, comments and punctuation are told apart as in nginx",
        arguments: [
            ("", ""),
            ("a b;", "<a> <b> ;"),
            ("a{b;}", "<a> { <b> ; }"),
            ("a # b;\nc;", "<a> <c> ;"),
            ("a#b;", "<a#b> ;"),
            ("'a b' \"c;d\";", "<a b> <c;d> ;"),
            ("\"\";", "<> ;"),
            (#"a"b;"#, #"<a"b> ;"#),
            (#""a\"b" 'a\'b' a\;b a\ b;"#, #"<a"b> <a'b> <a;b> <a b> ;"#),
            ("\"a\\\\b\\n\\t\" \\#;", "<a\\b\n\t> <#> ;"),
            ("a\r\n\tb;\r\n", "<a> <b> ;"),
            ("\u{FEFF}a;", "<a> ;"),
            ("$ a$ $5;", "<$> <a$> <$5> ;"),
            ("ä 世界;", "<ä> <世界> ;"),
        ] as [(String, String)])
    func plain(text: String, expected: String) {
        let (shown, messages) = tokens(text)
        #expect(shown == expected)
        #expect(messages.isEmpty)
    }

    @Test(
        "variables stand for their value inside one word",
        arguments: [
            ("${A};", "<x y; }> ;"),
            ("a${A}b c;", "<ax y; }b> <c> ;"),
            ("\"${A}\" '${A}';", "<x y; }> <x y; }> ;"),
            ("${EMPTY};", "<> ;"),
            ("${EMPTY:-d};", "<d> ;"),
            ("${NONE:-};", "<> ;"),
            ("${NONE:-a {;b};", "<a {;b> ;"),
            ("${SELF};", "<${A}> ;"),
            (#"\$\{A\} "\${A}";"#, "<${A}> <${A}> ;"),
            ("# ${NONE}", ""),
        ] as [(String, String)])
    func variables(text: String, expected: String) {
        let (shown, messages) = tokens(text, environment: ["A": "x y; }", "EMPTY": "", "SELF": "${A}"])
        #expect(shown == expected)
        #expect(messages.isEmpty)
    }

    @Test(
        "what is wrong is reported, and the rest is read on",
        arguments: [
            ("\"a;\nb;", "<!> ; <b> ;", "unterminated string: no closing \" on this line"),
            ("'a {\nb;", "<!> { <b> ;", "unterminated string: no closing ' on this line"),
            ("'a", "<!> ;", "unterminated string: no closing ' on this line"),
            ("'a'b c;", "<!> <c> ;", "a string ends here; expected white space, ';' or '{' behind it"),
            (#"a\d b;"#, "<!> <b> ;", #"unknown escape; known are \n, \r, \t, and a backslash in front of punctuation"#),
            ("a\\\nb;", "<!> <b> ;", "a backslash at the end of a line"),
            ("${A b;\nc;", "<!> ; <c> ;", "unterminated '${': no '}' on this line"),
            ("\"${A b\" {\nc;", "<!> { <c> ;", "unterminated '${': no '}' on this line"),
            ("${} b;", "<!> <b> ;", "not a variable; expected '${NAME}' or '${NAME:-default}'"),
            ("${1A} b;", "<!> <b> ;", "not a variable; expected '${NAME}' or '${NAME:-default}'"),
            ("${A-b} b;", "<!> <b> ;", "not a variable; expected '${NAME}' or '${NAME:-default}'"),
            ("a\u{0}b;", "<!> ;", "control character in the text"),
            ("a\u{1B}b;", "<!> ;", "control character in the text"),
            (
                "${A} b;", "<!> <b> ;",
                "the environment has no variable 'A'; '${A:-default}' would give it a default"
            ),
            (
                "$A b;", "<$A> <b> ;",
                "'$A' is taken as it stands; a variable is written '${A}', a plain dollar sign '\\$'"
            ),
        ] as [(String, String, String)])
    func wrong(text: String, expected: String, message: String) {
        let (shown, messages) = tokens(text)
        #expect(shown == expected)
        #expect(messages == [message])
    }

    @Test("a line that is too long, or not UTF-8, ends the reading and hides nothing in front of it")
    func unreadable() {
        let long = tokens("a;\n" + String(repeating: "x", count: Lexer.lineBytesMax + 1) + "\nb;")
        #expect(long.0 == "<a> ;")
        #expect(long.1 == ["line 2 has 4097 bytes; a line has at most 4096"])
        let fits = tokens(String(repeating: "x", count: Lexer.lineBytesMax))
        #expect(fits.1.isEmpty)

        let problems = Problems(at: 0)
        let source = problems.add(SourceText(name: "t", bytes: Array("a;\nb".utf8) + [0xC3, 0x28]))
        var lexer = Lexer(source: source, environment: [:], problems: problems)
        while true { if case .end = lexer.next().kind { break } }
        #expect(problems.diagnostics.map(\.message) == ["this line is not UTF-8"])
        #expect(problems.isIncomplete)
    }
}
