import Dispatch
import Glibc
import Testing

@testable import Reactor

@Suite struct SignalSourceTests {
    // SIGURG does nothing by itself, so that a source which does not catch it is seen to, and the tests live.
    @Test("a signal is an event from the moment its source is there")
    func atOnce() {
        for _ in 0..<20 {
            let queue = DispatchQueue(label: "test")
            let came = DispatchSemaphore(value: 0)
            let source = SignalSource(SIGURG, on: queue) { came.signal() }
            kill(getpid(), SIGURG)
            #expect(came.wait(timeout: .now() + .seconds(20)) == .success)
            withExtendedLifetime(source) {}
        }
    }
}
