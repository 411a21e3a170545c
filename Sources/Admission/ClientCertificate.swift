// The certificate that a client has proved to be its own, as the backend and the log are told of it.
//
// Made once a connection. The fields are set on every request of it, on every route; nobody can send them through.

internal import Bytes

/// A client's verified certificate.
public struct ClientCertificate: Sendable {
    static let fieldNames = [
        "X-Auth-Client-Certificate-Subject", "X-Auth-Client-Certificate-Issuer", "X-Auth-Client-Certificate-Serial",
        "X-Auth-Client-Certificate-SHA256",
    ]

    public let thumbprint: CertificateThumbprint
    /// The four fields, each with its CRLF: names as RFC 4514 writes them, the serial number in upper-case and the SHA-256
    /// of the whole certificate in lower-case hexadecimal.
    public let fieldLines: [UInt8]
    /// The subject for the log: the inside of a JSON string, escaped and cut to a bound, without its quotes.
    public let subjectJSON: [UInt8]

    /// - Parameters:
    ///   - sha256: of the certificate's encoding: 32 bytes.
    ///   - subject: as RFC 4514 writes it.
    ///   - issuer: likewise.
    ///   - serialNumber: in hexadecimal.
    public init(sha256: [UInt8], subject: String, issuer: String, serialNumber: String) {
        thumbprint = CertificateThumbprint(sha256: sha256)
        subjectJSON = LogText.escaped(subject)
        let values = [subject, issuer, serialNumber, thumbprint.hexadecimal]
        var lines: [UInt8] = []
        for (name, value) in zip(Self.fieldNames, values) {
            lines += name.utf8
            lines += ": ".utf8
            FieldValue.append(value, to: &lines)
            lines += "\r\n".utf8
        }
        fieldLines = lines
    }
}
