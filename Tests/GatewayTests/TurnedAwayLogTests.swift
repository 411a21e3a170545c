import Foundation
import Observability
import Reactor
import Testing

@testable import Gateway

@Suite("The log of clients that were turned away")
struct TurnedAwayLogTests {
    @Test("So many lines a second, and the next one when the second is over")
    func bound() {
        var allowance = LineAllowance()
        let (start, period, most) = (Int64(1_000), LineAllowance.periodNanoseconds, LineAllowance.linesMax)
        let first = [Int64](repeating: start, count: most) + [start, start + period - 1]
        let written = first.map { allowance.take(at: $0) }
        #expect(written == [Bool](repeating: true, count: most) + [false, false])
        let leftOut = [allowance.takeLeftOut(), allowance.takeLeftOut()]
        #expect(leftOut == [2, 0])
        let next = [Int64](repeating: start + period, count: most + 1).map { allowance.take(at: $0) }
        #expect(next == [Bool](repeating: true, count: most) + [false])
        let more = allowance.takeLeftOut()
        #expect(more == 1)
    }

    private func written(to path: String, _ body: (EventLog, EventLoop) throws -> Void) throws -> [Substring] {
        let log = EventLog(try LogFile(appendingTo: path, lossNote: EventLog.lossNote), level: .info)
        try body(log, EventLoop(label: "test.turned-away", lingerMilliseconds: 0))
        log.flush(timeoutMilliseconds: 30_000)
        return try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
    }

    @Test("What was left out is told of by one line, when the second is over or the worker ends", arguments: [true, false])
    func leftOut(atOnce: Bool) throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "antechamber-\(UUID().uuidString).log").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let lines = try written(to: path) { log, loop in
            let turnedAway = TurnedAwayLog(log, on: loop)
            for index in 0..<LineAllowance.linesMax + 3 { turnedAway.log("client \(index)") }
            let bound = loop.bind(turnedAway)
            if atOnce {
                loop.mailbox.post { bound.unwrapped.flush() }
            }
            loop.resume()
            let deadline = Date() + 30
            var isTold = false
            while !isTold, Date() < deadline {
                usleep(5_000)
                isTold = try String(contentsOfFile: path, encoding: .utf8).contains("more clients")
            }
            #expect(isTold, "nobody has to come for it")
            let ended = DispatchSemaphore(value: 0)
            let held = loop.bind(loop)
            loop.mailbox.post {
                bound.unwrapped.flush()
                held.unwrapped.close()
                ended.signal()
            }
            ended.wait()
        }
        #expect(lines.count == LineAllowance.linesMax + 1)
        for (index, line) in lines.dropLast().enumerated() { #expect(line.hasSuffix("info  client \(index)")) }
        #expect(lines.last?.contains("info  3 more clients came to no request") == true, "\(lines)")
    }
}
