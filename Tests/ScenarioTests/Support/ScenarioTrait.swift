// How scenarios run: their bodies block on sockets and child processes, so they get threads of their
// own, a few at a time, and leave the cooperative pool to the other tests of the process.

import Foundation
import Testing

/// On a suite of scenarios: each of its tests runs on a thread where it may block.
struct ScenarioTrait: SuiteTrait, TestTrait, TestScoping {
    var isRecursive: Bool { true }

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        // A task executor rather than a bare thread, so that failures stay with the test they belong to.
        try await withTaskExecutorPreference(BlockingExecutor.shared) { try await function() }
    }
}

extension Trait where Self == ScenarioTrait {
    static var scenario: Self { ScenarioTrait() }
}

/// Runs jobs that block: as many at once as it has threads.
private final class BlockingExecutor: TaskExecutor {
    static let shared = BlockingExecutor()

    // Scenarios wait more than they compute; more at once would only make each slower on a small machine.
    private let queue = {
        let queue = OperationQueue()
        queue.maxConcurrentOperationCount = 4
        return queue
    }()

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.addOperation { unsafe job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
