// A proxy that is told to load another configuration while it runs.

import Foundation
import Glibc

extension ProxyProcess {
    /// How many reloads it has said to be over.
    fileprivate var reloadsOver: (adopted: Int, refused: Int) {
        let log = child.errors
        return (log.matches(of: /notice reloaded\n/).count, log.matches(of: /error reload refused/).count)
    }

    /// Sends SIGHUP, and waits until the reload is over. True: the configuration was taken.
    func reload() throws -> Bool {
        let before = reloadsOver
        child.signal(SIGHUP)
        return try eventually("the reload is over") { () -> Bool? in
            let now = reloadsOver
            if now.adopted > before.adopted { return true }
            return now.refused > before.refused ? false : nil
        }
    }
}

extension Scene {
    private var file: URL { folder.appending(path: "proxy.conf") }

    var configuration: String { (try? String(contentsOf: file, encoding: .utf8)) ?? "" }

    /// Writes another configuration, and has it loaded. True: it was taken.
    func reload(as configuration: String) throws -> Bool {
        try configuration.write(to: file, atomically: true, encoding: .utf8)
        return try proxy.reload()
    }

    /// Puts `new` in the place of `old`, and has that loaded. True: it was taken.
    func reload(_ old: String, _ new: String) throws -> Bool {
        let before = configuration
        guard before.contains(old) else { throw ScenarioError("the configuration has no '\(old)'") }
        return try reload(as: before.replacing(old, with: new))
    }

    /// The ports that it has said it listens at, in order.
    var listeningPorts: [UInt16] {
        proxy.child.errors.matches(of: /notice listening on 127\.0\.0\.1:([0-9]+)/).compactMap { UInt16($0.1) }
    }
}
