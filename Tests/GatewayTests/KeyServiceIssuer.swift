// An issuer on loopback whose every answer the test decides, byte for byte.

import Foundation
import Synchronization

/// Serves each connection on a thread of its own, with blocking calls, and closes it after one answer.
final class ScriptedIssuer: Sendable {
    enum Answer: Sendable {
        case raw([UInt8])
        /// A byte every 20 ms.
        case drip([UInt8])
        /// The head of a response, and body bytes for as long as they are taken.
        case endless
        /// Nothing, until the client goes away.
        case silence
        /// RST.
        case reset
        /// Sends this, and once the client has read it, RST.
        case resetAfter([UInt8])
        /// Waits for `release()`, then sends this.
        case held([UInt8])
        /// Sends this, after `release()` if it is held, and keeps the connection open without a further word until the
        /// client closes it.
        case kept([UInt8], isHeld: Bool = false)

        static func ok(_ body: String, _ fields: String = "") -> Answer { .http(200, Array(body.utf8), fields) }

        static func http(_ status: Int, _ body: [UInt8], _ fields: String = "") -> Answer {
            .raw(Array("HTTP/1.1 \(status) x\r\n\(fields)Content-Length: \(body.count)\r\n\r\n".utf8) + body)
        }
    }

    private struct State {
        var paths: [String] = []
        var requests: [String] = []
        var isReleased = false
        var connectionsEnded = 0
    }

    let port: UInt16
    private let listener: Int32
    private let state = Mutex(State())
    private let script: Mutex<@Sendable (_ path: String) -> Answer>

    /// Bound at once; refuses connections until `open()`.
    init(isOpen: Bool = true, _ script: @escaping @Sendable (_ path: String) -> Answer) throws {
        self.script = Mutex(script)
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = listener
        let status = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                unsafe bind(listener, pointer, length) == 0 && getsockname(listener, pointer, &length) == 0
            }
        }
        guard status else { throw POSIXError(.EADDRNOTAVAIL) }
        port = UInt16(bigEndian: address.sin_port)
        if isOpen { open() }
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    func open() {
        listen(listener, 64)
        let listener = listener
        Thread.detachNewThread { [weak self] in
            while true {
                let connection = accept(listener, nil, nil)
                guard connection >= 0 else { return }
                guard let issuer = self else {
                    close(connection)
                    return
                }
                Thread.detachNewThread { issuer.serve(connection) }
            }
        }
    }

    var origin: String { "http://127.0.0.1:\(port)" }
    /// Paths of all requests so far.
    var paths: [String] { state.withLock { $0.paths } }
    /// Heads of all requests so far.
    var requests: [String] { state.withLock { $0.requests } }

    /// Kept connections that the client has closed.
    var connectionsEnded: Int { state.withLock { $0.connectionsEnded } }

    func answer(_ script: @escaping @Sendable (_ path: String) -> Answer) {
        self.script.withLock { $0 = script }
    }

    func release() {
        state.withLock { $0.isReleased = true }
    }

    private func serve(_ connection: Int32) {
        defer { close(connection) }
        guard let head = readHead(connection) else { return }
        let path = String(head.split(separator: " ")[1])
        state.withLock {
            $0.paths.append(path)
            $0.requests.append(head)
        }
        let script = script.withLock { $0 }
        switch script(path) {
        case .raw(let bytes): _ = send(bytes, connection)
        case .drip(let bytes):
            for byte in bytes {
                if !send([byte], connection) { return }
                usleep(20_000)
            }
        case .endless:
            _ = send(Array("HTTP/1.1 200 OK\r\n\r\n".utf8), connection)
            while send([UInt8](repeating: 0x20, count: 65_536), connection) {}
        case .silence:
            var byte: UInt8 = 0
            while unsafe read(connection, &byte, 1) > 0 {}
        case .reset: reset(connection)
        case .resetAfter(let bytes):
            _ = send(bytes, connection)
            var unread: Int32 = 1
            // A reset throws away what is still on its way.
            while unread > 0 {
                guard unsafe ioctl(connection, UInt(TIOCOUTQ), &unread) == 0 else { break }
                usleep(1000)
            }
            reset(connection)
        case .held(let bytes):
            while !state.withLock({ $0.isReleased }) { usleep(1000) }
            _ = send(bytes, connection)
        case .kept(let bytes, let isHeld):
            while isHeld, !state.withLock({ $0.isReleased }) { usleep(1000) }
            _ = send(bytes, connection)
            var byte: UInt8 = 0
            while unsafe read(connection, &byte, 1) > 0 {}
            state.withLock { $0.connectionsEnded += 1 }
        }
    }

    /// Has the descriptor's end be a reset.
    private func reset(_ connection: Int32) {
        var linger = linger(l_onoff: 1, l_linger: 0)
        unsafe setsockopt(connection, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
    }

    private func readHead(_ connection: Int32) -> String? {
        var head: [UInt8] = []
        while !head.suffix(4).elementsEqual([13, 10, 13, 10]) {
            var byte: UInt8 = 0
            guard unsafe read(connection, &byte, 1) == 1 else { return nil }
            head.append(byte)
        }
        return String(decoding: head, as: UTF8.self)
    }

    private func send(_ bytes: [UInt8], _ connection: Int32) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { buffer in
                unsafe Glibc.send(
                    connection, buffer.baseAddress! + sent, buffer.count - sent, Int32(MSG_NOSIGNAL))
            }
            if count <= 0 { return false }
            sent += count
        }
        return true
    }
}

