// Certificates for tests, made when they are needed by OpenSSL's own command: a certificate authority in a folder.

import Foundation

/// A certificate with its key, as files and as text.
public struct TestCertificate: Sendable {
    public let file: String
    public let keyFile: String
    public let pem: String
    public let key: String
    /// The encoding of the certificate.
    public var der: [UInt8] {
        let lines = pem.split(separator: "\n").drop { $0 != "-----BEGIN CERTIFICATE-----" }.dropFirst()
        let text = lines.prefix { $0 != "-----END CERTIFICATE-----" }.joined()
        return Array(Data(base64Encoded: text) ?? Data())
    }
}

public final class TestAuthority: Sendable {
    public enum Key: Sendable {
        case ec, rsa, weakRSA

        fileprivate var arguments: [String] {
            switch self {
            case .ec: ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
            case .rsa: ["-newkey", "rsa:2048"]
            case .weakRSA: ["-newkey", "rsa:1024"]
            }
        }
    }

    /// When a certificate is valid.
    public enum Validity: Sendable {
        case now, past, future

        fileprivate var dates: [String] {
            switch self {
            case .now: ["-startdate", "20200101000000Z", "-enddate", "20991231000000Z"]
            case .past: ["-startdate", "20200101000000Z", "-enddate", "20200201000000Z"]
            case .future: ["-startdate", "20980101000000Z", "-enddate", "20991231000000Z"]
            }
        }
    }

    /// Its own certificate.
    public let certificate: TestCertificate
    private let folder: URL

    public init(_ name: String = "Test Authority") throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("antechamber-ca-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let path = folder.path
        try Self.openssl(
            ["req", "-x509", "-nodes", "-days", "2", "-subj", "/CN=\(name)", "-keyout", "\(path)/ca.key", "-out", "\(path)/ca.pem"]
                + Key.ec.arguments)
        certificate = try Self.read("\(path)/ca.pem", "\(path)/ca.key")
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    /// A certificate of this authority's.
    ///
    /// - Parameters:
    ///   - subject: as `-subj` takes it; of UTF-8.
    ///   - names: of its subjectAltName, such as `DNS:a.example` and `IP:127.0.0.1`; none: it has none.
    public func issue(
        _ subject: String = "/CN=test", names: [String] = ["DNS:localhost", "IP:127.0.0.1"], key: Key = .ec,
        validity: Validity = .now, usage: String? = nil
    ) throws -> TestCertificate {
        let path = folder.path + "/" + UUID().uuidString
        var extensions = ["basicConstraints = critical,CA:FALSE"]
        if !names.isEmpty { extensions.append("subjectAltName = " + names.joined(separator: ",")) }
        if let usage { extensions.append("extendedKeyUsage = \(usage)") }
        // Only its certificate authority lets OpenSSL choose the times.
        try """
            [ca]
            default_ca = here
            [here]
            database = \(path).index
            new_certs_dir = \(folder.path)
            unique_subject = no
            default_md = sha256
            policy = policy
            rand_serial = yes
            x509_extensions = extensions
            [policy]
            organizationName = optional
            organizationalUnitName = optional
            commonName = optional
            [extensions]
            \(extensions.joined(separator: "\n"))

            """.write(toFile: path + ".cnf", atomically: true, encoding: .utf8)
        try Data().write(to: URL(fileURLWithPath: path + ".index"))
        try Self.openssl(
            ["req", "-new", "-nodes", "-utf8", "-subj", subject, "-keyout", path + ".key", "-out", path + ".csr"] + key.arguments)
        try Self.openssl(
            [
                "ca", "-batch", "-config", path + ".cnf", "-cert", certificate.file, "-keyfile", certificate.keyFile,
                "-in", path + ".csr", "-out", path + ".pem", "-notext", "-utf8",
            ] + validity.dates)
        return try Self.read(path + ".pem", path + ".key")
    }

    /// The key of `certificate`, behind a password.
    public static func encrypted(_ certificate: TestCertificate) throws -> String {
        let path = certificate.keyFile + ".encrypted"
        try openssl(["pkey", "-in", certificate.keyFile, "-aes256", "-passout", "pass:secret", "-out", path])
        return try String(contentsOfFile: path, encoding: .utf8)
    }

    private static func read(_ file: String, _ keyFile: String) throws -> TestCertificate {
        TestCertificate(
            file: file, keyFile: keyFile, pem: try String(contentsOfFile: file, encoding: .utf8),
            key: try String(contentsOfFile: keyFile, encoding: .utf8))
    }

    private static func openssl(_ arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["openssl"] + arguments
        // A file, not a pipe: whatever is started at the same moment may inherit a pipe's end, and hold it open for as long
        // as it runs.
        let file = FileManager.default.temporaryDirectory.appending(path: "openssl-\(UUID().uuidString)")
        try Data().write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        process.standardError = try FileHandle(forWritingTo: file)
        process.standardOutput = FileHandle.nullDevice
        process.standardInput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        let text = try Data(contentsOf: file)
        if process.terminationStatus != 0 {
            throw TestAuthorityError(description: "openssl \(arguments[0]): \(String(decoding: text, as: UTF8.self))")
        }
    }
}

public struct TestAuthorityError: Error, CustomStringConvertible {
    public let description: String
}
