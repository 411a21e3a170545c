// Headless Chromium, which opens a page and takes the steps that it is told (Python/browse.py).

import Foundation

struct Browser {
    /// Debian's name first. scripts/test installs it where the system has a package of it.
    static let program: String? = {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        return ["chromium", "chromium-browser", "google-chrome"]
            .flatMap { name in folders.map { "\($0)/\(name)" } }.first(where: FileManager.default.isExecutableFile)
    }()

    /// What is done with the page, in turn. An expression is one of JavaScript.
    enum Step {
        /// Until it is true.
        case wait(String)
        /// The text that it comes to is added to the report.
        case value(String)
        /// What a screen reader gets is put into the report.
        case tree
        /// Of the window, in pixels.
        case width(Int)
        /// Whether the user prefers `light` or `dark`.
        case scheme(String)
        case key(String)
        /// Of the whole page, as PNG.
        case screenshot(URL)
        /// What is reported from here on is no problem.
        case ignoreProblems

        fileprivate var object: [String: Any] {
            switch self {
            case .wait(let expression): ["wait": expression]
            case .value(let expression): ["value": expression]
            case .tree: ["tree": true]
            case .width(let pixels): ["width": pixels]
            case .scheme(let name): ["scheme": name]
            case .key(let name): ["key": name]
            case .screenshot(let file): ["screenshot": file.path]
            case .ignoreProblems: ["ignore": true]
            }
        }
    }

    struct Report: Decodable {
        var values: [String]
        /// `role: name` of each node.
        var tree: [String]
        /// URLs.
        var requests: [String]
        /// What the browser said on its console.
        var problems: [String]
    }

    private let child: ChildProcess

    /// Opens the page at `url`, and goes on by itself.
    init(opening url: String, _ steps: [Step], in folder: URL) throws {
        let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Python/browse.py")
        let text = String(decoding: try JSONSerialization.data(withJSONObject: steps.map(\.object)), as: UTF8.self)
        child = try ChildProcess(
            PythonTools.interpreter, [script.path, Self.program ?? "chromium", url, text], in: folder, name: "browser")
    }

    var isDone: Bool { child.ended != nil }

    /// What came of the steps, when all are taken.
    func report() throws -> Report {
        // It has a deadline of its own, and says which step it was at.
        guard try child.waitForEnd(within: 320) == .exited(0) else {
            throw ScenarioError("the browser: \(child.errors)")
        }
        return try JSONDecoder().decode(Report.self, from: Data(contentsOf: child.outputFile))
    }
}
