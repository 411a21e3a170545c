import Bytes
import Dispatch
import Synchronization
import Testing

@testable import Reactor

/// A running loop with whatever a test hangs on it, closed at the end.
private struct RunningLoop {
    let loop: EventLoop
    private let bound: QueueBound<EventLoop>

    init(lingerMilliseconds: Int32 = 1) throws {
        loop = try EventLoop(label: "test", lingerMilliseconds: lingerMilliseconds)
        bound = loop.bind(loop)
    }

    /// Runs `body` on the loop and waits for it.
    func sync(_ body: @escaping @Sendable (EventLoop) -> Void) {
        let done = DispatchSemaphore(value: 0)
        let bound = bound
        loop.mailbox.post {
            body(bound.unwrapped)
            done.signal()
        }
        done.wait()
    }

    func close() {
        sync { $0.close() }
    }
}

private final class Recorder: TimerHandler, DescriptorHandler {
    let fired = DispatchSemaphore(value: 0)
    func timerFired(_ timer: TimerID) { fired.signal() }
    func descriptorReady(_ events: ReadyEvents) { fired.signal() }
}

@Suite struct EventLoopTests {
    @Test("messages run on the loop, in the order in which they were posted", arguments: [0, 1] as [Int32])
    func messages(lingerMilliseconds: Int32) throws {
        let running = try RunningLoop(lingerMilliseconds: lingerMilliseconds)
        running.loop.resume()
        let seen = Mutex<[Int]>([])
        let done = DispatchSemaphore(value: 0)
        for number in 0..<1_000 {
            running.loop.mailbox.post { seen.withLock { $0.append(number) } }
        }
        running.loop.mailbox.post { done.signal() }
        done.wait()
        #expect(seen.withLock { $0 } == Array(0..<1_000))
        running.close()
    }

    @Test("messages of many threads all arrive")
    func concurrentMessages() throws {
        let running = try RunningLoop()
        running.loop.resume()
        let count = Atomic<Int>(0)
        let mailbox = running.loop.mailbox
        DispatchQueue.concurrentPerform(iterations: 8) { _ in
            for _ in 0..<500 { mailbox.post { count.add(1, ordering: .relaxed) } }
        }
        running.sync { _ in }
        #expect(count.load(ordering: .relaxed) == 4_000)
        running.close()
    }

    @Test("a deadline wakes a loop that has nothing else to do")
    func timerOfIdleLoop() throws {
        let running = try RunningLoop(lingerMilliseconds: 0)
        let recorder = Recorder()
        let timer = running.loop.addTimer(recorder)
        running.loop.schedule(timer, at: running.loop.now + 30_000_000)
        running.loop.resume()
        #expect(recorder.fired.wait(timeout: .now() + 30) == .success)
        running.close()
    }

    @Test("a later deadline does not keep an earlier one from waking the loop")
    func earlierTimerRearms() throws {
        let running = try RunningLoop(lingerMilliseconds: 0)
        let early = Recorder()
        let late = Recorder()
        let lateTimer = running.loop.addTimer(late)
        let earlyTimer = running.loop.addTimer(early)
        running.loop.schedule(lateTimer, at: running.loop.now + 3_600_000_000_000)
        running.loop.resume()
        running.sync { loop in loop.schedule(earlyTimer, at: loop.now + 20_000_000) }
        #expect(early.fired.wait(timeout: .now() + 30) == .success)
        #expect(late.fired.wait(timeout: .now()) == .timedOut)
        running.close()
    }
}

/// Both ends of a connection through a listener, on one loop.
@Suite struct ConnectionTests {
    private final class Server: ListenerHandler, DescriptorHandler {
        let loop: EventLoop
        let received = Mutex<[UInt8]>([])
        let progress = DispatchSemaphore(value: 0)
        let input = ByteBuffer(capacity: 64)
        private var one: Socket?

        init(loop: EventLoop) {
            self.loop = loop
        }

        var mayAccept: Bool { true }

        func accepted(_ socket: consuming Socket, from peer: SocketAddress) {
            let descriptor = socket.descriptor
            one = consume socket
            _ = try! loop.registerEdge(descriptor, self)
        }

        func cannotAccept(_ error: SystemError) {}

        func descriptorReady(_ events: ReadyEvents) {
            guard events.readable, one != nil else { return }
            let input = input
            while true {
                input.reserve(16)
                guard case .moved = one!.read(into: input) else { break }
                let bytes = input.readable.copied()
                received.withLock { $0 += bytes }
                input.removeAll()
            }
            progress.signal()
        }
    }

