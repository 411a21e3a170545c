import CertificateFixtures
import Testing

@testable import OpenSSLKit

@Suite("TLS sessions") struct TLSSessionTests {
    /// Whether a second connection, to another context, takes up the session of the first.
    private func isResumed(_ first: TLSServerContext, _ second: TLSServerContext) throws -> Bool {
        let sessions = TLSSessionSlot()
        let before = try connect(to: first, sessions)
        #expect(!before.server.isResumed)
        return try connect(to: second, sessions).server.isResumed
    }

    private func connect(to context: TLSServerContext, _ sessions: TLSSessionSlot) throws -> TLSPair {
        let pair = try TLSPair(context, sessions: sessions)
        #expect(pair.shakeHands() == (.done, .done))
        // Tickets come with the first read (RFC 8446 §4.6.1).
        #expect(try pair.pass("x", from: pair.server, to: pair.client) == "x")
        #expect(pair.client.isResumed == pair.server.isResumed)
        // A session whose connection ends otherwise is not taken up again.
        #expect(pair.client.finishWriting() == .done)
        return pair
    }

    @Test("a session begun at one context is taken up by another that shows and asks for the same", arguments: TLSVersion.allCases)
    func acrossContexts(version: TLSVersion) throws {
        let first = try Certificates.serverContext(versions: version...version)
        let second = try Certificates.serverContext(versions: version...version)
        #expect(first == second)
        #expect(try isResumed(first, first))
        #expect(try isResumed(first, second))
    }

    @Test("a session is not taken up where clients are asked for something else", arguments: TLSVersion.allCases)
    func otherRule(version: TLSVersion) throws {
        func context(_ rule: ClientCertificateRule?) throws -> TLSServerContext {
            try Certificates.serverContext(versions: version...version, asking: rule)
        }
        let own = ClientCertificateRule(authorities: try Certificates.authorities(), isRequired: false)
        let other = ClientCertificateRule(authorities: try Certificates.authorities(Certificates.other), isRequired: false)
        #expect(try isResumed(context(own), context(own)))
        #expect(try !isResumed(context(nil), context(own)))
        #expect(try !isResumed(context(own), context(other)))
        #expect(try !isResumed(context(own), context(nil)))
    }

    @Test("a ticket key seals for an hour, opens for another, and is forgotten")
    func ticketKeys() throws {
        let keys = SessionTicketKeys()
        let life = SessionTicketKeys.sealsForSeconds
        let first = try #require(keys.current(at: 100))
        #expect(keys.current(at: 100 + life - 1)?.name == first.name)
        #expect(keys.named(first.name, at: 100 + life - 1)?.seals == true)
        let second = try #require(keys.current(at: 100 + life))
        #expect(second.name != first.name && second.cipher != first.cipher && second.mac != first.mac)
        #expect(keys.named(first.name, at: 100 + 2 * life - 1)?.seals == false)
        #expect(keys.named(first.name, at: 100 + 2 * life) == nil)
        #expect(keys.named(second.name, at: 100 + 2 * life) != nil)
        #expect(keys.named([UInt8](repeating: 0, count: 16), at: 100 + 2 * life) == nil)
        // Nobody came for long: what is left is too old for anything.
        let third = try #require(keys.current(at: 100 + 10 * life))
        #expect(keys.named(second.name, at: 100 + 10 * life) == nil)
        #expect(keys.named(third.name, at: 100 + 10 * life)?.seals == true)
    }
}
