// What comes out is gzip to those who read gzip and are not us: the gzip command, and Python's zlib module where the
// stream is not over yet.

import Bytes
import Foundation
import Testing
import ZlibKit

@Suite("Gzip streams")
struct GzipStreamTests {
    /// Compresses a little at some places, not at all at others.
    private static let mixed: [UInt8] = {
        var state: UInt64 = 7
        return (0..<300_000).map { index in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return index / 10_000 % 2 == 0 ? UInt8(truncatingIfNeeded: state >> 56) : UInt8(index % 97)
        }
    }()

    @Test("A body comes back whole, at every level and in pieces of any size", arguments: 1...9, [1, 1000, 16_384, 300_000])
    func roundTrip(level: Int, piece: Int) throws {
        let body = piece == 1 ? Array(Self.mixed.prefix(5000)) : Self.mixed
        let stream = try GzipStream(level: level)
        let out = ByteBuffer(capacity: 16)
        append(body, to: stream, into: out, piece: piece)
        stream.finish(to: out)
        #expect(try run("gzip", ["-dc"], input: out.bytes) == body)
    }

    @Test("What was put in comes out at a flush, before the end is known")
    func flush() throws {
        let stream = try GzipStream(level: 6)
        let out = ByteBuffer(capacity: 16)
        var sent: [UInt8] = []
        for event in ["data: 1\n\n", "data: 2\n\n", String(repeating: "data: many\n\n", count: 10_000)] {
            stream.append(Array(event.utf8).span, to: out)
            #expect(stream.holdsBytes)
            stream.flush(to: out)
            #expect(!stream.holdsBytes)
            sent += Array(event.utf8)
            #expect(try readSoFar(out.bytes) == sent)
        }
        let count = out.count
        stream.flush(to: out)
        #expect(out.count == count, "nothing was put in since")
        stream.finish(to: out)
        #expect(try run("gzip", ["-dc"], input: out.bytes) == sent)
    }

    @Test("An empty body is a whole stream")
    func empty() throws {
        let stream = try GzipStream(level: 1)
        let out = ByteBuffer(capacity: 16)
        stream.append(Span(), to: out)
        stream.finish(to: out)
        #expect(try run("gzip", ["-dc"], input: out.bytes) == [])
    }

    @Test("Nothing is left of the body before, finished or given up")
    func reset() throws {
        let stream = try GzipStream(level: 1)
        let fresh = ByteBuffer(capacity: 16)
        stream.append(Self.mixed.span, to: fresh)
        stream.finish(to: fresh)
        for isFinished in [true, false] {
            let abandoned = ByteBuffer(capacity: 16)
            stream.append(Array("the secret of another".utf8).span, to: abandoned)
            if isFinished { stream.finish(to: abandoned) } else { stream.reset() }
            let out = ByteBuffer(capacity: 16)
            stream.append(Self.mixed.span, to: out)
            stream.finish(to: out)
            #expect(out.bytes == fresh.bytes)
        }
    }

    @Test("A step fills whatever room there is, to the byte", arguments: 4090...4110)
    func exactRoom(count: Int) throws {
        // Incompressible, so that as many bytes come out as went in, and a few more: some count fills a step's room.
        let body = Array(Self.mixed.prefix(count))
        let stream = try GzipStream(level: 1)
        let out = ByteBuffer(capacity: 1)
        append(body, to: stream, into: out, piece: count)
        stream.flush(to: out)
        #expect(try readSoFar(out.bytes) == body)
        stream.finish(to: out)
        #expect(try run("gzip", ["-dc"], input: out.bytes) == body)
    }

    private func append(_ body: [UInt8], to stream: GzipStream, into out: ByteBuffer, piece: Int) {
        var start = 0
        while start < body.count {
            let end = min(start + piece, body.count)
            stream.append(body.span.extracting(start..<end), to: out)
            start = end
        }
    }

    /// What a client can read of a stream that goes on.
    private func readSoFar(_ compressed: [UInt8]) throws -> [UInt8] {
        let script = """
            import sys, zlib
            stream = zlib.decompressobj(31)
            sys.stdout.buffer.write(stream.decompress(sys.stdin.buffer.read()))
            assert not stream.eof
            """
        return try run("python3", ["-c", script], input: compressed)
    }
}

/// What a command makes of its input.
private func run(_ command: String, _ arguments: [String], input: [UInt8]) throws -> [UInt8] {
    let file = FileManager.default.temporaryDirectory.appending(path: "antechamber-\(UUID().uuidString)")
    try Data(input).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    let output = Pipe()
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = [command] + arguments
    process.standardInput = try FileHandle(forReadingFrom: file)
    process.standardOutput = output
    try process.run()
    let result = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    return Array(result)
}

extension ByteBuffer {
    fileprivate var bytes: [UInt8] { readable.copied() }
}
