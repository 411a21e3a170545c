// One easy handle: its options, what it has received, and what its result code means.
//
// libcurl holds unretained pointers to this object from `init` to `deinit` and uses them only while the handle
// is in a multi handle, on that multi handle's queue. Whoever adds the handle keeps the object.

internal import CCurl
import Glibc

@safe
final class CurlTransfer {
    /// Bytes of all head lines together, interim responses included.
    private static let headBytesMax = 64 * 1024

    /// What the next line that libcurl delivers belongs to.
    private enum HeadPart {
        case statusLine
        case fields(areInterim: Bool)
        /// The final head is over: what comes now are trailers, whatever they look like.
        case trailers
    }

    let easy: UnsafeMutableRawPointer
    let completion: (CurlOutcome) -> Void

    private let request: CurlRequest
    private let errorText: UnsafeMutablePointer<CChar>
    private var requestFields: UnsafeMutablePointer<curl_slist>?
    private var headBytes = 0
    private var headPart = HeadPart.statusLine
    private var fields: [String: String] = [:]
    private var body: [UInt8] = []
    private var isTooLarge = false

    init(
        _ request: CurlRequest, userAgent: String, completion: @escaping (CurlOutcome) -> Void
    ) throws(CurlFailure) {
        guard let easy = unsafe curl_easy_init() else { throw CurlFailure(reason: "out of memory") }
        unsafe self.easy = easy
        self.request = request
        self.completion = completion
        unsafe errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
        unsafe errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        unsafe requestFields = unsafe curl_slist_append(nil, "Accept: \(request.accept)")
        try configure(userAgent: userAgent)
    }

    deinit {
        unsafe curl_easy_cleanup(easy)
        unsafe curl_slist_free_all(requestFields)
        unsafe errorText.deallocate()
    }

    /// What became of it. `code` is what libcurl says when the transfer is done.
    func outcome(_ code: CURLcode) -> CurlOutcome {
        if isTooLarge || code == CURLE_FILESIZE_EXCEEDED {
            let what = headBytes > CurlTransfer.headBytesMax ? "head" : "body"
            return .failed(CurlFailure(reason: "the response's \(what) is too large"))
        }
        if code != CURLE_OK { return .failed(failure(code)) }
        var status = 0
        unsafe ccurl_get_long(easy, CURLINFO_RESPONSE_CODE, &status)
        return .response(CurlResponse(status: status, fields: fields, body: body))
    }

    // MARK: Options

    private func configure(userAgent: String) throws(CurlFailure) {
        try set(CURLOPT_URL, request.url)
        try check(unsafe ccurl_set_web_protocols_only(easy))
        try set(CURLOPT_FOLLOWLOCATION, 0)
        try set(CURLOPT_DISALLOW_USERNAME_IN_URL, 1)
        // One small response: nothing to gain from HTTP/2, and a connection kept would be stale by the next fetch.
        try set(CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1)
        try set(CURLOPT_FORBID_REUSE, 1)
        try set(CURLOPT_USERAGENT, userAgent)
        try check(unsafe ccurl_set_pointer(easy, CURLOPT_HTTPHEADER, requestFields))
        // No other decompressor is worth its attack surface for a few kilobytes.
        try set(CURLOPT_ACCEPT_ENCODING, "gzip")
        if let path = request.unixSocketPath { try set(CURLOPT_UNIX_SOCKET_PATH, path) }
        if !request.mayUseProxy { try set(CURLOPT_PROXY, "") }
        try set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)

        try set(CURLOPT_SSL_VERIFYPEER, 1)
        try set(CURLOPT_SSL_VERIFYHOST, 2)
        try set(CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2)
        if let file = request.certificateAuthorityFile {
            try set(CURLOPT_CAINFO, file)
            // The directory that libcurl was built with is looked into beside the file, unless it is taken away.
            try check(unsafe ccurl_set_string(easy, CURLOPT_CAPATH, nil))
        }

        // Signals would hit any thread of the process (name look-up with a timeout uses SIGALRM).
        try set(CURLOPT_NOSIGNAL, 1)
        try check(unsafe ccurl_set_quick_exit(easy))
        // 0 would mean no bound at all.
        try set(CURLOPT_TIMEOUT_MS, max(1, request.timeoutMilliseconds))
        try set(CURLOPT_CONNECTTIMEOUT_MS, max(1, request.connectTimeoutMilliseconds))
        try check(unsafe ccurl_set_size(easy, CURLOPT_MAXFILESIZE_LARGE, curl_off_t(request.bodyBytesMax)))

