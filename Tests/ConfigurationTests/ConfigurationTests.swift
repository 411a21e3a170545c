import Admission
import Configuration
import JOSE
import Testing

@Suite("Configuration from a file")
struct ConfigurationTests {
    @Test("the least that is needed gives the defaults")
    func minimalFile() throws {
        let result = load(minimal())
        #expect(result.messages == [])
        let expected = ProxyConfiguration(
            upstream: UpstreamPolicy(servers: [.init(.tcp(host: "127.0.0.1", port: 3000))]),
            admission: AdmissionPolicy(issuers: [
                IssuerPolicy(identifier: "https://issuer.example/", audiences: ["https://api.example"])
            ]))
        #expect(result.configuration == expected)
    }

    @Test("every directive reaches its field")
    func everything() throws {
        let result = load(
            """
            listen 9090; listen [::1]:9091 proxy_protocol; listen *:9092; listen unix:/run/a.sock proxy_protocol;
            listen 127.0.0.1:0;
            trusted_proxies 10.0.0.0/8 2001:db8::/32;
            trusted_proxies unix: ::1;
            upstream http://backend_1 {
                server unix:/run/b.sock weight=1000;
                server http://[::1]:3000;
                balance least_connections;
                keepalive 7;
                health_check /healthz?deep=1 fall=5 interval=500ms rise=1;
                resolve 1m;
            }
            reserved_headers X-User- x_auth_;
            error_detail terse;
            workers 3;
            token_cache 0;
            admin unix:/run/admin.sock host=A.example host=b;
            access_log logs/access.log combined;
            error_log /var/log/e.log debug;
            client_header_timeout 1s;
            client_body_timeout 2s;
            keepalive_timeout 0;
            client_header_max_size 1k;
            proxy_header_max_size 3k;
            authorization strip;
            forward {
                claim sub X-User;
                claim "https://example.com/claims" "a=b" X-Roles join='|' encoding=percent;
                claim a X-A "join= ";
                claim b X-B encoding=base64url;
                payload X-Claims;
                payload X-Claims-64 base64url;
            }
            client_max_body_size 5m;
            max_connections 11;
            proxy_connect_timeout 500ms;
            proxy_send_timeout 4s;
            proxy_read_timeout 5;
            shutdown_timeout 6s;
            gzip on;
            gzip_types application/json Image/SVG+xml application/json;
            gzip_min_length 2k;
            gzip_comp_level 9;
            issuer https://a.example/Realm%2F {
                audience one two;
                audience three;
                jwks_uri https://keys.example/jwks?x=1;
                jwks_file keys.json;
                jwks_ca ca.pem;
                algorithms ES256 EdDSA;
                token_types at+jwt -;
                leeway 0;
                max_lifetime 1h;
                require scope read:x write:x;
                require scope admin;
                require claim email_verified equals true;
                require claim "https://example.com/claims" roles contains staff "a b";
                require claim "equals";
                jwks_refresh 1m;
                jwks_max_stale 2h;
                jwks_cooldown 10s;
                jwks_timeout 1500ms;
            }
            issuer https://b.example { audience one; jwks_file /abs/keys.json; }
            """, files: [
                "keys.json": MemoryFiles.keySet, "ca.pem": MemoryFiles.authorities, "/abs/keys.json": MemoryFiles.keySet,
            ])
        #expect(result.messages == [])
        var expected = ProxyConfiguration(
            listeners: [
                ListenerPolicy(endpoint: .tcp(host: "*", port: 9090)),
                ListenerPolicy(endpoint: .tcp(host: "::1", port: 9091), takesProxyHeader: true),
                ListenerPolicy(endpoint: .tcp(host: "*", port: 9092)),
                ListenerPolicy(endpoint: .unix(path: "/run/a.sock"), takesProxyHeader: true),
                ListenerPolicy(endpoint: .tcp(host: "127.0.0.1", port: 0)),
            ],
            trustedProxies: TrustedProxies(
                ranges: [
                    try AddressRange(parsing: "10.0.0.0/8"), try AddressRange(parsing: "2001:db8::/32"),
                    try AddressRange(parsing: "::1"),
                ],
                includesUnixSockets: true),
            upstream: UpstreamPolicy(
                servers: [
                    .init(.tcp(host: "backend_1", port: 80)), .init(.unix(path: "/run/b.sock"), weight: 1000),
                    .init(.tcp(host: "::1", port: 3000)),
                ],
                balance: .leastConnections, keepalive: 7,
                healthCheck: .init(target: "/healthz?deep=1", intervalMilliseconds: 500, rise: 1, fall: 5),
                resolveMilliseconds: 60_000),
            admission: AdmissionPolicy(
                issuers: [
                    IssuerPolicy(
                        identifier: "https://a.example/Realm%2F", audiences: ["one", "two", "three"],
                        algorithms: [.es256, .edDSA], tokenTypes: [.named("at+jwt"), .absent], leewaySeconds: 0,
                        maxLifetimeSeconds: 3600,
                        requirements: Requirements(
                            scopes: ["read:x", "write:x", "admin"],
                            claims: [
                                ClaimRequirement(ClaimPath(["email_verified"]), .equals(["true"])),
                                ClaimRequirement(
                                    ClaimPath(["https://example.com/claims", "roles"]), .contains(["staff", "a b"])),
                                ClaimRequirement(ClaimPath(["equals"]), .present),
                            ]),
                        keys: KeyPolicy(
                            source: .uri("https://keys.example/jwks?x=1"), file: "keys.json", refreshSeconds: 60,
                            maxStaleSeconds: 7200, cooldownSeconds: 10, timeoutMilliseconds: 1500,
                            certificateAuthorityFile: "ca.pem")),
                    IssuerPolicy(
                        identifier: "https://b.example", audiences: ["one"],
                        keys: KeyPolicy(source: .fileOnly, file: "/abs/keys.json")),
                ],
                rules: [
                    AccessRules(
                        forward: ForwardPolicy([
                            ForwardedClaim(ClaimPath(["sub"]), "X-User"),
                            ForwardedClaim(
                                ClaimPath(["https://example.com/claims", "a=b"]), "X-Roles", join: UInt8(ascii: "|"),
                                encoding: .percent),
                            ForwardedClaim(ClaimPath(["a"]), "X-A", join: UInt8(ascii: " ")),
                            ForwardedClaim(ClaimPath(["b"]), "X-B", encoding: .base64url),
                            ForwardedClaim(ClaimPath([]), "X-Claims", encoding: .json),
                            ForwardedClaim(ClaimPath([]), "X-Claims-64", encoding: .base64url),
                        ]),
                        authorization: .strip)
                ],
                reservedHeaderPrefixes: ["X-User-", "x_auth_"], errorDetail: .terse, tokenCacheEntries: 0),
            workers: .fixed(3),
            accessLog: AccessLog(destination: .file("logs/access.log"), format: .combined),
            errorLog: ErrorLog(destination: .file("/var/log/e.log"), level: .debug),
            limits: Limits(headerBytes: 1024, upstreamHeaderBytes: 3072, bodyBytes: 5 << 20, connections: 11),
            timeouts: Timeouts(
                clientHeader: 1000, clientBody: 2000, keepalive: 0, proxyConnect: 500, proxySend: 4000, proxyRead: 5000,
                shutdown: 6000),
            gzip: GzipPolicy(
                isOn: true, types: .listed(["text/html", "application/json", "image/svg+xml"].map { Array($0.utf8) }),
                lengthMin: 2048, level: 9))
        expected.admin = .unix(path: "/run/admin.sock")
        expected.adminHosts = ["a.example", "b"]
        #expect(result.configuration == expected)
    }