/// Public keys that Node made, as JWK sets.
enum KeySets {
    static let a = "{\"keys\":[\(jwkA)]}"
    static let ab = "{\"keys\":[\(jwkA),\(jwkB)]}"
    static let b = "{\"keys\":[\(jwkB)]}"
    /// One good key and one RSA key of 1024 bits.
    static let aAndShort = "{\"keys\":[\(jwkA),\(jwkShort)]}"

    private static let jwkA = """
        {"kty":"EC","x":"6qqNg7-ZfCVynIgUfrzAH0ErlwPYG4RsHYB7gjFGnPY",\
        "y":"nwumuF62KLM0b8EKmt-f4Dpu73JrpqFRU6MTSoIG1dQ","crv":"P-256","kid":"a"}
        """
    static let jwkB = """
        {"kty":"EC","x":"b3spvAjawZR56dpu-5SLjnVBC2jz0o90LDCXgVoHGRQ",\
        "y":"MyyfZIKC5Dc-iphOl9ax4TlHYRYBg_VJujjzjB1NwHw","crv":"P-256","kid":"b"}
        """
    private static let jwkShort = """
        {"kty":"RSA","n":"ziKWiFKSFdfdHHkFOW8h6dzX4YVbZGCnstiMP7sRvMruoQSm9mG-hdo1Z5ChIrjtrJBKUPFnXBdu5X9jgS_9XdT8HmdV\
        o9L4yBnk3j50xy0FqQBTWl7JUrLuCd5817K-fdMOr91zYVjzqygZ4Vaa_7RjQG_m88tq02_bvHrmO0c","e":"AQAB","kid":"short"}
        """
}

/// gzip (RFC 1952) by hand, so that the tests need no zlib.
enum Gzip {
    private static let head: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255]

    /// One stored block.
    static func stored(_ bytes: [UInt8]) -> [UInt8] {
        let count = UInt16(bytes.count)
        return head + [1] + little(count) + little(~count) + bytes + little(crc32(bytes)) + little(UInt32(bytes.count))
    }

    /// Decompresses to `megabytes` of spaces; its check value is wrong, but who gets there has taken them all.
    static func bomb(megabytes: Int) -> [UInt8] {
        var bits = BitWriter()
        // A final block of fixed Huffman codes (RFC 1951 §3.2.6): a space, then "258 bytes from 1 back" over and over.
        bits.append(1, count: 1)
        bits.append(1, count: 2)
        bits.appendCode(0x30 + 0x20, count: 8)
        for _ in 0..<(megabytes << 20) / 258 {
            bits.appendCode(0b1100_0101, count: 8)
            bits.appendCode(0, count: 5)
        }
        bits.appendCode(0, count: 7)
        return head + bits.bytes + [0, 0, 0, 0, 0, 0, 0, 0]
    }

    private struct BitWriter {
        var bytes: [UInt8] = []
        private var used = 8

        mutating func append(_ value: Int, count: Int) {
            for bit in 0..<count { append(bit: value >> bit & 1) }
        }

        /// Huffman codes go in with their most significant bit first.
        mutating func appendCode(_ code: Int, count: Int) {
            for bit in (0..<count).reversed() { append(bit: code >> bit & 1) }
        }

        private mutating func append(bit: Int) {
            if used == 8 {
                bytes.append(0)
                used = 0
            }
            bytes[bytes.count - 1] |= UInt8(bit << used)
            used += 1
        }
    }

    private static func little<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
        (0..<Number.bitWidth / 8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
    }

    private static func crc32(_ bytes: [UInt8]) -> UInt32 {
        var crc = UInt32.max
        for byte in bytes {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
        }
        return ~crc
    }
}
