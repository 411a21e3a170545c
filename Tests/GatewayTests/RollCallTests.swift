// Asking loops that answer, and one that does not.

import Dispatch
import Reactor
import Synchronization
import Testing

@testable import Gateway

@Suite("Asking every worker")
struct RollCallTests {
    private func take(
        _ questions: [RollCall<Int>.Question], withinMilliseconds milliseconds: Int64
    ) throws -> [Int?] {
        let loop = try EventLoop(label: "test.control", lingerMilliseconds: 0)
        let bound = loop.bind(loop)
        let answers = Mutex<[Int?]>([])
        let isOver = DispatchSemaphore(value: 0)
        loop.mailbox.post {
            RollCall.take(on: bound.unwrapped, questions, withinMilliseconds: milliseconds) { result in
                answers.withLock { $0 += result }
                isOver.signal()
            }
        }
        loop.resume()
        isOver.wait()
        loop.mailbox.post { bound.unwrapped.close() }
        return answers.withLock { $0 }
    }

    @Test("All answers come in the order of the questions, whoever answers first")
    func all() throws {
        let last = Mutex<(@Sendable (Int) -> Void)?>(nil)
        let answers = try take(
            [
                { answer in last.withLock { $0 = answer } },
                { answer in
                    answer(2)
                    last.withLock { $0?(1) }
                },
            ], withinMilliseconds: 3_600_000)
        #expect(answers == [1, 2])
    }

    @Test("One that never answers is missing after the time, and the others are there")
    func missing() throws {
        #expect(try take([{ $0(1) }, { _ in }, { $0(3) }], withinMilliseconds: 50) == [1, nil, 3])
    }

    @Test("A second answer, or one that comes too late, changes nothing")
    func late() throws {
        let kept = Mutex<(@Sendable (Int) -> Void)?>(nil)
        let answers = try take(
            [
                { answer in
                    answer(1)
                    answer(9)
                    kept.withLock { $0 = answer }
                }, { _ in },
            ], withinMilliseconds: 50)
        #expect(answers.count == 2 && answers[1] == nil)
        kept.withLock { $0?(7) }
    }
}
