// Names that a real Node server could take for ours, in spellings that nobody thought of: generated, sent, and looked
// for among what Node received.

import Foundation
import Testing

@Suite("Spellings of header names, as Node received them", .scenario)
struct HeaderSpellingTests {
    /// What nobody may say, not even a trusted proxy.
    private static let never = [
        "X-Auth-Subject", "X-Auth-Status", "X-Auth-Issuer", "X-Auth-Audience", "X-Auth-Client", "X-Auth-Scope",
        "X-Auth-Expires", "X-Auth-Roles", "X-Original-URL", "X-Rewrite-URL", "X-Original-Host",
    ]
    /// What a trusted proxy may say, in the usual spelling only.
    private static let trustedOnly = [
        "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Port", "Forwarded", "X-Real-IP",
        "X-Request-Id", "traceparent", "tracestate", "CF-Connecting-IP",
    ]
    private static let ours = [
        "x-auth-subject", "x-auth-status", "x-auth-issuer", "x-auth-audience", "x-auth-client", "x-auth-scope",
        "x-auth-expires", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "forwarded", "x-request-id",
        "traceparent",
    ]
    private static let requests = 30
    private static let namesPerRequest = 80

    @Test("None of them arrives, each of ours arrives once, and what only looks alike is left alone", arguments: [false, true])
    func spellings(peerIsTrusted: Bool) throws {
        let main = peerIsTrusted ? "trusted_proxies 127.0.0.1;" : ""
        try withTemporaryFolder { folder in
            let node = try RecordingNode(in: folder)
            try Scene.play(main: main + "access_log off;", upstream: "127.0.0.1:\(node.proxiedPort)") { scene throws in
                var random = SeededGenerator(seed: peerIsTrusted ? 2 : 1)
                var sent: [Set<String>] = []
                for number in 0..<Self.requests {
                    let names = (0..<Self.namesPerRequest).map { _ in
                        Self.spelling(peerIsTrusted: peerIsTrusted, using: &random)
                    }
                    sent.append(Set(names))
                    let fields = names.map { "\($0): forged" } + ["X-Autograph: kept-\(number)", "1X-Auth-Subject: kept-\(number)"]
                    try scene.get("/\(number)", token: scene.token(), fields: fields, expecting: 200)
                }
                scene.proxy.child.signal(SIGTERM)
                #expect(try scene.proxy.child.waitForEnd() == .exited(0))
                let seen = try node.finalReport().proxied.seen
                #expect(seen.map(\.target) == (0..<Self.requests).map { "/\($0)" })
                for (request, names) in zip(seen, sent) { check(request, sent: names) }
            }
        }
    }

    private func check(_ request: RecordingNode.Request, sent: Set<String>) {
        let fields = stride(from: 0, to: request.fields.count, by: 2).map {
            (name: request.fields[$0], value: request.fields[$0 + 1])
        }
        for field in fields where field.value.contains("forged") {
            Issue.record("'\(field.name)' reached Node")
        }
        for name in Self.ours {
            let alike = fields.filter { Self.fold($0.name) == Self.fold(name) }
            #expect(alike.count == 1 && alike[0].name.lowercased() == name, "\(name): \(alike)")
        }
        #expect(fields.count { $0.value.hasPrefix("kept-") } == 2)
    }

    /// A name that folds into one that is kept out: other cases, other separators, more of them, fewer of them.
    private static func spelling(peerIsTrusted: Bool, using random: inout SeededGenerator) -> String {
        let isTrustedOnly = Bool.random(using: &random)
        let name = (isTrustedOnly ? trustedOnly : never).randomElement(using: &random)!
        while true {
            var spelled = ""
            for character in name {
                if character == "-" {
                    spelled += String("-_.!~*+|'`^#$%&".randomElement(using: &random)!)
                    if Int.random(in: 0..<4, using: &random) == 0 { spelled.removeLast() }
                } else {
                    let changesCase = Bool.random(using: &random)
                    spelled += changesCase ? (character.isUppercase ? character.lowercased() : character.uppercased()) : String(character)
                }
                if Int.random(in: 0..<12, using: &random) == 0 { spelled += String("-_.".randomElement(using: &random)!) }
            }
            // The spelling that a trusted proxy uses is its own to use.
            if peerIsTrusted, isTrustedOnly, spelled.lowercased() == name.lowercased() { continue }
            return spelled
        }
    }

    private static func fold(_ name: String) -> String {
        name.lowercased().filter { $0.isASCII && ($0.isLetter || $0.isNumber) }
    }
}
