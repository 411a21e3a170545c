// Whether requests should be sent here, as a table; and what becomes of an issuer's keys, for whoever watches.

import Admission
import Configuration
import JOSE
import Testing

@testable import Gateway

@Suite("Readiness")
struct ReadinessTests {
    private static let keys: KeySet = {
        let signer = try! TokenSigner(generating: .es256, keyID: "key")
        return try! KeySet(parsing: Array("{\"keys\":[\(signer.publicJWK)]}".utf8).span)
    }()

    private func issuer(_ name: String, _ state: KeyMaterial.State, failure: String? = nil) -> IssuerStatus {
        var history = KeyHistory()
        if let failure { history.note(KeyNews(attempt: .failed(failure)), at: 0) }
        return IssuerStatus(
            issuer: name, material: KeyMaterial(state: state, forcedRefreshAllowedAt: 0), history: history, now: 0)
    }

    private func upstream(_ shownUp: [Bool]?) -> UpstreamHealth {
        let servers = (1...2).map { UpstreamPolicy.Server(.tcp(host: "127.0.0.1", port: $0)) }
        return UpstreamHealth(policy: UpstreamPolicy(servers: servers), serversShownUp: shownUp)
    }

    @Test("With keys, and nothing known of servers, it is ready")
    func ready() {
        let readiness = Readiness(issuers: [issuer("a", .usable(Self.keys))], upstreams: [upstream(nil)], isDraining: false)
        #expect(readiness.isReady)
    }

    @Test("Each issuer without keys is named, with the reason")
    func keysMissing() {
        let readiness = Readiness(
            issuers: [
                issuer("a", .usable(Self.keys)), issuer("b", .pending),
                issuer("c", .unavailable(retryAfterSeconds: 1), failure: "the server answered 500"),
            ], upstreams: [upstream(nil)], isDraining: false)
        #expect(
            readiness.missing == [
                .keys(issuer: "b", reason: "not fetched yet"), .keys(issuer: "c", reason: "the server answered 500"),
            ])
    }

    @Test("One server that checks have shown to be up is enough, and none is not", arguments: [
        ([true, false], true), ([false, true], true), ([false, false], false),
    ])
    func servers(shownUp: [Bool], isReady: Bool) {
        let readiness = Readiness(issuers: [], upstreams: [upstream(shownUp)], isDraining: false)
        #expect(readiness.isReady == isReady)
        #expect(readiness.missing == (isReady ? [] : [.upstream(servers: "127.0.0.1:1, 127.0.0.1:2")]))
    }

    @Test("Each backend has to have one")
    func backends() {
        let up = upstream([true, true])
        #expect(Readiness(issuers: [], upstreams: [up, upstream([false, false])], isDraining: false).missing.count == 1)
        #expect(Readiness(issuers: [], upstreams: [up, upstream(nil), up], isDraining: false).isReady)
    }

    @Test("Draining, it is not ready, whatever else is well")
    func draining() {
        #expect(Readiness(issuers: [], upstreams: [upstream([true])], isDraining: true).missing == [.draining])
    }
}

@Suite("The history of an issuer's keys")
struct KeyHistoryTests {
    private static let url = KeyFetch.Source.file("keys.json")
    private static let keys: KeySet = {
        let signer = try! TokenSigner(generating: .es256, keyID: "key")
        return try! KeySet(parsing: Array("{\"keys\":[\(signer.publicJWK)]}".utf8).span)
    }()
    private static let second: Int64 = 1_000_000_000

    private func age(_ history: KeyHistory, at seconds: Int64) -> Int64? {
        IssuerStatus(
            issuer: "a", material: KeyMaterial(state: .pending, forcedRefreshAllowedAt: 0), history: history,
            now: seconds * Self.second
        ).ageSeconds
    }

    @Test("Keys age from their fetch; a failure leaves them, and the next fetch makes them new")
    func fetched() {
        var history = KeyHistory()
        #expect(age(history, at: 5) == nil)
        history.note(KeyNews(attempt: .succeeded(Self.keys, from: Self.url)), at: 10 * Self.second)
        history.note(
            KeyNews(note: .servingStale(Self.keys, reason: "down"), attempt: .failed("down")), at: 40 * Self.second)
        #expect(age(history, at: 70) == 60)
        #expect(history.last?.outcome == .failed && history.last?.detail == "down")
        history.note(KeyNews(attempt: .succeeded(Self.keys, from: Self.url)), at: 80 * Self.second)
        #expect(age(history, at: 81) == 1)
        #expect(history.count(of: .succeeded) == 2)
        #expect(history.count(of: .failed) == 1)
        #expect(history.last?.detail == "keys.json")
    }

    @Test("Stored keys are as old as they are, and no fetch")
    func stored() {
        var history = KeyHistory()
        history.note(KeyNews(note: .servingStored(Self.keys, ageSeconds: 3600)), at: 10 * Self.second)
        #expect(age(history, at: 11) == 3601)
        #expect(history.count(of: .succeeded) == 0 && history.last == nil)
    }

    @Test("Where no fetched keys are left, there is no age", arguments: [
        KeyNote.servingPinned(KeyHistoryTests.keys, reason: "down"), .unavailable(reason: "down"),
    ])
    func gone(note: KeyNote) {
        var history = KeyHistory()
        history.note(KeyNews(attempt: .succeeded(Self.keys, from: Self.url)), at: 0)
        history.note(KeyNews(note: note, attempt: .failed("down")), at: Self.second)
        #expect(age(history, at: 2) == nil)
        // The same again is no news, and brings no keys back.
        history.note(KeyNews(attempt: .failed("down")), at: 2 * Self.second)
        #expect(age(history, at: 3) == nil)
    }
}