    @Test("An admin address takes what a listener takes, and warns where other machines can reach it", arguments: [
        ("127.0.0.1:9090", .tcp(host: "127.0.0.1", port: 9090), false),
        ("127.9.9.9:9090", .tcp(host: "127.9.9.9", port: 9090), false),
        ("[::1]:9090", .tcp(host: "::1", port: 9090), false),
        ("unix:/run/admin.sock", .unix(path: "/run/admin.sock"), false),
        ("127.0.0.1:0", .tcp(host: "127.0.0.1", port: 0), false),
        ("9090", .tcp(host: "*", port: 9090), true),
        ("*:9090", .tcp(host: "*", port: 9090), true),
        ("0.0.0.0:9090", .tcp(host: "0.0.0.0", port: 9090), true),
        ("[::]:9090", .tcp(host: "::", port: 9090), true),
        ("10.0.0.1:9090", .tcp(host: "10.0.0.1", port: 9090), true),
    ] as [(String, Endpoint, Bool)])
    func admin(text: String, endpoint: Endpoint, warns: Bool) {
        let result = load(minimal(main: "admin \(text);"))
        #expect(result.configuration?.admin == endpoint)
        #expect(result.messages.count == (warns ? 1 : 0), "\(result.messages)")
    }

    @Test("An admin address where a listener is, as far as the spelling tells, is an error", arguments: [
        ("", "127.0.0.1:8080"), ("", "8080"), ("listen 8080;", "[::1]:8080"), ("listen [::]:8080;", "10.0.0.1:8080"),
        ("listen 127.0.0.1:1; listen unix:/a.sock;", "unix:/a.sock"),
    ])
    func adminCollides(listeners: String, admin: String) {
        let result = load(minimal(main: "\(listeners) admin \(admin);"))
        #expect(result.configuration == nil)
        #expect(result.messages.contains { $0.contains("is where clients connect already") }, "\(result.messages)")
    }

