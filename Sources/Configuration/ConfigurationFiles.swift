// What the loader needs of the outside world, so that loading itself is a function of text.

/// The files that a configuration is read from.
public protocol ConfigurationFiles: Sendable {
    /// The bytes of a file; one with more than `bytesMax` is an error.
    func read(_ path: String, bytesMax: Int) throws(FileProblem) -> [UInt8]

    /// Whether every user of the machine may read the file; false where it is not there.
    func isReadableByEveryone(_ path: String) -> Bool

    /// The paths that match a `glob(7)` pattern, in order; none is no error.
    func paths(matching pattern: String) throws(FileProblem) -> [String]

    /// Whether anyone but this process's user can write to a directory; one in which this process cannot make files is an
    /// error.
    func isWritableByOthers(directory path: String) throws(FileProblem) -> Bool
}

/// Why a file could not be read, in words that follow "cannot be read: ".
public struct FileProblem: Error, Sendable, Equatable {
    public var reason: String

    public init(reason: String) {
        self.reason = reason
    }
}
