// The file that keys are stored in: taken whole, for the very issuer and source it is of, and not for longer than keys
// may serve.

import Admission
import Bytes
import Testing

@testable import Gateway

@Suite struct StoredKeysTests {
    private static let fetchedAt: Int64 = 1_800_000_000
    private static let keys = StoredKeys(
        issuer: "https://issuer.example/", configuredURL: nil, source: "https://issuer.example/jwks",
        fetchedAt: fetchedAt, document: Array(KeySets.a.utf8))

    private func problem(
        _ keys: StoredKeys = keys, for policy: IssuerPolicy = .testing(.discovery), after seconds: Int64 = 0
    ) -> StoredKeysProblem? {
        do throws(StoredKeysProblem) {
            _ = try keys.keys(for: policy, at: Self.fetchedAt + seconds)
            return nil
        } catch {
            return error
        }
    }

    private func problem(parsing bytes: [UInt8]) -> StoredKeysProblem? {
        do throws(StoredKeysProblem) {
            _ = try StoredKeys(parsing: bytes)
            return nil
        } catch {
            return error
        }
    }

    @Test("what was stored is read again, with the age it has by then", arguments: [nil, "https://issuer.example/jwks"])
    func roundTrip(_ configuredURL: String?) throws {
        var keys = Self.keys
        keys.configuredURL = configuredURL
        let read = try StoredKeys(parsing: keys.encoded())
        #expect(read == keys)
        let policy = IssuerPolicy.testing(configuredURL.map { .uri($0) } ?? .discovery)
        let (set, age) = try read.keys(for: policy, at: Self.fetchedAt + 77)
        #expect(set.keys.map(\.keyID) == ["a"])
        #expect(age == 77)
    }

    @Test("whoever looks at the file sees what it is, and can check it")
    func readable() throws {
        let text = String(decoding: Self.keys.encoded(), as: UTF8.self)
        let lines = text.split(separator: "\n", maxSplits: 2)
        #expect(lines[0].wholeMatch(of: /antechamber keys 1 [0-9a-f]{64}/) != nil)
        #expect(lines[1] == """
            {"issuer":"https://issuer.example/","source":"https://issuer.example/jwks","fetched_at":1800000000}
            """)
        #expect(lines[2] == KeySets.a)
        // By sha256sum.
        #expect(lines[0].hasSuffix(Self.checksum))
    }

    private static let checksum = "eed19d4b93f8a71fadbe4e813d227ff07bba513deee90d0e56e1c21066744e36"

    @Test("a file that is cut off anywhere, or has any byte changed, is not taken")
    func damage() throws {
        let whole = Self.keys.encoded()
        for count in 0..<whole.count {
            #expect(problem(parsing: Array(whole.prefix(count))) == .sealed(.damaged), "\(count) bytes")
        }
        for index in whole.indices {
            var changed = whole
            changed[index] ^= 0x01
            // The byte that says the version says another one.
            let isVersion = index == "antechamber keys ".utf8.count
            #expect(problem(parsing: changed) == .sealed(isVersion ? .ofAnotherVersion("0") : .damaged), "byte \(index)")
        }
        #expect(problem(parsing: whole + [0x20]) == .sealed(.damaged))
    }

    @Test("a file of a later version is told from a damaged one")
    func version() throws {
        let text = "antechamber keys 2 something else\n"
        #expect(problem(parsing: Array(text.utf8)) == .sealed(.ofAnotherVersion("2")))
    }

    @Test("keys of another issuer are not taken, however alike it is", arguments: [
        "https://issuer.example", "https://Issuer.example/", "https://other.example/",
    ])
    func otherIssuer(_ issuer: String) {
        #expect(problem(for: .testing(.discovery, issuer: issuer)) == .ofAnotherIssuer("https://issuer.example/"))
    }

    @Test("keys from where the configuration no longer has them come from are not taken")
    func otherSource() {
        var named = Self.keys
        named.configuredURL = "https://issuer.example/jwks"
        #expect(problem(named, for: .testing(.uri("https://issuer.example/jwks"))) == nil)
        for policy in [IssuerPolicy.testing(.discovery), .testing(.uri("https://issuer.example/JWKS"))] {
            #expect(problem(named, for: policy) == .fromElsewhere("https://issuer.example/jwks"))
        }
        #expect(
            problem(for: .testing(.uri("https://issuer.example/jwks"))) == .fromElsewhere("https://issuer.example/jwks"))
    }

    @Test("keys are taken for as long as they may serve, and not from the future")
    func age() {
        #expect(problem(after: 86_399) == nil)
        #expect(problem(after: 86_400) == .tooOld(seconds: 86_400))
        #expect(problem(after: -60) == nil)
        #expect(problem(after: -61) == .fromTheFuture)
        var strange = Self.keys
        for time in [Int64.min, .max] {
            strange.fetchedAt = time
            #expect(problem(strange) != nil)
        }
    }

    @Test("a set that this version cannot use is not taken")
    func unusable() {
        var empty = Self.keys
        empty.document = Array("{\"keys\":[]}".utf8)
        #expect(problem(empty) == .unusable("the key set is empty"))
    }

    @Test("each issuer has a file of its own, whose name is harmless")
    func names() throws {
        let issuers = ["https://a/", "https://a", "../../etc/passwd", "a\u{0}b", String(repeating: "x", count: 2000), ""]
        let names = issuers.map { StoredKeys.fileName(ofIssuer: $0) }
        #expect(Set(names).count == issuers.count)
        #expect(names.allSatisfy { $0.wholeMatch(of: /keys-[0-9a-f]{32}/) != nil })
    }

    @Test("what a log says of a foreign file drives no terminal")
    func hostileFile() throws {
        var hostile = Self.keys
        hostile.issuer = "\u{1B}[2J\nissuer https://issuer.example/: all is well"
        let reason = try #require(problem(hostile)).reason
        #expect(reason.unicodeScalars.allSatisfy { (0x20..<0x7F).contains($0.value) })
    }
}