    @Test("bytes go through a listener on a port that the kernel chose", arguments: ["127.0.0.1", "::1"])
    func connection(host: String) throws {
        let running = try RunningLoop()
        let server = Server(loop: running.loop)
        let address = try #require(SocketAddress(numericHost: host, port: 0))
        let bound = try BoundSocket(address, unixPath: nil, sharesPort: true)
        #expect(bound.address.port != 0)
        let listener = try Listener(on: running.loop, bound: bound, handler: server)
        running.loop.resume()

        let client = try Socket.connecting(to: bound.address)
        let isConnected = client.wait(for: .write, timeoutMilliseconds: 30_000) && client.pendingError == nil
        #expect(isConnected)
        let output = ByteBuffer(capacity: 16)
        output.append("hello")
        let written = client.write(from: output)
        #expect(written == .moved(5))
        while server.received.withLock({ $0.count }) < 5 {
            try #require(server.progress.wait(timeout: .now() + 30) == .success)
        }
        #expect(server.received.withLock { $0 } == Array("hello".utf8))
        withExtendedLifetime(listener) {}
        running.close()
    }

    @Test("an address that somebody listens at is refused unless the port is shared")
    func addressInUse() throws {
        let first = try BoundSocket(SocketAddress(numericHost: "127.0.0.1", port: 0)!, unixPath: nil, sharesPort: true)
        let second = try BoundSocket(first.address, unixPath: nil, sharesPort: true)
        #expect(second.address.port == first.address.port)
        let failure = #expect(throws: SystemError.self) {
            _ = try BoundSocket(first.address, unixPath: nil, sharesPort: false)
        }
        #expect(failure?.isAddressInUse == true)
    }

    @Test("a Unix path that was left behind is taken over, one in use is not, a file is not touched")
    func unixPaths() throws {
        let path = "/tmp/antechamber-test-\(UInt64.random(in: 0 ... .max)).sock"
        let address = try #require(SocketAddress(unixPath: path))
        let first = try BoundSocket(address, unixPath: path, sharesPort: false)
        let failure = #expect(throws: SystemError.self) {
            _ = try BoundSocket(address, unixPath: path, sharesPort: false)
        }
        #expect(failure?.isAddressInUse == true)
        withExtendedLifetime(first) {}
    }

    @Test("a Unix path that does not fit is no address")
    func longUnixPath() {
        #expect(SocketAddress(unixPath: "/" + String(repeating: "x", count: 200)) == nil)
        #expect(SocketAddress(unixPath: "") == nil)
    }

    @Test(
        "addresses are shown as numbers",
        arguments: [("127.0.0.1", "127.0.0.1"), ("::1", "::1"), ("::ffff:10.1.2.3", "10.1.2.3"), ("*", "::")])
    func shownHost(given: String, shown: String) throws {
        #expect(try #require(SocketAddress(numericHost: given, port: 80)).ip?.description == shown)
    }

    @Test("a name is no numeric address", arguments: ["localhost", "", "1.2.3", "1.2.3.4.5", "[::1]"])
    func notNumeric(host: String) {
        #expect(SocketAddress(numericHost: host, port: 80) == nil)
    }
}

@Suite struct AvailableCPUsTests {
    @Test(
        "a cgroup's quota is a number of CPUs, or none",
        arguments: [
            ("max 100000\n", nil), ("200000 100000\n", 2.0), ("50000 100000", 0.5), ("250000 100000", 2.5),
            ("", nil), ("garbage", nil), ("0 100000", nil), ("100000 0", nil),
        ] as [(String, Double?)])
    func quota(text: String, cpus: Double?) {
        #expect(AvailableCPUs.quota(ofCPUMax: text) == cpus)
    }

    @Test("there is at least one CPU")
    func atLeastOne() {
        #expect(AvailableCPUs.count >= 1)
    }
}

@Suite struct NameResolverTests {
    @Test("a numeric name resolves to itself, and a name that cannot exist fails with a reason")
    func resolves() async throws {
        let good = await withCheckedContinuation { continuation in
            NameResolver.resolve(host: "127.0.0.1", port: 81) { continuation.resume(returning: $0) }
        }
        #expect(try good.get().map(\.ip) == [IPAddress(ipv4: 0x7F00_0001)])
        #expect(try good.get().first?.port == 81)
        let bad = await withCheckedContinuation { continuation in
            NameResolver.resolve(host: "does not exist.invalid", port: 81) { continuation.resume(returning: $0) }
        }
        guard case .failure(let failure) = bad else {
            Issue.record("resolved")
            return
        }
        #expect(!failure.reason.isEmpty)
    }

    @Test("look-ups that hang hold up nothing else, and all of them come to an end")
    func hanging() {
        let count = 300
        let answers = DispatchSemaphore(value: 0)
        let over = DispatchGroup()
        for _ in 0..<count {
            over.enter()
            NameResolver.run({
                answers.wait()
                return .failure(NameResolver.Failure(reason: "late"))
            }) { _ in over.leave() }
        }
        let isReached = DispatchSemaphore(value: 0)
        Countdown(0).whenReached { isReached.signal() }
        #expect(isReached.wait(timeout: .now() + 60) == .success)
        for _ in 0..<count { answers.signal() }
        over.wait()
    }
}
