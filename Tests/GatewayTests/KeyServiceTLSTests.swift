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

    init() throws {
        directory = FileManager.default.temporaryDirectory.appendingPathComponent("antechamber-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        certificate = directory.appendingPathComponent("cert.pem").path
        let key = directory.appendingPathComponent("key.pem").path
        let response = "HTTP/1.1 200 OK\r\nContent-Length: \(KeySets.a.utf8.count)\r\n\r\n\(KeySets.a)"
        try response.write(to: directory.appendingPathComponent("keys"), atomically: true, encoding: .utf8)
        let request = Self.openssl([
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, "-days", "2",
            "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
        ])
        request.standardError = FileHandle.nullDevice
        try request.run()
        request.waitUntilExit()
        #expect(request.terminationStatus == 0)

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

    private static func openssl(_ arguments: [String]) -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["openssl"] + arguments
        return process
    }
}
