// What the key cache has its shell do, and what is worth telling about it.

public import JOSE

/// What the shell does after an event. It also sets its timer to `deadline` anew.
public enum KeyAction: Sendable {
    case none
    /// Fetch or read this, and answer with `fetched`.
    case fetch(KeyFetch)
    /// Hand `material` to every worker, which releases the requests that wait.
    case publish(KeyNews)
}

/// What is worth a log line or a count at a publication.
public struct KeyNews: Sendable {
    /// Set where the condition has changed since the last note.
    public var note: KeyNote?
    /// Set at the end of every attempt.
    public var attempt: KeyAttemptEnd?

    public init(note: KeyNote? = nil, attempt: KeyAttemptEnd? = nil) {
        self.note = note
        self.attempt = attempt
    }
}

/// A change of what an issuer's tokens are verified with, worth one log line.
public enum KeyNote: Sendable {
    case serving(KeySet, from: KeyFetch.Source)
    /// Nothing has been fetched yet; keys that were so long ago, and stored, serve meanwhile.
    case servingStored(KeySet, ageSeconds: Int64)
    /// The last attempt failed; the keys from before serve on.
    case servingStale(KeySet, reason: String)
    /// No fetched keys are left; those of the pinned file serve.
    case servingPinned(KeySet, reason: String)
    case unavailable(reason: String)
}

/// What an attempt came to, all its steps together; `failed` even where a pinned file then stood in.
public enum KeyAttemptEnd: Sendable {
    case succeeded(KeySet, from: KeyFetch.Source)
    case failed(String)
}

/// A key policy that names no place to get keys from.
public struct KeySourceError: Error, Sendable, Equatable, CustomStringConvertible {
    public let issuer: String
    public let reason: String

    public var description: String { "issuer \(issuer): \(reason)" }
}
