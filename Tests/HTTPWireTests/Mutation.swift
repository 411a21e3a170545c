// Seeded mutations that know what HTTP is made of: most of what they make is nearly right.

/// SplitMix64: the same seed gives the same run everywhere.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// What a mutation puts in: line ends, separators, and the words that frame and route.
private let tokens: [[UInt8]] = [
    "\r\n", "\n", "\r", "\r\n\r\n", " ", "\t", ":", ": ", ",", ";", "=", "\"", "\\", "\u{00}", "\u{7F}", "\u{80}",
    "\u{FF}", "\u{0B}", "/",
    "//", "?", "#", "%", "%00", "%0d", "%41", "*", "@", "[", "]", "_", "-", "+", "0", "1", "5", "a", "F", "0x",
    "ffffffffffffffff",
    "Content-Length: 5\r\n", "Content-Length: 005\r\n", "Transfer-Encoding: chunked\r\n",
    "Transfer-Encoding: gzip, chunked\r\n",
    "Host: a\r\n", "Host: b:80\r\n", "Connection: close\r\n", "Connection: keep-alive, upgrade\r\n", "Upgrade: x\r\n",
    "Expect: 100-continue\r\n",
    "X: y\r\n", " z\r\n", "HTTP/1.0", "HTTP/1.1", "HTTP/2.0", "http://a", "GET ", "HEAD ", "OPTIONS ", " 204 ", " 304 ",
    " 100 ", "chunked", "0\r\n\r\n",
].map(octets)

/// One to four changes to one of `corpus`.
func mutate(_ corpus: [[UInt8]], using generator: inout SeededGenerator) -> [UInt8] {
    var bytes = corpus.randomElement(using: &generator)!
    for _ in 0..<Int.random(in: 1...4, using: &generator) {
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
            bytes.replaceSubrange(place..<end, with: tokens.randomElement(using: &generator)!)
        case 6:
            let lineStart = bytes[..<place].lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
            bytes.insert(contentsOf: tokens.randomElement(using: &generator)!, at: lineStart)
        case 7:
            let other = corpus.randomElement(using: &generator)!
            bytes.replaceSubrange(place..., with: other[Int.random(in: 0...other.count, using: &generator)...])
        default:
            bytes.insert(contentsOf: tokens.randomElement(using: &generator)!, at: place)
        }
    }
    return bytes
}

/// Lengths at which `count` bytes have arrived: a few random ones, each byte now and then, all of them at the end.
func arrivals(of count: Int, using generator: inout SeededGenerator) -> [Int] {
    if Int.random(in: 0..<8, using: &generator) == 0 { return Array(0...count) }
    return (0..<3).map { _ in Int.random(in: 0...count, using: &generator) }.sorted() + [count]
}
