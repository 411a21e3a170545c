// Files that survive: whole, private, and believed only where they are ours.

import Foundation
import Synchronization
import Testing

@testable import Reactor

@Suite struct StateDirectoryTests {
    private let folder: String
    private let directory: StateDirectory

    init() throws {
        folder = FileManager.default.temporaryDirectory.path + "/antechamber-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        directory = StateDirectory(folder)
    }

    @Test func `What was written is read, whole and the last of it, and nobody else can`() async throws {
        defer { removeFolder() }
        #expect(try await read("a") == .success(nil))
        let long = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 * 7) }
        for bytes in [long, [], Array("short".utf8)] {
            #expect(await replace("a", bytes) == nil)
            #expect(try await read("a") == .success(bytes))
        }
        #expect(try mode("a") == 0o600)
        #expect(try files() == ["a"])
    }

    @Test func `A file that cannot be written leaves the old one, and nothing beside it`() async throws {
        defer { removeFolder() }
        // A directory in its place cannot be renamed over.
        try FileManager.default.createDirectory(atPath: folder + "/a/b", withIntermediateDirectories: true)
        #expect(await replace("a", [1])?.call == "rename")
        #expect(try files() == ["a"])
        removeFolder()
        #expect(await replace("a", [1]) == SystemError("open", code: ENOENT))
        #expect(try await read("a") == .success(nil))
    }

    @Test func `A write never goes through a link, or into a file that is there`() async throws {
        defer { removeFolder() }
        try "theirs".write(toFile: folder + "/theirs", atomically: false, encoding: .utf8)
        try FileManager.default.createSymbolicLink(atPath: folder + "/a", withDestinationPath: folder + "/theirs")
        #expect(try await read("a") == .failure(.notAFile))
        #expect(await replace("a", Array("ours".utf8)) == nil)
        #expect(try String(contentsOfFile: folder + "/theirs", encoding: .utf8) == "theirs")
        #expect(try await read("a") == .success(Array("ours".utf8)))
    }

    @Test func `What others could have put there is not read`() async throws {
        defer { removeFolder() }
        #expect(await replace("a", [1, 2, 3]) == nil)
        for shared in [0o620, 0o602] {
            _ = unsafe chmod(folder + "/a", mode_t(shared))
            #expect(try await read("a") == .failure(.writableByOthers))
        }
        _ = unsafe chmod(folder + "/a", 0o600)
        if geteuid() == 0 {
            _ = unsafe chown(folder + "/a", 12345, 12345)
            #expect(try await read("a") == .failure(.ofAnotherUser))
        }
    }

    @Test func `What is no file, or has more bytes than it may, is not read`() async throws {
        defer { removeFolder() }
        _ = unsafe mkfifo(folder + "/pipe", 0o600)
        #expect(try await read("pipe") == .failure(.notAFile))
        try FileManager.default.createDirectory(atPath: folder + "/folder", withIntermediateDirectories: true)
        #expect(try await read("folder") == .failure(.notAFile))
        #expect(await replace("a", [UInt8](repeating: 7, count: 101)) == nil)
        #expect(try await read("a", bytesMax: 100) == .failure(.tooLarge(100)))
        #expect(try await read("a", bytesMax: 101) == .success([UInt8](repeating: 7, count: 101)))
    }

    @Test func `Many writers at once leave one of their files, and no other`() async throws {
        defer { removeFolder() }
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<50 {
                // Another process that uses the same directory, as far as the files can tell.
                let other = StateDirectory(folder)
                group.addTask {
                    await withCheckedContinuation { done in
                        other.replace("a", with: [UInt8](repeating: UInt8(number), count: 5000)) { _ in done.resume() }
                    }
                }
            }
        }
        let bytes = try #require(try await read("a").get())
        #expect(bytes.count == 5000 && Set(bytes).count == 1)
        #expect(try files() == ["a"])
    }

    private func replace(_ name: String, _ bytes: [UInt8]) async -> SystemError? {
        await withCheckedContinuation { done in directory.replace(name, with: bytes) { done.resume(returning: $0) } }
    }

    private func read(_ name: String, bytesMax: Int = 1 << 20) async throws -> Result<[UInt8]?, StateFileError> {
        await withCheckedContinuation { done in
            directory.read(name, bytesMax: bytesMax) { done.resume(returning: $0) }
        }
    }

    private func files() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: folder) }

    private func mode(_ name: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: folder + "/" + name)[.posixPermissions] as? Int
    }

    private func removeFolder() { try? FileManager.default.removeItem(atPath: folder) }
}
