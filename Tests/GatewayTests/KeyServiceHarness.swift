// A key service on a loop of its own, and everything that it has published and logged.

import Admission
import Foundation
import Observability
import Reactor
import Synchronization
import Testing

@testable import Gateway

final class KeyServiceHarness {
    let service: KeyService
    private let loop: EventLoop
    private let log: KeyServiceLog

    init(_ issuers: [IssuerPolicy], stateDirectory: String? = nil) throws {
        loop = try EventLoop(label: "test.control", lingerMilliseconds: 0)
        let log = KeyServiceLog()
        self.log = log
        service = try KeyService(
            policies: issuers, stateDirectory: stateDirectory.map { StateDirectory($0) }, loop: loop
        ) { level, message in
            log.state.withLock { $0.lines.append((level, message)) }
        }
        service.subscribe { index, material in
            log.state.withLock { $0.published.append((index, KeyServiceLog.render(material))) }
        }
        loop.resume()
        service.start()
    }

    deinit {
        service.stop()
        let bound = loop.bind(loop)
        loop.mailbox.post { bound.unwrapped.close() }
    }

    /// What has been published for an issuer: the key IDs joined, "pending", or "none".
    func published(_ index: Int = 0) -> [String] {
        log.state.withLock { $0.published.filter { $0.0 == index }.map(\.1) }
    }

    /// What has been logged.
    var lines: [(level: LogLevel, message: String)] { log.state.withLock { $0.lines } }

    /// Waits until `keys` are the last that was published.
    func waitFor(_ keys: String, index: Int = 0) async throws {
        try await until("keys \(keys), not \(published(index))") { self.published(index).last == keys }
    }

    /// Waits for a log line that holds `text`.
    func waitForLine(_ text: String) async throws {
        try await until("a line with \(text) in \(lines.map(\.message))") {
            self.lines.contains { $0.message.contains(text) }
        }
    }

    /// Asks, and waits for the answer.
    func want(unknownKeyID: String? = nil) async throws -> String {
        let before = published().count
        service.wantKeys(issuerIndex: 0, unknownKeyID: unknownKeyID.map(KeyIDHash.init))
        try await until("an answer") { self.published().count > before }
        return published().last!
    }
}

/// What the service has told, from its loop.
final class KeyServiceLog: Sendable {
    struct State {
        var published: [(Int, String)] = []
        var lines: [(level: LogLevel, message: String)] = []
    }

    let state = Mutex(State())

    static func render(_ material: KeyMaterial) -> String {
        switch material.state {
        case .pending: "pending"
        case .unavailable: "none"
        case .usable(let keys): keys.keys.map { $0.keyID ?? "-" }.joined()
        }
    }
}

/// Polls until `condition` holds; a loaded machine gets two minutes, twice the longest pause between two fetches.
func until(
    _ what: @autoclosure () -> String, sourceLocation: SourceLocation = #_sourceLocation, _ condition: () -> Bool
) async throws {
    for _ in 0..<24_000 {
        if condition() { return }
        try await Task.sleep(for: .milliseconds(5))
    }
    Issue.record("waited in vain for \(what())", sourceLocation: sourceLocation)
    throw CancellationError()
}

extension IssuerPolicy {
    static func testing(
        _ source: KeySource, issuer: String = "https://issuer.example/", file: String? = nil,
        refresh: Int64 = 600, maxStale: Int64 = 86_400, cooldown: Int64 = 30, timeout: Int64 = 10_000, ca: String? = nil
    ) -> IssuerPolicy {
        IssuerPolicy(
            identifier: issuer, audiences: ["x"],
            keys: KeyPolicy(
                source: source, file: file, refreshSeconds: refresh, maxStaleSeconds: maxStale, cooldownSeconds: cooldown,
                timeoutMilliseconds: timeout, certificateAuthorityFile: ca))
    }
}
