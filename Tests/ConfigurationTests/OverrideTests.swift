import Admission
import Configuration
import Testing

@Suite("Flags and environment")
struct OverrideTests {
    private let file = """
        listen 1; listen 2;
        upstream http://file { keepalive 9; }
        issuer https://file.example/ { audience file; leeway 5s; }
        """
    private let environment = [
        "ANTECHAMBER_LISTEN": "127.0.0.1:3", "ANTECHAMBER_UPSTREAM": "http://environment",
        "ANTECHAMBER_ISSUER": "https://environment.example/", "ANTECHAMBER_AUDIENCE": "e1, e2",
    ]
    private let flags = CommandLineOverrides(
        listen: ["4", "unix:flag.sock"], upstream: "http://flag", issuer: "https://flag.example/",
        audience: ["f1", "f,2"])

    @Test("flags alone are a configuration")
    func flagsAlone() throws {
        let result = ConfigurationLoader.load(flags: flags, environment: [:], files: MemoryFiles())
        #expect(result.messages == [])
        let configuration = try #require(result.configuration)
        #expect(configuration.listeners.map(\.endpoint) == [.tcp(host: "*", port: 4), .unix(path: "flag.sock")])
        #expect(configuration.upstream == UpstreamPolicy(servers: [.init(.tcp(host: "flag", port: 80))]))
        #expect(
            configuration.admission.issuers
                == [IssuerPolicy(identifier: "https://flag.example/", audiences: ["f1", "f,2"])])
    }

    @Test("the environment alone is a configuration, its audiences separated by commas")
    func environmentAlone() throws {
        let result = ConfigurationLoader.load(environment: environment, files: MemoryFiles())
        #expect(result.messages == [])
        let configuration = try #require(result.configuration)
        #expect(configuration.listeners.map(\.endpoint) == [.tcp(host: "127.0.0.1", port: 3)])
        #expect(
            configuration.admission.issuers
                == [IssuerPolicy(identifier: "https://environment.example/", audiences: ["e1", "e2"])])
    }

    @Test("a flag beats the environment, and the environment beats the file")
    func precedence() throws {
        let both = try #require(load(file, environment: environment).configuration)
        #expect(both.listeners.map(\.endpoint) == [.tcp(host: "127.0.0.1", port: 3)])
        #expect(both.upstream == UpstreamPolicy(servers: [.init(.tcp(host: "environment", port: 80))], keepalive: 9))
        #expect(
            both.admission.issuers
                == [IssuerPolicy(identifier: "https://environment.example/", audiences: ["e1", "e2"])])

        let all = try #require(load(file, flags: flags, environment: environment).configuration)
        #expect(all.listeners.map(\.endpoint) == [.tcp(host: "*", port: 4), .unix(path: "flag.sock")])
        #expect(all.upstream == UpstreamPolicy(servers: [.init(.tcp(host: "flag", port: 80))], keepalive: 9))
        #expect(all.admission.issuers.map(\.audiences) == [["f1", "f,2"]])
    }

    @Test("an upstream replaces every server of the file, and leaves how they are used")
    func upstreamOnly() throws {
        let text = """
            upstream http://one { server http://two weight=3; balance least_connections; resolve 5s; health_check /up; }
            issuer https://file.example/ { audience file; }
            """
        let flags = CommandLineOverrides(upstream: "http://flag")
        #expect(
            load(text, flags: flags).configuration?.upstream
                == UpstreamPolicy(
                    servers: [.init(.tcp(host: "flag", port: 80))], balance: .leastConnections,
                    healthCheck: .init(target: "/up"), resolveMilliseconds: 5_000))
        // A file may leave it to whoever starts the proxy where the backend is.
        let without = "upstream { keepalive 3; } issuer https://file.example/ { audience file; }"
        #expect(
            load(without, flags: flags).configuration?.upstream
                == UpstreamPolicy(servers: [.init(.tcp(host: "flag", port: 80))], keepalive: 3))
        #expect(load(without).configuration == nil)
    }

    @Test("an audience replaces those of the file's only issuer and leaves its other settings")
    func audienceOnly() throws {
        let flags = CommandLineOverrides(audience: ["new"])
        let configuration = try #require(load(file, flags: flags).configuration)
        #expect(
            configuration.admission.issuers
                == [IssuerPolicy(identifier: "https://file.example/", audiences: ["new"], leewaySeconds: 5)])
        let bare = load("upstream http://a; issuer https://file.example/;", flags: flags)
        #expect(bare.configuration?.admission.issuers.map(\.audiences) == [["new"]])
    }

    @Test("an issuer does not inherit the audiences of the issuer it replaces")
    func issuerOnly() {
        let result = load(file, flags: CommandLineOverrides(issuer: "https://flag.example/"))
        #expect(result.configuration == nil)
        #expect(result.report.hasPrefix("--issuer: error: 'audience' is missing: without one, every token"))
    }

    @Test("an audience for several issuers is nobody's")
    func severalIssuers() {
        let text = file + "issuer https://other.example { audience other; }"
        let result = load(text, flags: CommandLineOverrides(audience: ["new"]))
        #expect(result.configuration == nil)
        #expect(result.report.hasPrefix("--audience: error: the configuration has 2 issuers"))
        let named = load(text, flags: CommandLineOverrides(issuer: "https://flag.example/", audience: ["new"]))
        #expect(named.configuration?.admission.issuers.map(\.audiences) == [["new"]])
    }

    @Test("an empty variable counts as not set; an empty flag does not")
    func empty() throws {
        let unset = environment.mapValues { _ in "" }.merging(["ANTECHAMBER_CONFIG": ""]) { $1 }
        let configuration = try #require(load(file, environment: unset).configuration)
        #expect(configuration.upstream?.servers == [.init(.tcp(host: "file", port: 80))])
        #expect(configuration.admission.issuers.map(\.audiences) == [["file"]])
        let flags = CommandLineOverrides(upstream: "", issuer: "", audience: [""])
        #expect(load(file, flags: flags).configuration == nil)
    }

    @Test("errors name the flag or variable they are in")
    func errors() {
        let result = ConfigurationLoader.load(
            flags: CommandLineOverrides(listen: ["1", "1", "localhost:1"], upstream: "wss://a"),
            environment: ["ANTECHAMBER_ISSUER": "http://issuer.example", "ANTECHAMBER_AUDIENCE": "a,,b,"],
            files: MemoryFiles())
        #expect(
            result.diagnostics.map { $0.rendered(colour: false) } == [
                "--listen: error: '1' is listened at twice; the first is at --listen",
                "--listen: error: 'localhost' is a name, and a name may have many addresses; "
                    + "expected 8080, 127.0.0.1:8080, [::]:8080 or unix:/path",
                "--upstream: error: unknown scheme 'wss'; expected http://host[:port], https://host[:port] or unix:/path",
                "ANTECHAMBER_AUDIENCE: error: '' is not an audience; expected 1 to 1024 bytes of text",
                "ANTECHAMBER_AUDIENCE: error: '' is not an audience; expected 1 to 1024 bytes of text",
                "ANTECHAMBER_ISSUER: error: 'http://issuer.example' is not https: whoever can alter the traffic could "
                    + "put in keys of their own; plain http is taken for loopback addresses only; or name its jwks_uri "
                    + "or jwks_file",
            ])
    }

    @Test("nothing at all says what is missing")
    func nothing() {
        let result = ConfigurationLoader.load(environment: [:], files: MemoryFiles())
        #expect(
            result.diagnostics.map { $0.rendered(colour: false) } == [
                "antechamber: error: 'upstream' is missing: say where admitted requests go, with 'upstream URL;', "
                    + "--upstream or ANTECHAMBER_UPSTREAM",
                "antechamber: error: 'issuer' is missing: say whose tokens are trusted, with "
                    + "'issuer URL { audience A; }', --issuer or ANTECHAMBER_ISSUER",
            ])
    }

    @Test("what a flag overrides still has to be right in the file")
    func overriddenIsChecked() {
        let result = load(
            "upstream nonsense; issuer https://file.example/ { audience a; }",
            flags: CommandLineOverrides(upstream: "http://flag"))
        #expect(result.configuration == nil)
    }

    @Test("ANTECHAMBER_CONFIG names the file unless --config does")
    func configFile() {
        let files = MemoryFiles(["a.conf": minimal(main: "workers 1;"), "b.conf": minimal(main: "workers 2;")])
        func workers(_ file: String?, _ environment: [String: String]) -> WorkerCount? {
            ConfigurationLoader.load(file: file, environment: environment, files: files).configuration?.workers
        }
        #expect(workers(nil, ["ANTECHAMBER_CONFIG": "a.conf"]) == .fixed(1))
        #expect(workers("b.conf", ["ANTECHAMBER_CONFIG": "a.conf"]) == .fixed(2))
        #expect(workers(nil, [:]) == nil)
    }
}
