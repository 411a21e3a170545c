internal import COpenSSL

/// `count` bytes from OpenSSL's cryptographic random generator.
public func randomBytes(_ count: Int) throws(OpenSSLError) -> [UInt8] {
    precondition(count >= 0 && count <= Int(Int32.max))
    var bytes = [UInt8](repeating: 0, count: count)
    try unsafe bytes.withUnsafeMutableBufferPointer { (buffer) throws(OpenSSLError) in
        let base = buffer.baseAddress
        try succeed("RAND_bytes") { unsafe RAND_bytes(base, Int32(count)) }
    }
    return bytes
}