    @Test("Another port, another address and a port of the system's choice are no collision", arguments: [
        ("", "127.0.0.1:8081"), ("", "127.0.0.2:8080"), ("listen 127.0.0.1:0;", "127.0.0.1:0"),
        ("listen unix:/a.sock;", "unix:/b.sock"),
    ])
    func adminBeside(listeners: String, admin: String) {
        #expect(load(minimal(main: "\(listeners) admin \(admin);")).configuration?.admin != nil)
    }

    @Test(
        "upstreams",
        arguments: [
            ("http://127.0.0.1:3000", .tcp(host: "127.0.0.1", port: 3000)),
            ("http://127.0.0.1/", .tcp(host: "127.0.0.1", port: 80)),
            ("HTTP://[::1]:3000", .tcp(host: "::1", port: 3000)),
            ("http://backend.internal", .tcp(host: "backend.internal", port: 80)),
            ("https://backend.internal", .tcp(host: "backend.internal", port: 443)),
            ("HTTPS://127.0.0.1:8443/", .tcp(host: "127.0.0.1", port: 8443)),
            ("unix:/run/backend.sock", .unix(path: "/run/backend.sock")),
        ] as [(String, Endpoint)])
    func upstreams(url: String, endpoint: Endpoint) {
        let result = load("upstream \(url); issuer https://issuer.example/ { audience a; }")
        #expect(result.configuration?.upstream?.servers.map(\.endpoint) == [endpoint])
    }

    @Test(
        "what is no upstream",
        arguments: [
            "https://a/b", "ftp://a", "a", "a:80", "http://a/b", "http://a?b", "http://a#b", "http://u@a", "http://u:p@a",
            "http://a:0", "http://", "unix:", "http://unix:/run/a.sock", "unix:/run/\\0", "\"\"",
        ])
    func noUpstreams(url: String) {
        let result = load("upstream \(url); issuer https://issuer.example/ { audience a; }")
        #expect(result.configuration == nil)
        #expect(result.messages.count == 1)
    }

