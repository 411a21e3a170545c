// One server of a group, as a worker sees it: its names for the logs, and the addresses it is at.

import Bytes
import Configuration
import OpenSSLKit
import Reactor

/// Where a server is.
enum UpstreamAddresses: Sendable, Equatable {
    /// The name is being looked up for the first time.
    case resolving
    /// Never empty.
    case known([SocketAddress])
    case unknown(reason: String)
}

final class UpstreamServer {
    unowned let group: UpstreamGroup
    /// Place in the group.
    let index: Int
    let name: String
    let nameJSON: [UInt8]
    /// The Host for a request that names none.
    let authority: [UInt8]
    /// Who it has to prove to be; nil: it is spoken to in clear.
    let tls: TLSPeer?
    /// What connections to it have left for the next one.
    let sessions = TLSSessionSlot()
    private(set) var addresses = UpstreamAddresses.resolving
    /// Counts the changes of `addresses`.
    private(set) var addressesVersion = 0
    /// The place of the address that the last connection was made to: where the next one starts.
    var goodAddress = 0

    init(_ server: UpstreamPolicy.Server, in group: UpstreamGroup, at index: Int) {
        self.group = group
        self.index = index
        name = server.endpoint.description
        nameJSON = Array(name.utf8)
        authority = Array(server.authority.utf8)
        tls = server.tls
        if let address = server.endpoint.address { addresses = .known([address]) }
    }

    /// Takes what a look-up came to. False: it changes nothing.
    func install(_ found: UpstreamAddresses) -> Bool {
        switch (addresses, found) {
        case (.known, .unknown), (.known, .resolving):
            // A name server that is down does not take away the addresses that worked.
            return false
        case (.known(let old), .known(let new)):
            // Name servers turn the order around with each answer. The set is what counts, and the place in it stays.
            if old.count == new.count, new.allSatisfy(old.contains) { return false }
            let good = old[goodAddress % old.count]
            goodAddress = new.firstIndex(of: good) ?? 0
        case (.resolving, _), (.unknown, _):
            goodAddress = 0
        }
        addresses = found
        addressesVersion += 1
        return true
    }

    /// Whether a connection to it would go there today.
    func isAt(_ address: SocketAddress) -> Bool {
        if case .known(let addresses) = addresses { addresses.contains(address) } else { false }
    }
}
