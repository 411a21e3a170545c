// The admin address of the proxy, as a prober or a scraper uses it.

import Foundation

extension ProxyProcess {
    /// The port that it says its admin pages are at.
    func adminPort() throws -> UInt16 {
        try eventually("the proxy says where its admin pages are") {
            child.errors.firstMatch(of: /admin on 127\.0\.0\.1:([0-9]+)/).flatMap { UInt16($0.1) }
        }
    }

    func adminClient() throws -> RawClient { try RawClient(adminPort: adminPort()) }
}

extension RawClient {
    /// Of admin pages, by a name by which they may be asked for.
    convenience init(adminPort: UInt16) throws {
        try self.init(port: adminPort)
        host = "localhost"
    }
}

extension Scene {
    /// `admin 127.0.0.1:0;`, for the configuration.
    static let adminLine = "admin 127.0.0.1:0;"

    func adminClient() throws -> RawClient { try proxy.adminClient() }

    /// One GET of an admin page.
    func admin(_ path: String) throws -> RawMessage {
        let client = try adminClient()
        try client.get(path)
        return try client.response()
    }

    /// The samples of `/metrics` by their lines, labels included, as far as they are whole numbers.
    func metrics() throws -> [String: Int] {
        var samples: [String: Int] = [:]
        for line in try admin("/metrics").text.split(separator: "\n") where !line.hasPrefix("#") {
            let end = line.lastIndex(of: " ")!
            samples[String(line[..<end])] = Int(line[line.index(after: end)...])
        }
        return samples
    }

    func statusDocument() throws -> [String: Any] {
        let response = try admin("/status")
        guard let object = try JSONSerialization.jsonObject(with: Data(response.body)) as? [String: Any] else {
            throw ScenarioError("/status is no object: \(response.text)")
        }
        return object
    }
}
