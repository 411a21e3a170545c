// What each source file owes: a purpose at its top, no word that is kept to listed files, a length one
// can read, and nothing left over from somebody's machine.

import Foundation
import Testing

@Suite("Source files")
struct SourceTests {
    @Test("A word with a list stands only in the files of its list", arguments: Rules.words)
    func listedWords(_ rule: WordRule) throws {
        let pattern = try Regex(rule.pattern)
        var used: Set<String> = []
        for file in SourceTree.sources {
            let code = codeOnly(file.text)
            guard let match = code.firstMatch(of: pattern) else { continue }
            if let entry = rule.entry(allowing: file.path) {
                used.insert(entry)
            } else {
                let line = code[..<match.range.lowerBound].count { $0 == "\n" } + 1
                Issue.record(
                    """
                    \(file.path):\(line) has `\(rule.word)`. \(rule.advice) If it must stand there, add the file and \
                    the reason to Rules.words.
                    """)
            }
        }
        for entry in rule.allowed.keys where !used.contains(entry) {
            Issue.record("Rules.words allows `\(rule.word)` in \(entry), which has none: take the entry out.")
        }
    }

    @Test("A source file opens with a comment that says its purpose", arguments: SourceTree.sources)
    func purpose(_ file: SourceFile) {
        // At the very top, or as the doc comment of the first declaration after the imports.
        let opening = file.lines.drop { $0.isEmpty || $0.contains(/^(public |internal |package )?import\b/) }
            .prefix { $0.hasPrefix("//") }
        #expect(
            opening.reduce(0) { $0 + $1.count } >= 20,
            "\(file.path) has to begin with a comment that says what it holds and what always holds in it.")
    }

    @Test("A file is short enough to read")
    func length() {
        for file in SourceTree.swift + SourceTree.scripts {
            let count = file.lines.count - 1
            if count > Rules.lineCountMax, Rules.longFiles[file.path] == nil {
                Issue.record(
                    """
                    \(file.path) has \(count) lines, over \(Rules.lineCountMax). Split it by what it holds; if that would \
                    hide something, add it to Rules.longFiles with the reason.
                    """)
            }
        }
        for path in Rules.longFiles.keys {
            let count = SourceTree.files.first { $0.path == path }?.lines.count ?? 0
            #expect(count - 1 > Rules.lineCountMax, "\(path) is in Rules.longFiles but is not long: take it out.")
        }
    }

    @Test("Nothing unfinished, and no path of one machine", arguments: SourceTree.files)
    func strayText(_ file: SourceFile) {
        for (number, line) in file.lines.enumerated() {
            for stray in Rules.strayText where line.contains(stray.text) {
                Issue.record("\(file.path):\(number + 1) holds '\(stray.text)'. \(stray.advice)")
            }
        }
    }

    @Test("A source file ends with one newline and has no blanks at line ends", arguments: SourceTree.sources)
    func whitespace(_ file: SourceFile) {
        #expect(file.text.hasSuffix("\n") && !file.text.hasSuffix("\n\n"), "\(file.path) has to end with one newline.")
        for (number, line) in file.lines.enumerated() where line.last == " " || line.contains("\t") {
            Issue.record("\(file.path):\(number + 1) has a tab, or a blank at its end.")
        }
    }

    @Test("Code is told from comments and strings", arguments: [
        ("a // unsafe", "a "),
        ("a /* x /* unsafe */ y */ b", "a  b"),
        ("f(\"unsafe \\\" unsafe\") + b", "f() + b"),
        ("f(#\"un\"safe\"#) b", "f() b"),
        ("f(\"\"\"\n unsafe \" \n\"\"\") b", "f(\n\n) b"),
        ("a / b", "a / b"),
    ])
    func codeIsTold(_ text: String, _ code: String) {
        #expect(codeOnly(text) == code)
    }
}
