// A backend's name with several addresses: one of them that does not answer is no client's problem. In the process,
// since no name of this machine need have several.

import Foundation
import Testing

@testable import Gateway
@testable import Reactor

@Suite struct UpstreamAddressTests {
    @Test("an address that refuses is passed over, without a warning for every request")
    func refusing() async throws {
        let backend = try ScriptedIssuer { _ in .ok("served") }
        let refusing = try ScriptedIssuer(isOpen: false) { _ in .ok("never") }
        let running = try RunningWorker(upstream: [refusing.port, backend.port])
        for _ in 1...3 { #expect(try running.send().response().hasSuffix("served")) }
        #expect(try running.stop() == "")
    }

    @Test("an address that accepts no connection in time is followed by the next")
    func full() async throws {
        let backend = try ScriptedIssuer { _ in .ok("served") }
        let full = try FullListener()
        let running = try RunningWorker(upstream: [full.port, backend.port], connectMilliseconds: 300)
        #expect(try running.send().response().hasSuffix("served"))
        #expect(try running.stop() == "")
    }

    @Test("the address that worked last is tried first")
    func lastGoodFirst() async throws {
        let backend = try ScriptedIssuer { _ in .ok("served") }
        let returning = try ScriptedIssuer(isOpen: false) { _ in .ok("back again") }
        let running = try RunningWorker(upstream: [returning.port, backend.port])
        #expect(try running.send().response().hasSuffix("served"))
        returning.open()
        for _ in 1...3 { #expect(try running.send().response().hasSuffix("served")) }
        _ = try running.stop()
    }

    @Test("requests that come together each find the address that answers", arguments: 0...2)
    func together(place: Int) async throws {
        let backend = try ScriptedIssuer { _ in .ok("served") }
        let refusing = try (0..<2).map { _ in try ScriptedIssuer(isOpen: false) { _ in .ok("never") } }
        var ports = refusing.map { $0.port }
        ports.insert(backend.port, at: place)
        let running = try RunningWorker(upstream: ports)
        let clients = try running.atOnce { try (0..<20).map { _ in try running.send() } }
        for client in clients { #expect(try client.response().hasSuffix("served")) }
        #expect(try running.stop() == "")
    }

    @Test("an address that another request has found first meanwhile is not skipped")
    func foundByAnother() async throws {
        let backend = try ScriptedIssuer { _ in .ok("served") }
        let full = try FullListener()
        let running = try RunningWorker(upstream: [full.port, backend.port], connectMilliseconds: 1000)
        let first = try running.send()
        // The second one's time is over well after the first one has its connection.
        usleep(300_000)
        let second = try running.send()
        #expect(try first.response().hasSuffix("served"))
        #expect(try second.response().hasSuffix("served"))
        #expect(try running.stop() == "")
    }

    @Test("where no address answers, the client learns how the last one failed, and the log once")
    func none() async throws {
        let refusing = try (0..<2).map { _ in try ScriptedIssuer(isOpen: false) { _ in .ok("never") } }
        let running = try RunningWorker(upstream: refusing.map { $0.port })
        #expect(try running.send().response().contains("\"code\":\"upstream_unreachable\""))
        let warnings = try running.stop().split(separator: "\n")
        #expect(warnings.count == 1)
        #expect(warnings.first?.contains("no connection: Connection refused") == true)
    }

    @Test("a connection to an address that the name no longer leads to is closed, and its server not asked again")
    func moved() async throws {
        let old = try ScriptedIssuer { _ in .kept(response("old")) }
        let new = try ScriptedIssuer { _ in .kept(response("new")) }
        let running = try RunningWorker(upstream: [old.port])
        #expect(try running.send().response().hasSuffix("old"))
        running.moveUpstream(to: [new.port])
        #expect(try running.send().response().hasSuffix("new"))
        while old.connectionsEnded == 0 { usleep(1000) }
        #expect(old.paths.count == 1)
        #expect(try running.stop() == "")
    }

    @Test("a connection that was in use while its address left goes to no other request")
    func movedInUse() async throws {
        let old = try ScriptedIssuer { _ in .kept(response("old"), isHeld: true) }
        let new = try ScriptedIssuer { _ in .ok("new") }
        let running = try RunningWorker(upstream: [old.port])
        let inFlight = try running.send()
        while old.paths.isEmpty { usleep(1000) }
        running.moveUpstream(to: [new.port])
        #expect(try running.send().response().hasSuffix("new"))
        old.release()
        #expect(try inFlight.response().hasSuffix("old"))
        #expect(try running.send().response().hasSuffix("new"))
        #expect(old.paths.count == 1)
        #expect(try running.stop() == "")
    }

}

private func response(_ body: String) -> [UInt8] {
    Array("HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)".utf8)
}
