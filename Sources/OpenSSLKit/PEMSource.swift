// Text as OpenSSL's readers of PEM take it.

internal import COpenSSL

/// A PEM file to read from.
func pemSource(_ text: Span<UInt8>) throws(OpenSSLError) -> Handle {
    let source = try unsafe handle("BIO_new", freedBy: { unsafe BIO_free($0) }) { unsafe BIO_new(BIO_s_mem()) }
    let bytes = text.array
    ERR_clear_error()
    let isWritten = unsafe bytes.isEmpty || BIO_write(source.raw, bytes, Int32(bytes.count)) == bytes.count
    if !isWritten { throw .taken(after: "BIO_write") }
    return source
}
