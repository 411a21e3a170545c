// Seeded mutations that know the words of a format: most of what they make is nearly right.

import FuzzTargets

/// An endless supply of mutations, the same one for the same seed, corpus and words.
struct Mutator {
    private var generator: SeededGenerator
    private let corpus: [[UInt8]]
    private let words: [[UInt8]]

    /// Neither `corpus` nor `words` is empty.
    init(seed: UInt64, corpus: [[UInt8]], words: [[UInt8]]) {
        generator = SeededGenerator(seed: seed)
        self.corpus = corpus
        self.words = words
    }

    /// One to four changes to one of the corpus.
    mutating func next() -> [UInt8] {
        var bytes = corpus.randomElement(using: &generator)!
        for _ in 0..<Int.random(in: 1...4, using: &generator) { mutate(&bytes) }
        return bytes
    }

    private mutating func mutate(_ bytes: inout [UInt8]) {
        let place = Int.random(in: 0...bytes.count, using: &generator)
        let end = min(bytes.count, place + Int.random(in: 0...12, using: &generator))
        switch Int.random(in: 0..<9, using: &generator) {
        case 0 where place < bytes.count:
            bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
        case 1 where place < bytes.count:
            bytes[place] = UInt8.random(in: 0...255, using: &generator)
        case 2:
            bytes.removeSubrange(place..<end)
        case 3:
            bytes.insert(contentsOf: bytes[place..<end], at: Int.random(in: 0...bytes.count, using: &generator))
        case 4:
            bytes.removeSubrange(place...)
        case 5:
            bytes.replaceSubrange(place..<end, with: words.randomElement(using: &generator)!)
        case 6:
            let lineStart = bytes[..<place].lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
            bytes.insert(contentsOf: words.randomElement(using: &generator)!, at: lineStart)
        case 7:
            let other = corpus.randomElement(using: &generator)!
            bytes.replaceSubrange(place..., with: other[Int.random(in: 0...other.count, using: &generator)...])
        default:
            bytes.insert(contentsOf: words.randomElement(using: &generator)!, at: place)
        }
    }
}
