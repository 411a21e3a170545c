// Which server is next, as transcripts: servers are letters, what happens to them stands between the choices.

import Configuration
import Testing

@testable import Gateway

@Suite struct BalancerTests {
    private static let second: Int64 = 1_000_000_000

    /// A group whose servers are called a, b, c …, at a time of its own.
    private final class Group {
        var balancer: Balancer
        var now: Int64 = 1000 * BalancerTests.second
        let count: Int

        init(_ balance: UpstreamPolicy.Balance = .roundRobin, weights: Int...) {
            count = weights.count
            let servers = weights.enumerated().map { index, weight in
                UpstreamPolicy.Server(.tcp(host: "\(index)", port: 80), weight: weight)
            }
            balancer = Balancer(UpstreamPolicy(servers: servers, balance: balance))
            for index in weights.indices { balancer.setHasAddress(index, true) }
        }

        /// The servers of so many requests, one after the other.
        func requests(_ count: Int) -> String {
            String((0..<count).compactMap { _ in order(1).first })
        }

        /// The servers that one request tries, one after the other.
        func order(_ most: Int? = nil) -> String {
            var tried = ServerSet()
            var order = ""
            while order.count < most ?? .max, let index = balancer.choose(except: tried, at: now) {
                tried.insert(index)
                order.unicodeScalars.append(Unicode.Scalar(UInt8(ascii: "a") + UInt8(index)))
            }
            return order
        }

        func setHealthy(_ index: Int, _ isHealthy: Bool) { balancer.setHealthy(index, isHealthy) }
        func fails(_ index: Int) -> Bool { balancer.failed(index, at: now) }
        /// It answers a request that it was given just now.
        func answers(_ index: Int) -> Bool { balancer.answered(index, to: now) }
        func pass(seconds: Int64) { now += seconds * BalancerTests.second }
    }

    @Test("weights are met within a round, and smoothly, as nginx does")
    func weights() {
        let five = Group(weights: 5, 1, 1)
        #expect(five.requests(14) == "aabacaa" + "aabacaa")
        let equal = Group(weights: 1, 1, 1)
        #expect(equal.requests(7) == "abcabca")
        let large = Group(weights: 1000, 1)
        #expect(large.requests(1001).count { $0 == "b" } == 1)
    }

    @Test("one request tries each server once, and then there is none")
    func once() {
        let group = Group(weights: 1, 1, 1)
        #expect(group.order() == "abc")
        #expect(group.order().count == 3)
        let alone = Group(weights: 7)
        #expect(alone.order() == "a")
    }

    @Test("the most servers that there may be are all chosen")
    func most() {
        let servers = (0..<UpstreamPolicy.serversMax).map { UpstreamPolicy.Server(.tcp(host: "\($0)", port: 80)) }
        var balancer = Balancer(UpstreamPolicy(servers: servers))
        var tried = ServerSet()
        while let index = balancer.choose(except: tried, at: 0) { tried.insert(index) }
        #expect((0..<UpstreamPolicy.serversMax).allSatisfy(tried.contains))
    }

    @Test("a server that fails is passed over at once, and the others keep their shares")
    func failing() {
        let group = Group(weights: 1, 2, 1)
        #expect(group.fails(0))
        #expect(group.requests(6) == "bcbbcb")
        group.pass(seconds: 9)
        #expect(!group.requests(6).contains("a"))
    }

    @Test("once it has rested, one request tries it, and its answer brings it back")
    func recovery() {
        let group = Group(weights: 1, 1)
        #expect(group.fails(0))
        group.pass(seconds: 10)
        #expect(group.requests(6).count { $0 == "a" } == 1)
        #expect(!group.requests(4).contains("a"))
        #expect(group.answers(0))
        #expect(group.requests(4).count { $0 == "a" } == 2)
        #expect(!group.answers(0), "it turned once")
    }

    @Test("a trial that fails, or of which nothing is heard, is followed by another rest")
    func trial() {
        let group = Group(weights: 1, 1)
        #expect(group.fails(0))
        group.pass(seconds: 10)
        #expect(group.requests(2).contains("a"))
        #expect(!group.fails(0), "it was down before")
        group.pass(seconds: 9)
        #expect(!group.requests(4).contains("a"))
        group.pass(seconds: 1)
        #expect(group.requests(4).count { $0 == "a" } == 1)
        group.pass(seconds: 9)
        #expect(!group.requests(4).contains("a"))
        group.pass(seconds: 1)
        #expect(group.requests(4).count { $0 == "a" } == 1)
    }

    @Test("an answer to a request from before the failure does not bring a server back")
    func lateAnswer() {
        let group = Group(weights: 1, 1)
        let before = group.now
        group.pass(seconds: 1)
        #expect(group.fails(0))
        let isBack = group.balancer.answered(0, to: before)
        #expect(!isBack)
        #expect(!group.requests(4).contains("a"))
    }

    @Test("where all are down, all are tried")
    func allDown() {
        let group = Group(weights: 1, 1, 1)
        for index in 0..<3 { #expect(group.fails(index)) }
        #expect(group.order().sorted() == ["a", "b", "c"])
        #expect(group.order().sorted() == ["a", "b", "c"])
        group.pass(seconds: 1)
        #expect(group.answers(1))
        #expect(group.requests(3) == "bbb")
    }

    @Test("what health checks have taken out comes behind what has failed once, and what has no address behind all")
    func standings() {
        let group = Group(weights: 1, 1, 1, 1)
        group.balancer.setHasAddress(0, false)
        group.setHealthy(1, false)
        #expect(group.fails(2))
        #expect(group.order() == "dcba")
        group.setHealthy(1, true)
        #expect(group.order(2).contains("b"))
    }

    @Test("health checks that pass bring back a server that has failed")
    func healthy() {
        let group = Group(weights: 1, 1)
        group.setHealthy(0, false)
        #expect(group.fails(0))
        #expect(group.requests(2) == "bb")
        group.setHealthy(0, true)
        #expect(group.requests(2).contains("a"))
    }

    @Test("least connections: the fewest under way for its weight, and in turn where that is equal")
    func leastConnections() {
        let group = Group(.leastConnections, weights: 1, 1, 2)
        #expect(group.requests(4) == "cabc")
        group.balancer.requestStarted(at: 2)
        group.balancer.requestStarted(at: 0)
        #expect(group.requests(2) == "bb")
        group.balancer.requestStarted(at: 1)
        #expect(group.requests(2) == "cc", "one of weight 2 is half as busy")
        group.balancer.requestStarted(at: 2)
        group.balancer.requestEnded(at: 0)
        #expect(group.requests(2) == "aa")
        #expect(group.fails(0))
        #expect(!group.requests(4).contains("a"), "idle, but down")
    }
}