    @Test("servers in the block need no URL in front of it, and are as many as there may be")
    func serversAlone() {
        func servers(_ count: Int) -> LoadResult {
            let lines = (0..<count).map { "server http://127.0.0.1:\(3000 + $0);" }.joined(separator: " ")
            return load("upstream { \(lines) } issuer https://issuer.example/ { audience a; }")
        }
        let most = UpstreamPolicy.serversMax
        #expect(
            servers(most).configuration?.upstream?.servers.map(\.endpoint)
                == (0..<most).map { .tcp(host: "127.0.0.1", port: UInt16(3000 + $0)) })
        #expect(servers(most + 1).messages == ["more than \(most) servers"])
    }

    @Test("legacy audiences have a bound over all issuers, and the first beyond it is what is shown")
    func legacyAudienceCount() {
        func issuers(_ counts: [Int]) -> String {
            counts.enumerated().map { issuer, count in
                let lines = (0..<count).map { "    legacy_audience old-\($0) { name n\($0); }\n" }.joined()
                return "issuer https://issuer-\(issuer).example/ {\n    audience a;\n\(lines)}\n"
            }.joined() + "upstream http://127.0.0.1:3000;\n"
        }
        let most = AdmissionPolicy.legacyAudiencesMax
        #expect(load(issuers([most - 1, 1])).messages == [])
        for counts in [[most - 1, 2], [most + 1], [most * 10, 1]] {
            let result = load(issuers(counts))
            #expect(result.configuration == nil)
            #expect(result.messages.count == 1)
            #expect(result.messages.first?.hasPrefix("more than 64 legacy audiences, over all issuers; delete") == true)
            let place = counts == [most - 1, 2] ? "legacy_audience old-1 " : "legacy_audience old-64 "
            #expect(result.report.contains(place))
        }
    }

    @Test("a health check's path has a bound")
    func healthCheckPath() {
        func check(_ count: Int) -> ProxyConfiguration? {
            configuration(upstream: "health_check /\(String(repeating: "a", count: count - 1));")
        }
        #expect(check(1024)?.upstream?.healthCheck?.target.utf8.count == 1024)
        #expect(check(1025) == nil)
    }

    @Test("relative paths start from the file that says them")
    func paths() throws {
        let files = MemoryFiles([
            "/etc/a/proxy.conf": "include sub/*.conf; access_log a.log; error_log log/e.log; listen unix:run/a.sock;",
            "/etc/a/sub/1.conf": "upstream unix:b.sock;",
            "/etc/a/sub/2.conf": "issuer https://issuer.example/ { audience a; jwks_file keys.json; }",
            "/etc/a/sub/keys.json": MemoryFiles.keySet,
        ])
        let result = ConfigurationLoader.load(file: "/etc/a/proxy.conf", environment: [:], files: files)
        let configuration = try #require(result.configuration)
        #expect(configuration.accessLog == AccessLog(destination: .file("/etc/a/a.log")))
        #expect(configuration.errorLog.destination == .file("/etc/a/log/e.log"))
        #expect(configuration.listeners == [ListenerPolicy(endpoint: .unix(path: "/etc/a/run/a.sock"))])
        #expect(configuration.upstream?.servers == [.init(.unix(path: "/etc/a/sub/b.sock"))])
        #expect(configuration.admission.issuers[0].keys.file == "/etc/a/sub/keys.json")
    }

    @Test("a file that is not there, too large, or nested too deep is an error, and the only one")
    func unreadable() {
        let missing = ConfigurationLoader.load(file: "x.conf", environment: [:], files: MemoryFiles())
        #expect(missing.report == "x.conf: error: cannot be read: No such file or directory\n")
        let large = load(String(repeating: "#\n", count: (1 << 19) + 1))
        #expect(large.report == "proxy.conf: error: cannot be read: it has more than 1048576 bytes\n")

        let nested = Dictionary(uniqueKeysWithValues: (0..<20).map { ("\($0).conf", "include \($0 + 1).conf;") })
        #expect(
            load("include 0.conf;", files: nested).messages
                == ["too many files: at most 256, and at most 8 inside each other"])
        let blocks = load(String(repeating: "a {", count: 1000) + String(repeating: "}", count: 1000))
        #expect(blocks.messages.contains("blocks are nested deeper than 16 levels"))
    }

    @Test("more problems than anyone reads are counted")
    func flood() {
        let result = load(String(repeating: "bogus;\n", count: 2000))
        #expect(result.diagnostics.count == 501)
        #expect(result.messages.last == "1502 more problems are not shown")
        #expect(result.configuration == nil)
    }

    @Test("what a message shows cannot drive a terminal")
    func controlCharacters() throws {
        let flags = CommandLineOverrides(upstream: "http://a\u{1B}[31m\u{202E}\n")
        let report = load(minimal(main: "\u{1B}[31m 5;"), flags: flags).report
        #expect(!report.unicodeScalars.contains { $0 == "\u{1B}" || $0 == "\u{202E}" })
        #expect(report.contains("\\u{1B}"))
    }

    @Test("colour is added where it is asked for, and only there")
    func colour() throws {
        let diagnostic = try #require(load(minimal(main: "bogus;")).diagnostics.first)
        let plain = diagnostic.rendered(colour: false)
        let coloured = diagnostic.rendered(colour: true)
        #expect(coloured.contains("\u{1B}[1;31merror:\u{1B}[0m"))
        #expect(plain == "proxy.conf:3:1: error: unknown directive 'bogus'\nbogus;\n^")
    }
}
