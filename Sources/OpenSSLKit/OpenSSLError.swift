/// A failure inside OpenSSL, as its error queue told it.
public struct OpenSSLError: Error, Sendable, Equatable {
    public let operation: String
    public let reason: String
}
