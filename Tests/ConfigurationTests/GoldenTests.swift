// Goldens/NAME.conf is a configuration, Goldens/NAME.expected exactly what is said of it, and NAME.expected of a file
// that holds is empty or has its warnings. ANTECHAMBER_RECORD=1 writes them anew; read the difference before it
// is committed.

import Configuration
import Foundation
import JOSEFixtures
import Testing

@Suite("Diagnostics are exactly as recorded")
struct GoldenTests {
    static let directory = packageRoot + "Tests/ConfigurationTests/Goldens/"
    static let names: [String] = {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        return files.filter { $0.hasSuffix(".conf") }.map { String($0.dropLast(5)) }.sorted()
    }()

    @Test("each golden file", arguments: names)
    func golden(name: String) throws {
        let text = String(
            decoding: try LocalFiles().read(Self.directory + name + ".conf", bytesMax: 1 << 20), as: UTF8.self)
        let result = ConfigurationLoader.load(
            file: "proxy.conf",
            environment: ["BACKEND": "http://127.0.0.1:3000", "INJECTION": "x; audience stolen; }", "EMPTY": ""],
            files: MemoryFiles(MemoryFiles.tls.merging([
                "proxy.conf": text,
                "included/issuer.conf": "audience https://api.example;\nleeway 5;\n",
                "included/wrong.conf": "# a file of its own\nleeway\t5x;\naudience a\n",
                "included/loop.conf": "include again.conf;\n",
                "included/again.conf": "include loop.conf;\n",
                "keys.json": MemoryFiles.keySet,
                "shared/": "shared",
                "secret": "secret of thirty-two characters!\n",
                "secret-64": String(repeating: "0123456789abcdef", count: 4) + "\r\n",
                "secret-for-all": "secret of thirty-two characters!",
                "short": "thirty-one characters, line end\n",
                "key.pem": "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYI\n-----END PUBLIC KEY-----\n",
                "included/empty": "\n",
                "public.pem": MemoryFiles.publicKey,
                "two.json": MemoryFiles.twoUnnamedKeys,
                "cut.pem": "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYI\n",
                "private.pem": "-----BEGIN EC PRIVATE KEY-----\nMAo=\n-----END EC PRIVATE KEY-----\n",
                "mint.pem": IndependentTokens.p256PEM,
                "rsa.pem": IndependentTokens.rsaPEM,
                "old-for-all.pem": PrivateKeys.rsaPKCS1,
                "encrypted.pem": IndependentTokens.encryptedPEM,
                "mixed.pem": PrivateKeys.p256Mixed,
                "weak.pem": PrivateKeys.rsa1024,
            ]) { $1 }))
        let expectedPath = Self.directory + name + ".expected"
        if ProcessInfo.processInfo.environment["ANTECHAMBER_RECORD"] != nil {
            try result.report.write(toFile: expectedPath, atomically: true, encoding: .utf8)
        }
        #expect(result.report == (try String(contentsOfFile: expectedPath, encoding: .utf8)))
        #expect((result.configuration == nil) == result.diagnostics.contains { $0.severity == .error })
    }

    @Test("the goldens are found")
    func found() {
        #expect(Self.names.count >= 15)
    }
}
