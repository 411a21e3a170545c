import JOSEFixtures
import Testing

@testable import Configuration

@Suite("proxy.conf.example")
struct ExampleTests {
    /// The example with its commented-out directives in force: those are the lines that start with `#   `.
    private func uncommented(_ text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            let indent = line.prefix { $0 == " " }
            let rest = line.dropFirst(indent.count)
            return rest.hasPrefix("#   ") ? indent + rest.dropFirst(4) : line
        }.joined(separator: "\n")
    }

    @Test("it holds as it stands, without a warning")
    func asItStands() throws {
        let result = load(try treeText("proxy.conf.example"))
        #expect(result.report == "")
        #expect(result.configuration?.listeners == [ListenerPolicy(endpoint: .tcp(host: "*", port: 8080))])
    }

    @Test("it holds with every line in force, and its defaults are the defaults")
    func uncommented() throws {
        let text = try treeText("proxy.conf.example")
        let files = MemoryFiles([
            "proxy.conf": uncommented(text), "/etc/antechamber/keys.json": MemoryFiles.keySet,
            "/etc/antechamber/ca.pem": MemoryFiles.authorities,
            "/etc/antechamber/tls.crt": MemoryFiles.tls["server.pem"] ?? "", "/etc/antechamber/tls.key": MemoryFiles.tls["server.key"] ?? "",
            "/etc/antechamber/backend-ca.pem": MemoryFiles.tls["clients.pem"] ?? "",
            "/etc/antechamber/clients.pem": MemoryFiles.tls["clients.pem"] ?? "",
            "/etc/antechamber/secret": "secret of thirty-two characters!\n",
            "/etc/antechamber/mint.pem": IndependentTokens.rsaPEM,
        ])
        let result = ConfigurationLoader.load(file: "proxy.conf", environment: [:], files: files)
        #expect(result.report == "")
        var all = try #require(result.configuration)
        let least = try #require(load(text).configuration)
        // What has no default is an example.
        all.listeners.removeLast(all.listeners.count - 1)
        all.trustedProxies = least.trustedProxies
        #expect(all.admission.tokenSources.removeFirst() == .authorization)
        all.admission.tokenSources = least.admission.tokenSources
        #expect(all.admission.resource?.identifier == "https://api.example.com")
        all.admission.resource = nil
        #expect(all.admission.mint?.issuer == all.admission.issuers[0].identifier)
        all.admission.mint = nil
        all.upstream?.servers.removeSubrange(1...)
        all.upstream?.healthCheck = nil
        all.admission.issuers.removeLast(all.admission.issuers.count - 1)
        all.locations = []
        #expect(all.route.rateLimits.count == 1)
        all.route.rateLimits = []
        all.admission.issuers[0].keys = least.admission.issuers[0].keys
        all.admission.issuers[0].legacyAudiences = []
        all.admission.issuers[0].requirements = least.admission.issuers[0].requirements
        all.admission.rules = least.admission.rules
        #expect(all == least)
    }

    @Test("it has every directive there is")
    func complete() throws {
        let lines = uncommented(try treeText("proxy.conf.example")).split(separator: "\n").map {
            $0.drop { $0 == " " }
        }
        for name in Directive.all.map(\.name) + ["include"] {
            #expect(lines.contains { $0.hasPrefix(name + " ") || $0 == name + ";" }, "\(name)")
        }
    }
}
