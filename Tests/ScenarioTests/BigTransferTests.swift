// Transfers far larger than the memory they may take, fast readers and slow ones.

import Synchronization
import Testing

@Suite("Big transfers", .scenario)
struct BigTransferTests {
    private static let block = [UInt8]((0..<65_536).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) })
    private static let blockCount = 1024
    private static let byteCount = blockCount * block.count
    /// What 64 MiB may add to the proxy's memory: its buffers, and slack for the allocator.
    private static let growthMax = 8 << 20

    @Test("A download of 64 MiB arrives whole, in bounded memory")
    func download() throws {
        try Scene.play(origin: Self.sendingBlocks) { scene throws in
            let token = scene.token()
            #expect(try scene.get("/warm", token: token).text == "warm")
            let before = try scene.proxy.child.residentBytes().present
            let client = try scene.client()
            try client.get("/big", token: token)
            #expect(try client.responseHead()["Content-Length"] == "\(Self.byteCount)")
            for _ in 0..<Self.blockCount { #expect(try client.bytes(Self.block.count) == Self.block) }
            #expect(try scene.proxy.child.residentBytes().peak - before < Self.growthMax)
        }
    }

    @Test("A download of 64 MiB in chunks arrives whole, in bounded memory")
    func chunkedDownload() throws {
        try Scene.play(origin: { connection in
            while let request = try connection.request() {
                guard request.startLine.contains("/big") else {
                    try connection.answer("warm")
                    continue
                }
                try connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                for _ in 0..<Self.blockCount {
                    try connection.send("10000\r\n")
                    try connection.send(Self.block)
                    try connection.send("\r\n")
                }
                try connection.send("0\r\n\r\n")
            }
        }) { scene throws in
            let token = scene.token()
            #expect(try scene.get("/warm", token: token).text == "warm")
            let before = try scene.proxy.child.residentBytes().present
            #expect(try scene.get("/big", token: token).body.count == Self.byteCount)
            #expect(try scene.proxy.child.residentBytes().peak - before < Self.growthMax)
        }
    }

    @Test("An upload of 64 MiB arrives whole, in bounded memory", arguments: [true, false])
    func upload(chunked: Bool) throws {
        let arrived = Mutex(0)
        try Scene.play(origin: { connection in
            while let request = try connection.request() {
                if request.startLine.contains("/big") { arrived.withLock { $0 = request.body.count } }
                try connection.answer("warm")
            }
        }) { scene throws in
            let token = scene.token()
            #expect(try scene.get("/warm", token: token).text == "warm")
            let before = try scene.proxy.child.residentBytes().present
            let client = try scene.client()
            let framing = chunked ? "Transfer-Encoding: chunked" : "Content-Length: \(Self.byteCount)"
            try client.request("PUT", "/big", token: token, fields: [framing])
            for _ in 0..<Self.blockCount {
                if chunked { try client.send("10000\r\n") }
                try client.send(Self.block)
                if chunked { try client.send("\r\n") }
            }
            if chunked { try client.send("0\r\n\r\n") }
            #expect(try client.response().status == 200)
            #expect(arrived.withLock { $0 } == Self.byteCount)
            #expect(try scene.proxy.child.residentBytes().peak - before < Self.growthMax)
        }
    }

    @Test("A client that does not read holds the origin back, and then gets everything")
    func slowReader() throws {
        try Scene.play(origin: Self.sendingBlocks) { scene throws in
            let token = scene.token()
            #expect(try scene.get("/warm", token: token).text == "warm")
            let before = try scene.proxy.child.residentBytes().present
            let client = try scene.client(receiveBufferBytes: 16_384)
            try client.get("/big", token: token)
            // Only the head is read until the proxy's memory has stopped growing.
            _ = try client.responseHead()
            var last = -1
            var unchanged = 0
            try eventually("the proxy's memory stops growing") {
                let present = try scene.proxy.child.residentBytes().present
                unchanged = present == last ? unchanged + 1 : 0
                last = present
                return unchanged >= 20
            }
            // Others are served meanwhile.
            #expect(try scene.get("/warm", token: token).text == "warm")
            for _ in 0..<Self.blockCount { #expect(try client.bytes(Self.block.count) == Self.block) }
            #expect(try scene.proxy.child.residentBytes().peak - before < Self.growthMax)
        }
    }

    private static let sendingBlocks: ScriptedOrigin.Script = { connection in
        while let request = try connection.request() {
            guard request.startLine.contains("/big") else {
                try connection.answer("warm")
                continue
            }
            try connection.send("HTTP/1.1 200 OK\r\nContent-Length: \(byteCount)\r\n\r\n")
            for _ in 0..<blockCount { try connection.send(block) }
        }
    }
}