        try check(unsafe ccurl_set_pointer(easy, CURLOPT_ERRORBUFFER, errorText))
        let context = unsafe Unmanaged.passUnretained(self).toOpaque()
        try check(unsafe ccurl_set_sink(easy, CURLOPT_HEADERFUNCTION) { bytes, size, count, context in
            let transfer = unsafe Unmanaged<CurlTransfer>.fromOpaque(context!).takeUnretainedValue()
            let line = unsafe UnsafeRawBufferPointer(start: bytes, count: size * count)
            return unsafe transfer.receivedHeadLine(String(decoding: line, as: UTF8.self), bytes: line.count)
        })
        try check(unsafe ccurl_set_pointer(easy, CURLOPT_HEADERDATA, context))
        try check(unsafe ccurl_set_sink(easy, CURLOPT_WRITEFUNCTION) { bytes, size, count, context in
            let transfer = unsafe Unmanaged<CurlTransfer>.fromOpaque(context!).takeUnretainedValue()
            return unsafe transfer.receivedBody(UnsafeRawBufferPointer(start: bytes, count: size * count))
        })
        try check(unsafe ccurl_set_pointer(easy, CURLOPT_WRITEDATA, context))
    }

    private func set(_ option: CURLoption, _ value: Int) throws(CurlFailure) {
        try check(unsafe ccurl_set_long(easy, option, value))
    }

    private func set(_ option: CURLoption, _ value: String) throws(CurlFailure) {
        try check(unsafe ccurl_set_string(easy, option, value))
    }

    private func check(_ code: CURLcode) throws(CurlFailure) {
        if code != CURLE_OK { throw failure(code) }
    }

    // MARK: What libcurl delivers. A sink that returns another count than it was given ends the transfer.

    private func receivedHeadLine(_ line: String, bytes: Int) -> Int {
        headBytes += bytes
        if headBytes > CurlTransfer.headBytesMax {
            isTooLarge = true
            return 0
        }
        let text = line.trimmed
        switch headPart {
        case .statusLine:
            // The status code's first digit follows the version.
            let status = text.drop { $0 != " " }.dropFirst()
            headPart = .fields(areInterim: status.first == "1")
        case .fields(let areInterim):
            if text.isEmpty {
                headPart = areInterim ? .statusLine : .trailers
            } else if !areInterim {
                receivedField(text)
            }
        case .trailers: break
        }
        return bytes
    }

    private func receivedField(_ line: String) {
        guard let colon = line.utf8.firstIndex(of: UInt8(ascii: ":")) else { return }
        let name = line[..<colon].lowercased()
        guard request.responseFields.contains(name) else { return }
        let value = String(line[line.utf8.index(after: colon)...]).trimmed
        fields[name] = fields[name].map { "\($0), \(value)" } ?? value
    }

    private func receivedBody(_ bytes: UnsafeRawBufferPointer) -> Int {
        if bytes.count > request.bodyBytesMax - body.count {
            isTooLarge = true
            return 0
        }
        unsafe body.append(contentsOf: bytes)
        return bytes.count
    }

    // MARK: Result codes

    private func failure(_ code: CURLcode) -> CurlFailure {
        switch code {
        case CURLE_OPERATION_TIMEDOUT:
            var connectedAfter: curl_off_t = 0
            unsafe ccurl_get_size(easy, CURLINFO_CONNECT_TIME_T, &connectedAfter)
            // Without the milliseconds there were: what is left of a deadline differs from one failure to the next.
            return CurlFailure(reason: connectedAfter == 0 ? "no connection in time" : "no complete response in time")
        case CURLE_COULDNT_CONNECT:
            // libcurl's text holds the milliseconds it took, which would make each failure look like a new one.
            var error = 0
            unsafe ccurl_get_long(easy, CURLINFO_OS_ERRNO, &error)
            let system = error == 0 ? "no route" : unsafe String(cString: strerror(Int32(truncatingIfNeeded: error)))
            return CurlFailure(reason: "could not connect: \(system)")
        case CURLE_PARTIAL_FILE:
            // libcurl's text counts the bytes, which differ from one failure to the next.
            return CurlFailure(reason: "the response was cut off")
        case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY:
            return CurlFailure(reason: text(code))
        case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_CIPHER,
            CURLE_SSL_CERTPROBLEM, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_INVALIDCERTSTATUS:
            return CurlFailure(reason: "TLS: \(text(code))")
        default:
            return CurlFailure(reason: text(code))
        }
    }

    private func text(_ code: CURLcode) -> String {
        let detail = unsafe String(cString: errorText)
        return detail.isEmpty ? unsafe String(cString: curl_easy_strerror(code)) : detail
    }
}

extension String {
    /// Without spaces, tabs and line ends around it.
    fileprivate var trimmed: String {
        let isBlank: (Character) -> Bool = { $0 == " " || $0 == "\t" || $0.isNewline }
        guard let start = firstIndex(where: { !isBlank($0) }), let last = lastIndex(where: { !isBlank($0) }) else {
            return ""
        }
        return String(self[start...last])
    }
}
