// The sample Node backend as a child process.
//
// Its standard input is a pipe that we hold: when we end, in whatever way, it reads the end of it and ends too.

import ArgumentParser
import Dispatch
import Glibc
import Reactor

final class SampleBackend {
    let port: UInt16
    private let process: pid_t
    private let lifeline: Int32
    /// Its standard output, which ends when it does.
    private let output: Int32
    private var isStopped = false

    private static let script = "Examples/backend/server.mjs"

    /// Starts it on a free port and waits until it listens.
    static func start() throws -> SampleBackend {
        guard let path = findScript() else {
            Terminal.printError(
                "demo: \(script) is not there: run the demo inside a checkout of Antechamber, as scripts/run does")
            throw ExitCode.no
        }
        do {
            return try SampleBackend(running: path)
        } catch {
            Terminal.printError("demo: the sample backend does not start: \(error)")
            throw ExitCode.no
        }
    }

    private init(running path: String) throws(BackendFailure) {
        let (inputRead, inputWrite) = try SampleBackend.pipe()
        let (outputRead, outputWrite) = try SampleBackend.pipe()
        do throws(BackendFailure) {
            defer {
                close(inputRead)
                close(outputWrite)
            }
            process = try SampleBackend.spawn(path, input: inputRead, output: outputWrite)
        } catch {
            close(inputWrite)
            close(outputRead)
            throw error
        }
        lifeline = inputWrite
        output = outputRead
        guard let line = SampleBackend.readLine(outputRead), let colon = line.lastIndex(of: ":"),
            let port = UInt16(line[line.index(after: colon)...])
        else {
            close(outputRead)
            kill(process, SIGKILL)
            _ = waitpid(process, nil, 0)
            close(inputWrite)
            throw BackendFailure(description: "it ended before it listened (is node 18 or later?)")
        }
        self.port = port
    }

    /// Calls `handler` on the main queue when the process ends before `stop`.
    func onExit(_ handler: @escaping () -> Void) {
        let output = output
        let ending = QueueBound((backend: self, handler: handler), on: .main)
        // A blocking read, and no DispatchSource: libdispatch's manager thread goes on using a source after it has
        // reported a hang-up, and crashes when the handler has cancelled it meanwhile.
        DispatchQueue.global().async {
            var discarded = [UInt8](repeating: 0, count: 4096)
            while unsafe read(output, &discarded, discarded.count) > 0 {}
            DispatchQueue.main.async {
                let (backend, handler) = ending.unwrapped
                if !backend.isStopped { handler() }
            }
        }
    }

    /// Ends it and waits until it has.
    func stop() {
        isStopped = true
        close(lifeline)
        kill(process, SIGTERM)
        _ = waitpid(process, nil, 0)
    }

    private static func spawn(_ path: String, input: Int32, output: Int32) throws(BackendFailure) -> pid_t {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO)
        unsafe posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO)
        // A group of its own: the terminal's Ctrl-C is for the demo, which ends it in its turn.
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))

        var variables = ProcessEnvironment.variables
        variables["PORT"] = "0"
        variables["EXIT_WITH_STDIN"] = "1"
        let arguments = unsafe copies(["node", path])
        let environment = unsafe copies(variables.map { "\($0.key)=\($0.value)" })
        defer { unsafe (arguments + environment).forEach { unsafe free($0) } }
        var process = pid_t()
        let status = unsafe posix_spawnp(&process, "node", &actions, &attributes, arguments, environment)
        if status == ENOENT { throw BackendFailure(description: "node is not on the PATH (scripts/run installs it)") }
        if status != 0 { throw BackendFailure(description: unsafe String(cString: strerror(status))) }
        return process
    }

    /// C strings that the caller frees, and the null pointer that ends the list.
    @unsafe
    private static func copies(_ texts: [String]) -> [UnsafeMutablePointer<CChar>?] {
        unsafe texts.map { unsafe strdup($0) } + [nil]
    }

    private static func pipe() throws(BackendFailure) -> (Int32, Int32) {
        var ends: [Int32] = [-1, -1]
        if unsafe Glibc.pipe(&ends) != 0 { throw BackendFailure(description: unsafe String(cString: strerror(errno))) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return (ends[0], ends[1])
    }

    private static func readLine(_ descriptor: Int32) -> String? {
        var line: [UInt8] = []
        var byte: UInt8 = 0
        while unsafe read(descriptor, &byte, 1) == 1 {
            if byte == UInt8(ascii: "\n") { return String(decoding: line, as: UTF8.self) }
            line.append(byte)
        }
        return nil
    }

    /// The script below the working directory, else below a folder that holds the executable.
    private static func findScript() -> String? {
        var candidates = [script]
        var executable = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = unsafe readlink("/proc/self/exe", &executable, executable.count - 1)
        if count > 0 {
            let path = String(decoding: executable[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
            var parts = path.split(separator: "/").dropLast()
            while !parts.isEmpty {
                candidates.append("/" + parts.joined(separator: "/") + "/" + script)
                parts = parts.dropLast()
            }
        }
        return candidates.first { unsafe access($0, R_OK) == 0 }
    }
}

private struct BackendFailure: Error, CustomStringConvertible {
    let description: String
}
