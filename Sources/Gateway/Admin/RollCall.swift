// Asking several loops, and waiting for all of them, but not for ever.

import Reactor

/// One question to several, on the loop of whoever asks.
final class RollCall<Answer: Sendable>: TimerHandler {
    /// Passes the question on, and has `answer` called, once, on whatever queue.
    typealias Question = @Sendable (_ answer: @escaping @Sendable (Answer) -> Void) -> Void

    private let loop: EventLoop
    private var answers: [Answer?]
    private var timer: TimerID?
    private let completion: ([Answer?]) -> Void

    /// Asks, and calls `completion` once, later: with every answer in the order of the questions, or, after so many
    /// milliseconds, with nil in the place of those that have not come.
    static func take(
        on loop: EventLoop, _ questions: [Question], withinMilliseconds milliseconds: Int64,
        completion: @escaping ([Answer?]) -> Void
    ) {
        precondition(!questions.isEmpty)
        let call = RollCall(loop: loop, count: questions.count, completion)
        let timer = loop.addTimer(call)
        call.timer = timer
        loop.schedule(timer, at: loop.now + milliseconds * 1_000_000)
        let bound = loop.bind(call)
        let mailbox = loop.mailbox
        for (index, question) in questions.enumerated() {
            question { answer in
                mailbox.post { bound.unwrapped.answered(index, answer) }
            }
        }
    }

    private init(loop: EventLoop, count: Int, _ completion: @escaping ([Answer?]) -> Void) {
        self.loop = loop
        self.completion = completion
        answers = Array(repeating: nil, count: count)
    }

    private func answered(_ index: Int, _ answer: Answer) {
        // Too late, where the time is over.
        guard timer != nil else { return }
        answers[index] = answer
        if answers.allSatisfy({ $0 != nil }) { end() }
    }

    func timerFired(_ timer: TimerID) {
        end()
    }

    private func end() {
        guard let held = timer else { return }
        timer = nil
        loop.removeTimer(held)
        completion(answers)
    }
}
