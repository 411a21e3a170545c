// A child process: its output in files, its end awaited with a deadline, and killed with its last reference.

import Foundation
import Glibc
import Synchronization

final class ChildProcess: Sendable {
    let id: pid_t
    /// Where its two outputs go.
    let outputFile: URL
    let errorFile: URL
    /// What keeps the child's standard input open; closed with this object, or at once where it was given its input.
    private let inputDescriptor: Int32
    private let ending = Mutex<Ending?>(nil)

    enum Ending: Sendable, Equatable {
        case exited(Int32)
        case signalled(Int32)
    }

    /// Starts `program`. Nothing is inherited but the three standard descriptors, so a connection of one
    /// scenario never stays open because another's child holds it.
    init(
        _ program: String, _ arguments: [String] = [], environment: [String: String] = [:], input: String? = nil,
        in folder: URL, name: String = "child"
    ) throws {
        outputFile = folder.appending(path: "\(name).stdout")
        errorFile = folder.appending(path: "\(name).stderr")
        let pipe = try Self.withoutSpawning {
            var pipe: [Int32] = [-1, -1]
            guard unsafe Glibc.pipe(&pipe) == 0 else { throw ScenarioError("pipe failed") }
            pipe.forEach(closeOnExec)
            return pipe
        }
        defer { close(pipe[0]) }
        if let input {
            // Less than a pipe holds, so that it is written before anybody reads.
            let bytes = Array(input.utf8)
            guard unsafe write(pipe[1], bytes, bytes.count) == bytes.count else { throw ScenarioError("write failed") }
            close(pipe[1])
            inputDescriptor = -1
        } else {
            inputDescriptor = pipe[1]
        }

        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_adddup2(&actions, pipe[0], 0)
        unsafe posix_spawn_file_actions_addopen(&actions, 1, outputFile.path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        unsafe posix_spawn_file_actions_addopen(&actions, 2, errorFile.path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)

        var all = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("ANTECHAMBER_") }
        all.merge(environment) { $1 }
        var child: pid_t = 0
        let status = unsafe withCStrings([program] + arguments) { argv in
            unsafe withCStrings(all.map { "\($0.key)=\($0.value)" }) { envp in
                Self.withoutSpawning { unsafe posix_spawnp(&child, program, &actions, nil, argv, envp) }
            }
        }
        guard status == 0 else {
            if inputDescriptor >= 0 { close(inputDescriptor) }
            throw ScenarioError("cannot start \(program): \(unsafe String(cString: strerror(status)))")
        }
        id = child
    }

    /// Runs `body` while no child is started: a descriptor made in it can be closed to children in time.
    static func withoutSpawning<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
        spawning.lock()
        defer { spawning.unlock() }
        return try body()
    }

    private static let spawning = NSLock()

    deinit {
        kill()
        if inputDescriptor >= 0 { close(inputDescriptor) }
    }

    var output: String { (try? String(contentsOf: outputFile, encoding: .utf8)) ?? "" }
    var errors: String { (try? String(contentsOf: errorFile, encoding: .utf8)) ?? "" }

    /// How it ended, or nil while it runs.
    var ended: Ending? {
        ending.withLock { ending in
            if ending == nil {
                var status: Int32 = 0
                // The same lock guards `signal`, so no signal goes to a process that was reaped.
                if unsafe waitpid(id, &status, WNOHANG) == id {
                    let signal = status & 0x7f
                    ending = signal == 0 ? .exited((status >> 8) & 0xff) : .signalled(signal)
                }
            }
            return ending
        }
    }

    func signal(_ number: Int32) {
        ending.withLock { if $0 == nil { _ = Glibc.kill(id, number) } }
    }

    /// Every thread of it is stopped (SIGSTOP).
    func isStopped() throws -> Bool {
        let threads = "/proc/\(id)/task"
        return try FileManager.default.contentsOfDirectory(atPath: threads).allSatisfy { thread in
            // One that ends meanwhile has no state: it is gone at the next look.
            let state = try? String(contentsOfFile: "\(threads)/\(thread)/stat", encoding: .utf8)
            return state?.contains(") T ") ?? false
        }
    }

    func waitForEnd(within seconds: Double = Deadline.standardSeconds) throws -> Ending {
        try eventually("process \(id) ends", within: seconds) { ended }
    }

    /// Ends it now, and reaps it.
    func kill() {
        guard ended == nil else { return }
        signal(SIGKILL)
        _ = try? waitForEnd()
    }

    /// Peak and present resident memory, in bytes.
    func residentBytes() throws -> (present: Int, peak: Int) {
        let status = try String(contentsOfFile: "/proc/\(id)/status", encoding: .utf8)
        func kilobytes(_ name: String) -> Int? {
            status.split(separator: "\n").first { $0.hasPrefix(name + ":") }
                .flatMap { $0.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first }.flatMap { Int($0) }
        }
        guard let present = kilobytes("VmRSS"), let peak = kilobytes("VmHWM") else {
            throw ScenarioError("process \(id) has no memory figures")
        }
        return (present * 1024, peak * 1024)
    }

    /// The processes whose parent this one is.
    func children() -> [pid_t] { Self.children(of: id) }

    /// The processes whose parent that one is.
    static func children(of parent: pid_t) -> [pid_t] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap { pid_t($0) }.filter { other in
            guard let stat = try? String(contentsOfFile: "/proc/\(other)/stat", encoding: .utf8) else { return false }
            // The name may hold anything, so count from the parenthesis that closes it: state, then parent.
            let rest = stat[(stat.lastIndex(of: ")") ?? stat.startIndex)...].split(separator: " ")
            return rest.count > 2 && rest[2] == "\(parent)"
        }
    }

    static func isAlive(_ id: pid_t) -> Bool {
        guard let stat = try? String(contentsOfFile: "/proc/\(id)/stat", encoding: .utf8) else { return false }
        return !stat.contains(") Z ")
    }
}

private func withCStrings<Result>(
    _ strings: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
) -> Result {
    var pointers = unsafe strings.map { unsafe strdup($0) }
    unsafe pointers.append(nil)
    defer { for unsafe pointer in unsafe pointers { unsafe free(pointer) } }
    return unsafe body(pointers)
}
