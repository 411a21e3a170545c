// The workers, for whoever has something to tell all of them.

import Reactor
import Synchronization

final class Crew: Sendable {
    private struct Member: Sendable {
        let worker: QueueBound<Worker>
        let loop: Mailbox
    }

    private let members = Mutex<[Member]>([])

    var count: Int { members.withLock { $0.count } }

    func join(_ worker: Worker, on loop: EventLoop) {
        let member = Member(worker: loop.bind(worker), loop: loop.mailbox)
        members.withLock { $0.append(member) }
    }

    /// They end: nobody hears anything from now on.
    func dismiss() {
        members.withLock { $0 = [] }
    }

    /// Runs `message` on each worker's loop, after what was told before.
    func tell(_ message: @escaping @Sendable (_ worker: Worker, _ index: Int) -> Void) {
        for (index, member) in members.withLock({ $0 }).enumerated() {
            member.loop.post { message(member.worker.unwrapped, index) }
        }
    }

    /// The question that `look` answers, for each worker.
    func questions<Answer: Sendable>(_ look: @escaping @Sendable (Worker) -> Answer) -> [RollCall<Answer>.Question] {
        members.withLock { $0 }.map { member in
            { answer in member.loop.post { answer(look(member.worker.unwrapped)) } }
        }
    }
}
