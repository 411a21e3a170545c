// Certificates change under a running proxy.

import CertificateFixtures
import Foundation
import Synchronization
import Testing

@Suite("TLS and reloads", .scenario)
struct TLSReloadTests {
    @Test("A new certificate is shown from the reload on, connections stay, and sessions are taken up across it", arguments: [
        "TLSv1.2", "TLSv1.3",
    ])
    func certificate(_ version: String) throws {
        let (first, second) = try (
            TLSScene.authority.get().issue("/CN=first"), TLSScene.authority.get().issue("/CN=second")
        )
        try withTemporaryFolder { folder in
            let (file, key) = (folder.path + "/tls.crt", folder.path + "/tls.key")
            @Sendable func install(_ certificate: TestCertificate) throws {
                try certificate.pem.write(toFile: file, atomically: true, encoding: .utf8)
                try certificate.key.write(toFile: key, atomically: true, encoding: .utf8)
            }
            try install(first)
            let isWanted = Atomic<Bool>(false)
            let isDone = Atomic<Bool>(false)
            let block = "certificate \(file); certificate_key \(key);"
            try Scene.playTLS(block: block, workers: 2, origin: { connection in
                while let request = try connection.request() {
                    if request.startLine.hasPrefix("GET /wait ") {
                        isWanted.store(true, ordering: .relaxed)
                        try eventually("the reload is over", within: 120) { isDone.load(ordering: .relaxed) }
                    }
                    try connection.answer()
                }
            }) { scene throws in
                Thread.detachNewThread {
                    do {
                        try eventually("the request is there") { isWanted.load(ordering: .relaxed) }
                        try install(second)
                        #expect(try scene.proxy.reload())
                    } catch {
                        Issue.record("\(error)")
                    }
                    isDone.store(true, ordering: .relaxed)
                }
                let steps: [TLSStep] = [.handshake, .send(scene.getText("/wait")), .response]
                let outcomes = try scene.tls(
                    with: ["least": version, "most": version], resumes: true,
                    steps + [.send(scene.getText()), .response], steps)
                #expect(outcomes.map(\.statuses) == [[200, 200], [200]], "\(outcomes)")
                #expect(outcomes.map(\.resumed) == [false, true])
                let after = try scene.tls(with: ["least": version, "most": version], steps)[0]
                #expect(try outcomes[0].certificate == TLSScene.hex(TLSScene.sha256(Result { first })))
                #expect(try after.certificate == TLSScene.hex(TLSScene.sha256(Result { second })))
            }
        }
    }

    @Test("A client whose authority is not believed any more has the request at hand answered, and no other", arguments: [
        "TLSv1.2", "TLSv1.3",
    ])
    func authority(_ version: String) throws {
        let (before, after) = try (
            TLSScene.authority.get().certificate.file, TLSScene.otherAuthority.get().certificate.file
        )
        let isWanted = Atomic<Bool>(false)
        let isDone = Atomic<Bool>(false)
        try Scene.playTLS(block: TLSScene.asking("on"), origin: { connection in
            while try connection.request() != nil {
                isWanted.store(true, ordering: .relaxed)
                try eventually("the reload is over", within: 120) { isDone.load(ordering: .relaxed) }
                try connection.answer()
            }
        }) { scene throws in
            Thread.detachNewThread {
                do {
                    try eventually("the request is there") { isWanted.load(ordering: .relaxed) }
                    #expect(try scene.reload("client_ca \(before)", "client_ca \(after)"))
                } catch {
                    Issue.record("\(error)")
                }
                isDone.store(true, ordering: .relaxed)
            }
            let steps: [TLSStep] = [.handshake, .send(scene.getText()), .response]
            let outcomes = try scene.tls(
                with: ["least": version, "most": version], presenting: TLSScene.client, resumes: true,
                steps + [.send(scene.getText()), .response], steps)
            #expect(outcomes.map(\.statuses) == [[200], []], "\(outcomes)")
            #expect(outcomes[0].responses.first?.contains("Connection: close\r\n") == true)
            #expect(outcomes[0].error?.hasPrefix("EOFError") == true)
            #expect(outcomes[1].error?.contains("ALERT") == true)
            #expect(try scene.tls(presenting: TLSScene.stranger, steps)[0].statuses == [200])
        }
    }

    @Test("A certificate that is no good leaves the one before in force")
    func refused() throws {
        try Scene.playTLS { scene throws in
            let steps: [TLSStep] = [.handshake, .send(scene.getText()), .response]
            let before = try scene.tls(steps)[0]
            let other = try TLSScene.wild.get().keyFile
            #expect(try !scene.reload(TLSScene.server.get().keyFile, other))
            let after = try scene.tls(steps)[0]
            #expect(after.statuses == [200])
            #expect(before.certificate == after.certificate)
        }
    }

    @Test("A connection in clear is not served on where TLS has begun to be spoken")
    func clear() throws {
        try Scene.play { scene throws in
            let client = try scene.client()
            try client.get(token: scene.token())
            #expect(try client.finalResponse().status == 200)
            #expect(try scene.reload("listen 127.0.0.1:0 ;", "listen 127.0.0.1:0 tls { \(TLSScene.block()) }"))
            #expect(try client.isClosedByProxy())
        }
    }

    @Test("A listener begins to speak TLS, and ends to")
    func onAndOff() throws {
        try Scene.playTLS { scene throws in
            let block = try " tls  { \(TLSScene.block()) }"
            #expect(try scene.tls([.handshake, .send(scene.getText()), .response])[0].statuses == [200])
            #expect(try scene.reload(block, ";"))
            try scene.get(token: scene.token(), expecting: 200)
            #expect(try scene.reload("listen 127.0.0.1:0;", "listen 127.0.0.1:0\(block)"))
            #expect(try scene.tls([.handshake, .send(scene.getText()), .response])[0].statuses == [200])
        }
    }
}
