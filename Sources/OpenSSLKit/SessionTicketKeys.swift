// The keys that session tickets are sealed with (RFC 5077 §4, RFC 8446 §4.6.1): one ring a process.
//
// A ticket holds the whole session, so no worker needs to remember any, and each can take up what another one began.
// Whoever has a key can read the sessions of TLS 1.2 that its tickets are of: keys are made here, leave the memory by
// being replaced, and are never written down. As they are the process's, a reload of the configuration ends no
// session: whether a ticket fits the listener it comes to is the session ID context's matter (TLSServerContext).

internal import COpenSSL
internal import Glibc
internal import Synchronization

final class SessionTicketKeys: Sendable {
    struct Key: Sendable {
        let name: [UInt8]
        let cipher: [UInt8]
        let mac: [UInt8]
        let madeAt: Int64
    }

    static let nameBytes = 16
    /// For how long a key seals tickets. It opens them for as long again, so that none lives for less.
    static let sealsForSeconds: Int64 = 3600

    static let ofThisProcess = SessionTicketKeys()

    /// The newest first, two at most.
    private let keys = Mutex<[Key]>([])

    /// The key to seal with, made anew where it is time; nil where OpenSSL has no random bytes.
    func current(at now: Int64) -> Key? {
        keys.withLock { keys in
            Self.forget(&keys, at: now)
            if let newest = keys.first, now - newest.madeAt < Self.sealsForSeconds { return newest }
            guard let key = Self.make(at: now) else { return nil }
            keys = [key] + keys.prefix(1)
            return key
        }
    }

    /// The key of this name, and whether it still seals; nil: no ticket is taken for it any more.
    func named(_ name: [UInt8], at now: Int64) -> (key: Key, seals: Bool)? {
        keys.withLock { keys in
            Self.forget(&keys, at: now)
            return keys.first { $0.name == name }.map { ($0, now - $0.madeAt < Self.sealsForSeconds) }
        }
    }

    private static func forget(_ keys: inout [Key], at now: Int64) {
        keys.removeAll { now - $0.madeAt >= 2 * sealsForSeconds }
    }

    private static func make(at now: Int64) -> Key? {
        func random(_ count: Int) -> [UInt8]? {
            var bytes = [UInt8](repeating: 0, count: count)
            return unsafe RAND_bytes(&bytes, Int32(count)) == 1 ? bytes : nil
        }
        guard let name = random(nameBytes), let cipher = random(32), let mac = random(32) else { return nil }
        return Key(name: name, cipher: cipher, mac: mac, madeAt: now)
    }

    static var now: Int64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec)
    }

    /// AES-256-CBC under an HMAC, which is what OpenSSL asks of this call: -1 an error, 0 no ticket, 1 good, 2 good but
    /// to be replaced.
    static let seal:
        @convention(c) (
            OpaquePointer?, UnsafeMutablePointer<UInt8>?, UnsafeMutablePointer<UInt8>?, OpaquePointer?, OpaquePointer?,
            Int32
        ) -> Int32 = { ssl, name, iv, cipher, mac, isSealing in
            guard let name = unsafe name, let iv = unsafe iv else { return -1 }
            let method = unsafe EVP_aes_256_cbc()
            if isSealing == 1 {
                guard let key = ofThisProcess.current(at: now), unsafe RAND_bytes(iv, EVP_CIPHER_get_iv_length(method)) == 1
                else { return -1 }
                for index in 0..<nameBytes { unsafe name[index] = key.name[index] }
                let isReady =
                    unsafe EVP_EncryptInit_ex(cipher, method, nil, key.cipher, iv) == 1
                    && antechamber_mac_set_key(mac, key.mac, key.mac.count) == 1
                return isReady ? 1 : -1
            }
            let wanted = unsafe Array(UnsafeBufferPointer(start: name, count: nameBytes))
            guard let found = ofThisProcess.named(wanted, at: now) else { return 0 }
            let isReady =
                unsafe EVP_DecryptInit_ex(cipher, method, nil, found.key.cipher, iv) == 1
                && antechamber_mac_set_key(mac, found.key.mac, found.key.mac.count) == 1
            // Clients of TLS 1.3 use a ticket once (RFC 8446 §C.4), so that each use has to yield the next.
            return !isReady ? -1 : unsafe found.seals && SSL_version(ssl) != TLS1_3_VERSION ? 1 : 2
        }
}
