// The one crossing for state that belongs to a queue.

public import Dispatch

/// A value that may be carried anywhere but touched only on its queue: any other use stops the process.
public struct QueueBound<Value>: @unchecked Sendable {
    // Unchecked because the compiler cannot see the check below, which every access goes through.
    private let value: Value
    private let queue: DispatchQueue

    public init(_ value: Value, on queue: DispatchQueue) {
        self.value = value
        self.queue = queue
    }

    public var unwrapped: Value {
        dispatchPrecondition(condition: .onQueue(queue))
        return value
    }
}
