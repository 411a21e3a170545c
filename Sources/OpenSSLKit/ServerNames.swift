// Which identities a server shows to a client that names whom it wants (SNI: RFC 6066 §3).
//
// A name in full comes before a wildcard, and where no certificate is for the name, the first one is shown, as every
// server does it: the client then says what it thinks of it.

/// The way from names to identities, by their places in a list.
struct ServerNames: Sendable {
    /// Shown to clients that name nobody, or nobody who is known.
    let standard: [Int]
    private var exact: [String: [Int]] = [:]
    /// By what stands behind `*.`, which is for one label (RFC 9525 §6.3).
    private var wildcards: [String: [Int]] = [:]

    /// - Parameter identities: not empty; of each its DNS names and its kind of key. Of one kind, the first one that is
    ///   for a name is shown for it.
    init(_ identities: [(names: [String], keyKind: String)]) {
        func add(_ index: Int, to group: inout [Int]) {
            if !group.contains(where: { identities[$0].keyKind == identities[index].keyKind }) { group.append(index) }
        }
        for (index, identity) in identities.enumerated() {
            for name in identity.names {
                if name.hasPrefix("*.") {
                    add(index, to: &wildcards[String(name.dropFirst(2)), default: []])
                } else {
                    add(index, to: &exact[name, default: []])
                }
            }
        }
        // Whoever names nobody gets what the first one's name would get: with one of each kind of key, any client can
        // be served.
        var standard = [0]
        for index in identities.indices where !Set(identities[index].names).isDisjoint(with: identities[0].names) {
            add(index, to: &standard)
        }
        self.standard = standard
    }

    /// The identities for a name; of each kind of key one at most.
    func identities(for name: String) -> [Int] {
        let name = name.lowercased()
        if let found = exact[name] { return found }
        if let dot = name.firstIndex(of: "."), dot > name.startIndex,
            let found = wildcards[String(name[name.index(after: dot)...])]
        {
            return found
        }
        return standard
    }
}
