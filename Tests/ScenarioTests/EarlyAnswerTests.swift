// An origin that answers before it has read the upload: both directions go on, each to its own end.

import Foundation
import Synchronization
import Testing

@Suite("Early answers", .scenario)
struct EarlyAnswerTests {
    @Test("An origin may answer before the upload is done")
    func unfinishedUpload() throws {
        try Scene.play(origin: { connection in
            _ = try connection.head()
            try connection.answer("no need", status: "413 Content Too Large", fields: ["Connection: close"])
            connection.waitForClose()
        }) { scene throws in
            let client = try scene.client()
            try client.request("POST", "/", token: scene.token(), fields: ["Content-Length: 1000000"])
            try client.send("only a part")
            let response = try client.response()
            #expect(response.status == 413)
            #expect(response.text == "no need")
        }
    }

    @Test("An upload whose end the proxy has to keep for a while still arrives whole")
    func endOfUploadIsHeld() throws {
        let mayRead = Mutex(false)
        try Scene.play(origin: { connection in
            _ = try connection.head()
            try connection.send("HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nearly\r\n")
            try eventually("the origin may read", within: 120) { mayRead.withLock { $0 } }
            try connection.receive(upTo: "0\r\n\r\n")
            try connection.send("4\r\ndone\r\n0\r\n\r\n")
        }) { scene throws in
            let client = try scene.client()
            try client.request("POST", "/", token: scene.token(), fields: ["Transfer-Encoding: chunked"])
            #expect(try client.responseHead().status == 200)
            let upstream = try #require(scene.origin.connections.first)
            let before = try upstream.sentByProxy()

            // The body ends just after the buffers between proxy and origin are full: the client is rid of all of
            // it, and the proxy is not.
            let block = latin1Bytes("8000\r\n" + String(repeating: "x", count: 0x8000) + "\r\n")
            var blocks = 0
            func heldByProxy() throws -> Int { try blocks * block.count - (upstream.sentByProxy() - before) }
            func readByProxy() throws -> Bool { try client.socket.unreadByPeer() == 0 }
            var looks = 0
            while looks < 20 {
                // With one block more it is still below what makes the proxy stop reading.
                if try heldByProxy() >= 0x4000 {
                    // A moment between reading and sending looks the same, and passes.
                    looks += 1
                    Thread.sleep(forTimeInterval: 0.005)
                    continue
                }
                looks = 0
                try client.send(block)
                blocks += 1
                try eventually("the proxy reads", holds: readByProxy)
            }
            try client.send("0\r\n\r\n")
            try eventually("the proxy reads the end", holds: readByProxy)

            mayRead.withLock { $0 = true }
            #expect(try latin1Text(client.rest()) == "5\r\nearly\r\n4\r\ndone\r\n0\r\n\r\n")
            #expect(upstream.bytes.count { $0 == UInt8(ascii: "x") } >= blocks * 0x8000)
        }
    }

    @Test("An answer that is followed by a reset, as the upload was not wanted, reaches the client")
    func answerThenReset() throws {
        let rounds = 60
        try Scene.play(origin: { connection in
            _ = try connection.head()
            try connection.answer("too big", status: "413 Content Too Large", fields: ["Connection: close"])
            connection.socket.reset()
        }) { scene throws in
            let token = scene.token()
            let body = [UInt8](repeating: UInt8(ascii: "x"), count: 900_000)
            var answers: [String: Int] = [:]
            for _ in 0..<rounds {
                let client = try scene.client()
                try client.request("POST", "/", token: token, fields: ["Content-Length: \(body.count)"])
                // Not all of it need be taken.
                try? client.send(body)
                let response = try client.response()
                answers["\(response.status) \(response.text)", default: 0] += 1
            }
            #expect(answers == ["413 too big": rounds])
        }
    }
}
