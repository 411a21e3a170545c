// The fuzz targets without the fuzzer: its corpus replayed, and seeded mutations of it. So that a promise that was
// broken once is kept from then on wherever the tests run, with libFuzzer or without.

import Foundation
import FuzzTargets
import Testing

@Suite("Fuzzing") struct FuzzTests {
    @Test("Each target has a corpus and a dictionary, and there are no others")
    func folders() throws {
        let names = FuzzTarget.all.map(\.name).sorted()
        #expect(try files(in: Corpus.folder) == names)
        #expect(try files(in: Corpus.dictionaries) == names.map { $0 + ".dict" })
    }

    @Test("What the corpus holds is read as promised", arguments: FuzzTarget.all)
    func replay(_ target: FuzzTarget) throws {
        let corpus = try Corpus(of: target)
        #expect(!corpus.inputs.isEmpty)
        for (name, bytes) in corpus.inputs {
            do throws(Violation) {
                _ = try target.check(bytes)
            } catch {
                Issue.record("\(target.name)/\(name): \(error)")
            }
        }
    }

    @Test("Mutations of it are read as promised, and many are accepted", arguments: FuzzTarget.all, 1...4 as ClosedRange<UInt64>)
    func mutations(_ target: FuzzTarget, seed: UInt64) throws {
        let corpus = try Corpus(of: target)
        // Those refused would mostly be refused again.
        let seeds = try corpus.inputs.values.filter { try target.check($0) }.sorted { $0.lexicographicallyPrecedes($1) }
        var mutator = Mutator(seed: seed, corpus: seeds, words: try corpus.dictionary())
        var acceptedCount = 0
        for _ in 0..<Self.mutationCount {
            let bytes = mutator.next()
            do throws(Violation) {
                if try target.check(bytes) { acceptedCount += 1 }
            } catch {
                Issue.record("\(octetText(bytes).debugDescription): \(error)")
            }
        }
        #expect(acceptedCount > Self.mutationCount / 24, "the mutations are too wild to test anything")
    }

    private static let mutationCount = 3000
}

extension FuzzTarget: CustomTestStringConvertible {
    public var testDescription: String { name }
}

/// The bytes as text, one scalar each.
private func octetText(_ bytes: [UInt8]) -> String {
    String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) }))
}
