import Admission
import Foundation
import JOSE
import Testing

@testable import Configuration

@Suite("Directive table")
struct DirectiveTableTests {
    static let withDefault = Directive.all.filter { $0.standard != nil }

    @Test("every directive is documented, and no name stands twice in one place")
    func rows() {
        var seen: Set<String> = []
        for directive in Directive.all {
            #expect(!directive.summary.isEmpty, "\(directive.name)")
            #expect(!directive.contexts.isEmpty, "\(directive.name)")
            for context in directive.contexts {
                #expect(seen.insert("\(context) \(directive.name)").inserted, "\(directive.name) in \(context)")
            }
        }
    }

    @Test("a directive's effect fits the one place it stands in", arguments: Directive.all)
    func effects(directive: Directive) {
        switch directive.effect {
        case .main: #expect(directive.contexts == [.main])
        case .listen: #expect(directive.contexts == [.listen])
        case .upstream: #expect(directive.contexts == [.upstream])
        case .issuer: #expect(directive.contexts == [.issuer])
        case .legacyAudience: #expect(directive.contexts == [.legacyAudience])
        case .location: #expect(directive.contexts == [.location])
        case .forward: #expect(directive.contexts == [.forward])
        case .mint: #expect(directive.contexts == [.mint])
        }
    }

    @Test("a default written down changes nothing", arguments: withDefault)
    func defaults(directive: Directive) throws {
        let line = "\(directive.name) \(try #require(directive.standard));"
        let (written, unwritten) =
            switch directive.contexts[0] {
            case .listen: (configuration(listen: line), configuration(listen: ""))
            case .upstream: (configuration(upstream: line), configuration())
            case .issuer: (configuration(issuer: line), configuration())
            case .mint: (configuration(main: minimalMint(line)), configuration(main: minimalMint()))
            default: (configuration(main: line), configuration())
            }
        #expect(written != nil)
        #expect(written == unwritten)
    }

    @Test("each directive that may stand once is refused the second time")
    func once() throws {
        for directive in Self.withDefault where !directive.isRepeatable {
            let line = "\(directive.name) \(try #require(directive.standard));"
            let text =
                switch directive.contexts[0] {
                case .listen: minimal(listen: line + line)
                case .upstream: minimal(upstream: line + line)
                case .issuer: minimal(issuer: line + line)
                case .mint: minimal(main: minimalMint(line + line))
                default: minimal(main: line + line)
                }
            let messages = load(text, files: MemoryFiles.keys).messages
            #expect(messages.count == 1)
            #expect(messages.first?.hasPrefix("'\(directive.name)' is given twice; the first is at proxy.conf:") == true)
        }
    }

    @Test("docs/configuration.md is what the table says")
    func reference() throws {
        let path = packageRoot + "docs/configuration.md"
        if ProcessInfo.processInfo.environment["ANTECHAMBER_RECORD"] != nil {
            try FileManager.default.createDirectory(
                atPath: packageRoot + "docs", withIntermediateDirectories: true)
            try DirectiveReference.markdown.write(toFile: path, atomically: true, encoding: .utf8)
        }
        #expect(try treeText("docs/configuration.md") == DirectiveReference.markdown)
        for directive in Directive.all { #expect(DirectiveReference.markdown.contains("\n### `\(directive.form)`")) }
    }
}

extension Directive: CustomTestStringConvertible {
    public var testDescription: String { name }
}
