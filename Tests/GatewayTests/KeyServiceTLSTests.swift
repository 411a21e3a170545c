// Who the key server is: certificates are checked, and `jwks_ca` is the only authority where it is named.
// The server is OpenSSL's own.

import Admission
import Foundation
import Testing

@testable import Gateway

@Suite struct KeyServiceTLSTests {
    @Test("a server that jwks_ca vouches for is believed")
    func vouchedFor() async throws {
        let server = try TLSKeyServer()
        let harness = try KeyServiceHarness([
            .testing(.uri("https://127.0.0.1:\(server.port)/keys"), ca: server.certificate)
        ])
        try await harness.waitFor("a")
    }

    @Test("a server that proves itself to nobody we trust, or under another name, is not asked for keys", arguments: [
        ("https://127.0.0.1", false, "TLS: SSL certificate problem: self"),
        ("https://localhost", true, "TLS: SSL: no alternative certificate subject name matches"),
    ])
    func refused(_ origin: String, _ isTrusted: Bool, _ reason: String) async throws {
        let server = try TLSKeyServer()
        let harness = try KeyServiceHarness([
            .testing(.uri("\(origin):\(server.port)/keys"), ca: isTrusted ? server.certificate : nil)
        ])
        try await harness.waitFor("none")
        try await harness.waitForLine(reason)
    }

    @Test("a certificate that has expired is not believed, whoever vouches for it")
    func expired() async throws {
        let server = try TLSKeyServer(isExpired: true)
        let harness = try KeyServiceHarness([
            .testing(.uri("https://127.0.0.1:\(server.port)/keys"), ca: server.certificate)
        ])
        try await harness.waitFor("none")
        try await harness.waitForLine("TLS: SSL certificate problem: certificate has expired")
    }

    @Test("a redirect from TLS into the clear is not followed, were it to the same host")
    func redirectIntoTheClear() async throws {
        let issuer = try ScriptedIssuer { _ in .ok(KeySets.a) }
        let server = try TLSKeyServer(response: "HTTP/1.1 302 x\r\nLocation: \(issuer.origin)/keys\r\n\r\n")
        let harness = try KeyServiceHarness([
            .testing(.uri("https://127.0.0.1:\(server.port)/keys"), ca: server.certificate)
        ])
        try await harness.waitFor("none")
        try await harness.waitForLine("redirected to another origin, \(issuer.origin): not followed")
        #expect(issuer.paths.isEmpty)
    }

    @Test("an authority file that is missing trusts nobody")
    func missingAuthority() async throws {
        let server = try TLSKeyServer()
        let harness = try KeyServiceHarness([
            .testing(.uri("https://127.0.0.1:\(server.port)/keys"), ca: "/nonexistent.pem")
        ])
        try await harness.waitFor("none")
        try await harness.waitForLine("TLS: ")
    }

    @Test("a server in clear where TLS is due is not believed")
    func inClear() async throws {
        let issuer = try ScriptedIssuer { _ in .ok(KeySets.a) }
        let harness = try KeyServiceHarness([
            .testing(.uri("https://127.0.0.1:\(issuer.port)/keys"), timeout: 3000)
        ])
        try await harness.waitFor("none")
        #expect(issuer.paths.isEmpty)
    }
}

/// `openssl s_server` with a self-signed certificate for 127.0.0.1, serving a key set.
private final class TLSKeyServer {
    let port: Int
    let certificate: String
    private let directory: URL
    private let server: Process

    /// - Parameter response: what it answers, byte for byte.
    init(isExpired: Bool = false, response: String = good) throws {
        directory = FileManager.default.temporaryDirectory.appendingPathComponent("antechamber-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        certificate = directory.appendingPathComponent("cert.pem").path
        let key = directory.appendingPathComponent("key.pem").path
        try response.write(to: directory.appendingPathComponent("keys"), atomically: true, encoding: .utf8)
        let name = ["-newkey", "rsa:2048", "-nodes", "-keyout", key, "-subj", "/CN=127.0.0.1"]
        if isExpired {
            // Only its certificate authority lets OpenSSL choose the time.
            let (request, configuration) = (directory.path + "/request.pem", directory.path + "/ca.cnf")
            try """
                [ca]
                default_ca = here
                [here]
                database = \(directory.path)/index.txt
                new_certs_dir = \(directory.path)
                default_md = sha256
                policy = policy
                rand_serial = yes
                x509_extensions = extensions
                [policy]
                commonName = supplied
                [extensions]
                subjectAltName = IP:127.0.0.1

                """.write(toFile: configuration, atomically: true, encoding: .utf8)
            try Data().write(to: directory.appendingPathComponent("index.txt"))
            try Self.run(["req", "-new", "-out", request] + name)
            try Self.run([
                "ca", "-batch", "-config", configuration, "-selfsign", "-keyfile", key, "-in", request, "-out", certificate,
                "-startdate", "20200101000000Z", "-enddate", "20200201000000Z", "-notext",
            ])
        } else {
            let subject = ["-days", "2", "-addext", "subjectAltName=IP:127.0.0.1"]
            try Self.run(["req", "-x509", "-out", certificate] + name + subject)
        }

        server = Self.openssl(["s_server", "-accept", "127.0.0.1:0", "-cert", certificate, "-key", key, "-HTTP"])
        server.currentDirectoryURL = directory
        let output = Pipe()
        server.standardOutput = output
        server.standardError = FileHandle.nullDevice
        server.standardInput = Pipe()
        try server.run()
        // It says "ACCEPT 127.0.0.1:PORT".
        var text = ""
        while !(text.contains("ACCEPT") && text.hasSuffix("\n")) {
            let data = output.fileHandleForReading.availableData
            if data.isEmpty { break }
            text += String(decoding: data, as: UTF8.self)
        }
        let digits = text.split(separator: "\n").first { $0.hasPrefix("ACCEPT") }?.split(separator: ":").last
        port = try #require(digits.flatMap { Int($0) })
    }

    deinit {
        // Not SIGTERM: the child inherits a mask that blocks it, and would stay for ever.
        kill(server.processIdentifier, SIGKILL)
        server.waitUntilExit()
        try? FileManager.default.removeItem(at: directory)
    }

    static let good = "HTTP/1.1 200 OK\r\nContent-Length: \(KeySets.a.utf8.count)\r\n\r\n\(KeySets.a)"

    private static func run(_ arguments: [String]) throws {
        let command = openssl(arguments)
        command.standardError = FileHandle.nullDevice
        try command.run()
        command.waitUntilExit()
        #expect(command.terminationStatus == 0, "openssl \(arguments[0])")
    }

    private static func openssl(_ arguments: [String]) -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["openssl"] + arguments
        return process
    }
}
