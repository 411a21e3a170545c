import Bytes
import Testing

@Suite struct ByteBufferTests {
    private func text(_ buffer: ByteBuffer) -> String { buffer.readable.text() }

    @Test("What is appended is read in order, and consumed from the front")
    func appendAndConsume() {
        let buffer = ByteBuffer(capacity: 64)
        #expect(buffer.isEmpty)
        buffer.append(UInt8(ascii: "a"))
        buffer.append("b")
        buffer.append("cd")
        buffer.append([UInt8(ascii: "e")])
        buffer.append(String("fü"))
        #expect(text(buffer) == "abcdefü")
        #expect(buffer.count == 8)
        buffer.consume(3)
        #expect(text(buffer) == "defü")
        buffer.consume(5)
        #expect(buffer.isEmpty)
        #expect(buffer.writableCount == 64)
    }

    @Test("Unread bytes survive compaction and growth", arguments: [1, 2, 3, 7, 64])
    func growth(capacity: Int) {
        let buffer = ByteBuffer(capacity: capacity)
        var expected: [UInt8] = []
        for round in 0..<500 {
            let chunk = (0..<(round % 13)).map { UInt8(truncatingIfNeeded: round &+ $0) }
            buffer.append(chunk)
            expected += chunk
            let consumed = min(round % 11, expected.count)
            buffer.consume(consumed)
            expected.removeFirst(consumed)
            let unread = buffer.readable.copied()
            #expect(unread == expected)
            #expect(buffer.count == expected.count)
        }
    }

    @Test("Room is made by moving the unread bytes before the storage grows")
    func compaction() {
        let buffer = ByteBuffer(capacity: 8)
        buffer.append("abcdefgh")
        buffer.consume(6)
        #expect(buffer.writableCount == 0)
        buffer.reserve(6)
        #expect(buffer.capacity == 8)
        #expect(buffer.writableCount == 6)
        buffer.reserve(7)
        #expect(buffer.capacity == 16)
        #expect(text(buffer) == "gh")
    }

    @Test("There is no storage before the first byte, and none after it was given back")
    func storage() {
        let buffer = ByteBuffer(capacity: 8)
        #expect(buffer.capacity == 0 && buffer.writableCount == 0 && buffer.isEmpty)
        buffer.append([])
        buffer.append("")
        #expect(buffer.capacity == 0)
        buffer.reserve(1)
        #expect(buffer.capacity == 8)
        buffer.append("0123456789")
        #expect(buffer.capacity > 8)
        buffer.removeAll()
        buffer.giveBack()
        #expect(buffer.capacity > 8, "one that has grown stays")
        buffer.removeStorage()
        #expect(buffer.capacity == 0)
        buffer.append("ab")
        #expect(buffer.capacity == 8 && text(buffer) == "ab")
        buffer.removeAll()
        buffer.giveBack()
        #expect(buffer.capacity == 0)
    }

    @Test("Buffers of a pool take their storages in turn, and what one held is not the other's")
    func pool() {
        let pool = StoragePool(bytes: 8, sparesMax: 1)
        let buffers = (0..<3).map { _ in ByteBuffer(from: pool) }
        for turn in 0..<3 {
            for (index, buffer) in buffers.enumerated() {
                #expect(buffer.capacity == 0 && buffer.isEmpty)
                buffer.append("\(turn)\(index)")
                #expect(buffer.capacity == 8 && text(buffer) == "\(turn)\(index)")
            }
            // Beyond the pool's size it is the buffer's own.
            buffers[turn].append("0123456789")
            #expect(buffers[turn].capacity > 8 && text(buffers[turn]) == "\(turn)\(turn)0123456789")
            for buffer in buffers {
                buffer.removeAll()
                buffer.removeStorage()
            }
        }
    }

    @Test("Two buffers trade what they hold, and both go on")
    func exchange() {
        let full = ByteBuffer(capacity: 4)
        let empty = ByteBuffer(capacity: 16)
        full.append("abcdef")
        full.consume(2)
        full.exchangeContents(with: empty)
        #expect(full.isEmpty && full.capacity == 0)
        #expect(text(empty) == "cdef")
        empty.append("gh")
        full.append("x")
        #expect(text(empty) == "cdefgh" && text(full) == "x")
        #expect(full.capacity == 4)
    }

    @Test("Removing all makes the whole capacity writable")
    func removeAll() {
        let buffer = ByteBuffer(capacity: 4)
        buffer.append("abcd")
        buffer.removeAll()
        #expect(buffer.isEmpty)
        #expect(buffer.writableCount == 4)
    }

    @Test("Empty appends change nothing")
    func emptyAppends() {
        let buffer = ByteBuffer(capacity: 1)
        buffer.append("")
        buffer.append(String())
        buffer.append([])
        #expect(buffer.isEmpty)
        #expect(buffer.capacity == 0)
    }

    @Test("Decimals have no leading zeros", arguments: [0, 1, 9, 10, 99, 100, 1_234_567, 10_000_000_000, UInt64.max])
    func decimal(value: UInt64) {
        let buffer = ByteBuffer(capacity: 1)
        buffer.appendDecimal(value)
        #expect(text(buffer) == String(value))
    }

    @Test("Hexadecimals have no leading zeros", arguments: [0, 1, 15, 16, 255, 256, 0xDEAD_BEEF, UInt64.max])
    func hexadecimal(value: UInt64) {
        let buffer = ByteBuffer(capacity: 1)
        buffer.appendHexadecimal(value)
        #expect(text(buffer) == String(value, radix: 16))
    }

    @Test("A fill writes behind the unread bytes, and a failed one leaves them as they were")
    func receive() {
        let buffer = ByteBuffer(capacity: 8)
        buffer.append("ab")
        let filled = unsafe buffer.receive { free in
            #expect(free.count == 6)
            unsafe free.storeBytes(of: UInt8(ascii: "c"), as: UInt8.self)
            return 1
        }
        #expect(filled == 1)
        #expect(text(buffer) == "abc")
        let failed = unsafe buffer.receive { _ in -1 }
        let nothing = unsafe buffer.receive { _ in 0 }
        #expect((failed, nothing) == (-1, 0))
        #expect(text(buffer) == "abc")
    }
}
