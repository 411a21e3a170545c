// What the tests of this module share: files in memory, and the way to this tree's own files.

import CertificateFixtures
import Configuration
import JOSEFixtures

/// Files by path. Patterns know `*` at the place of a whole file name's beginning: `dir/*.conf`.
struct MemoryFiles: ConfigurationFiles {
    /// A key set of one key, the one of RFC 7515 appendix A.3.
    static let keySet = """
        {"keys":[{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",\
        "y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}
        """
    /// The same key in PEM, as openssl writes it.
    static let publicKey = """
        -----BEGIN PUBLIC KEY-----
        MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEf83OJ3D2xF1Bg8vub9tLe1gHMzV7
        6e8Tus9uPHvRVEXH8UTNG72bfocs3+257rn0s2ldbqkLJK2KRiMohYjlrQ==
        -----END PUBLIC KEY-----

        """
    /// That key and one that Node made, both without a kid.
    static let twoUnnamedKeys = String(keySet.dropLast(2)) + """
        ,{"kty":"EC","crv":"P-256","x":"6qqNg7-ZfCVynIgUfrzAH0ErlwPYG4RsHYB7gjFGnPY",\
        "y":"nwumuF62KLM0b8EKmt-f4Dpu73JrpqFRU6MTSoIG1dQ"}]}
        """
    /// What an authorities file has to look like; nobody connects here.
    static let authorities = "-----BEGIN CERTIFICATE-----\nMAo=\n-----END CERTIFICATE-----\n"

    static let keys = ["keys.json": keySet, "ca.pem": authorities, "mint.pem": IndependentTokens.p256PEM]
        .merging(tls) { $1 }

    var contents: [String: String]

    init(_ contents: [String: String] = [:]) {
        self.contents = contents
    }

    func read(_ path: String, bytesMax: Int) throws(FileProblem) -> [UInt8] {
        guard let text = contents[path] else { throw FileProblem(reason: "No such file or directory") }
        guard text.utf8.count <= bytesMax else { throw FileProblem(reason: "it has more than \(bytesMax) bytes") }
        return Array(text.utf8)
    }

    /// Those whose name says so.
    func isReadableByEveryone(_ path: String) -> Bool { path.contains("for-all") }

    func paths(matching pattern: String) throws(FileProblem) -> [String] {
        let parts = pattern.split(separator: "*", maxSplits: 1, omittingEmptySubsequences: false)
        return contents.keys.filter { $0.hasPrefix(parts[0]) && $0.hasSuffix(parts[1]) }.sorted()
    }
}

extension MemoryFiles {
    /// A directory is a path that ends in a slash; `shared` in it: others can write to it.
    func isWritableByOthers(directory path: String) throws(FileProblem) -> Bool {
        guard let text = contents[path + "/"] else { throw FileProblem(reason: "No such file or directory") }
        return text == "shared"
    }
}

extension MemoryFiles {
    /// Certificates and keys of a test authority's, by the names that tests give them; none where it could not be made.
    static let tls: [String: String] = {
        do {
            let authority = try TestAuthority()
            let server = try authority.issue("/CN=server", names: ["DNS:server.example", "DNS:www.server.example"])
            var files = ["clients.pem": authority.certificate.pem, "encrypted.key": try TestAuthority.encrypted(server)]
            let pairs: [(String, TestCertificate)] = [
                ("server", server),
                ("same", try authority.issue("/CN=same", names: ["DNS:server.example"])),
                ("server-rsa", try authority.issue("/CN=rsa", names: ["DNS:server.example"], key: .rsa)),
                ("wild", try authority.issue("/CN=wild", names: ["DNS:*.wild.example"])),
                ("unnamed", try authority.issue("/CN=unnamed.example", names: [])),
                ("old", try authority.issue("/CN=old", names: ["DNS:old.example"], validity: .past)),
                ("new", try authority.issue("/CN=new", names: ["DNS:new.example"], validity: .future)),
                ("feeble", try authority.issue("/CN=weak", names: ["DNS:weak.example"], key: .weakRSA)),
            ]
            for (name, pair) in pairs {
                files[name + ".pem"] = pair.pem
                files[name + ".key"] = pair.key
            }
            files["both"] = server.pem + server.key
            files["for-all.key"] = server.key
            files["damaged.pem"] = String(server.pem.replacing("MII", with: "MIJ"))
            files["damaged.key"] = String(server.key.replacing("MIG", with: "MIH"))
            return files
        } catch {
            return [:]
        }
    }()
}

/// The result of loading one text as `proxy.conf`.
func load(
    _ text: String, flags: CommandLineOverrides = CommandLineOverrides(), environment: [String: String] = [:],
    files: [String: String] = [:]
) -> LoadResult {
    ConfigurationLoader.load(
        file: "proxy.conf", flags: flags, environment: environment,
        files: MemoryFiles(files.merging(["proxy.conf": text]) { $1 }))
}

/// The configuration that a text with these lines in it gives, on top of the least that is needed.
func configuration(
    main: String = "", listen: String? = nil, issuer: String = "", upstream: String = ""
) -> ProxyConfiguration? {
    load(minimal(main: main, listen: listen, issuer: issuer, upstream: upstream), files: MemoryFiles.keys).configuration
}

/// The least that mints, and more of its block.
func minimalMint(_ block: String = "") -> String {
    "authorization mint; mint { key_file mint.pem; issuer https://old.example/; audience a; \(block) }"
}

/// - Parameter listen: what stands in the block of a listener that speaks TLS; nil: there is none.
func minimal(main: String = "", listen: String? = nil, issuer: String = "", upstream: String = "") -> String {
    let listener = listen.map { "listen 8443 tls { certificate server.pem; certificate_key server.key; \($0) }" }
    return """
        upstream http://127.0.0.1:3000 { \(upstream) }
        issuer https://issuer.example/ { audience https://api.example; \(issuer) }
        \(main)
        \(listener ?? "")
        """
}

extension LoadResult {
    var messages: [String] { diagnostics.map(\.message) }

    /// All diagnostics as they are shown, one after another.
    var report: String { diagnostics.map { $0.rendered(colour: false) + "\n" }.joined() }
}

/// The top of this package.
let packageRoot: String = {
    let parts = #filePath.split(separator: "/").dropLast(3)
    return "/" + parts.joined(separator: "/") + "/"
}()

func treeText(_ path: String) throws -> String {
    String(decoding: try LocalFiles().read(packageRoot + path, bytesMax: 1 << 20), as: UTF8.self)
}
