// What a transfer is asked to do, and how it ended.

/// One GET. Nothing is followed, remembered or read from the user's files: no redirects, cookies or .netrc.
public struct CurlRequest: Sendable {
    /// An absolute http or https URL without credentials in it.
    public var url: String
    /// The bound on everything, from looking the name up to the last byte, in milliseconds.
    public var timeoutMilliseconds: Int
    /// The bound on name look-up, connection and TLS handshake, in milliseconds.
    public var connectTimeoutMilliseconds: Int
    /// The bound on the body, in bytes after decompression.
    public var bodyBytesMax: Int
    public var accept: String
    /// Names, in lower case, of the response fields that the caller wants to see.
    public var responseFields: [String]
    /// PEM file of the only authorities that may vouch for the server; nil: the system's.
    public var certificateAuthorityFile: String?
    /// Whether the proxy that `http_proxy`, `https_proxy` and `no_proxy` name may be used, as curl's users expect.
    /// To be false for loopback, which is another machine from where a proxy stands.
    public var mayUseProxy: Bool
    /// The socket file to connect to, in the place of the URL's host; nil: the host.
    public var unixSocketPath: String?

    public init(
        url: String,
        timeoutMilliseconds: Int,
        connectTimeoutMilliseconds: Int,
        bodyBytesMax: Int,
        accept: String,
        responseFields: [String] = [],
        certificateAuthorityFile: String? = nil,
        mayUseProxy: Bool = true,
        unixSocketPath: String? = nil
    ) {
        self.url = url
        self.timeoutMilliseconds = timeoutMilliseconds
        self.connectTimeoutMilliseconds = connectTimeoutMilliseconds
        self.bodyBytesMax = bodyBytesMax
        self.accept = accept
        self.responseFields = responseFields
        self.certificateAuthorityFile = certificateAuthorityFile
        self.mayUseProxy = mayUseProxy
        self.unixSocketPath = unixSocketPath
    }
}

/// A whole response, whatever its status.
public struct CurlResponse: Sendable, Equatable {
    public var status: Int
    /// The fields that were asked for, by name in lower case; several lines of one name joined by a comma
    /// (RFC 9110 §5.2).
    public var fields: [String: String]
    /// Decompressed.
    public var body: [UInt8]
}

/// Why there is no whole response.
public struct CurlFailure: Error, Sendable, Equatable {
    /// For a log: without the URL, and the same text whenever the same thing goes wrong.
    public var reason: String

    public init(reason: String) {
        self.reason = reason
    }
}

/// How a transfer ended: an HTTP error is a response like any other.
public enum CurlOutcome: Sendable {
    case response(CurlResponse)
    case failed(CurlFailure)
}
