// Words for a person: diagnostics and news on standard error, results on standard output.

import Admission
import Glibc

enum Terminal {
    enum Output {
        case results
        case errors

        fileprivate var descriptor: Int32 {
            switch self {
            case .results: STDOUT_FILENO
            case .errors: STDERR_FILENO
            }
        }
    }

    static func print(_ line: String) {
        write(line + "\n", to: STDOUT_FILENO)
    }

    static func printError(_ line: String) {
        write(line + "\n", to: STDERR_FILENO)
    }

    /// Text on standard output, with the line ends that it has.
    static func printText(_ text: String) {
        write(text, to: STDOUT_FILENO)
    }

    /// Whether this goes to a terminal that takes colours (https://no-color.org).
    static func colours(_ output: Output, environment: [String: String]) -> Bool {
        isatty(output.descriptor) == 1 && (environment["NO_COLOR"] ?? "").isEmpty && environment["TERM"] != "dumb"
    }

    /// How results are laid out: for a pipe, or for a terminal of the width it has.
    static func layout(environment: [String: String]) -> Explanation.Layout {
        guard isatty(STDOUT_FILENO) == 1 else { return .plain }
        var size = winsize()
        let isKnown = unsafe ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
        // Longer lines than this are hard to read, however wide the window is.
        let columns = min(isKnown ? Int(size.ws_col) : 80, 100)
        return .terminal(columns: columns, colour: colours(.results, environment: environment))
    }

    static var readsFromTerminal: Bool { isatty(STDIN_FILENO) == 1 }

    /// Standard input up to its end, or its first bytes where it is longer than the bound.
    static func readInput(bytesMax: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while bytes.count <= bytesMax {
            let count = unsafe chunk.withUnsafeMutableBytes { unsafe Glibc.read(STDIN_FILENO, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            if count <= 0 { break }
            bytes += chunk[..<count]
        }
        return bytes
    }

    /// Unbuffered, so that lines of two descriptors on one terminal stay in order.
    private static func write(_ text: String, to descriptor: Int32) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count <= 0 { return }
            rest = rest.dropFirst(count)
        }
    }
}
