// HTTP for an issuer's keys, and the redirects that are followed.
//
// A redirect is followed within its origin only (so never from https to http), and within the deadline of the first
// request.

import Admission
import CurlKit
import Reactor

final class KeyFetcher {
    private static let redirectsMax = 3
    private static let wantedFields = ["cache-control", "age", "retry-after", "content-type", "location"]

    /// What to get, and how far to go for it.
    struct Request {
        var url: HTTPURL
        /// Monotonic nanoseconds.
        var deadline: Int64
        /// After decompression.
        var bodyBytesMax: Int
        var accept: String
        var certificateAuthorityFile: String?
    }

    private let transfers: CurlLoop

    init(loop: EventLoop, userAgent: String) {
        transfers = CurlLoop(loop: loop, userAgent: userAgent)
    }

    /// On the loop, like everything that follows.
    func start() {
        transfers.start()
    }

    /// Ends every transfer without a word.
    func stop() {
        transfers.stop()
    }

    /// Calls `completion` once, before or after this returns.
    func get(_ request: Request, completion: @escaping (Result<KeyResponse, KeyFetchFailure>) -> Void) {
        get(request, redirectsLeft: KeyFetcher.redirectsMax, completion)
    }

    private func get(
        _ request: Request, redirectsLeft: Int,
        _ completion: @escaping (Result<KeyResponse, KeyFetchFailure>) -> Void
    ) {
        let millisecondsLeft = max(1, Int((request.deadline - Clock.monotonicNanoseconds()) / 1_000_000))
        let curlRequest = CurlRequest(
            url: request.url.description,
            timeoutMilliseconds: millisecondsLeft,
            connectTimeoutMilliseconds: millisecondsLeft,
            bodyBytesMax: request.bodyBytesMax,
            accept: request.accept,
            responseFields: KeyFetcher.wantedFields,
            certificateAuthorityFile: request.certificateAuthorityFile,
            mayUseProxy: !request.url.host.isLoopback)
        transfers.get(curlRequest) { [weak self] outcome in
            switch outcome {
            case .failed(let failure): completion(.failure(KeyFetchFailure(reason: failure.reason)))
            case .response(let response):
                guard [301, 302, 303, 307, 308].contains(response.status),
                    let location = response.fields["location"]
                else { return completion(.success(KeyResponse(response))) }
                self?.follow(location, of: request, redirectsLeft: redirectsLeft, completion)
            }
        }
    }

    private func follow(
        _ location: String, of request: Request, redirectsLeft: Int,
        _ completion: @escaping (Result<KeyResponse, KeyFetchFailure>) -> Void
    ) {
        guard redirectsLeft > 0 else {
            return completion(.failure(KeyFetchFailure(reason: "more than \(KeyFetcher.redirectsMax) redirects")))
        }
        guard let target = try? request.url.resolving(location: location) else {
            return completion(.failure(KeyFetchFailure(reason: "redirected to something that is no URL")))
        }
        guard target.isSameOrigin(as: request.url) else {
            return completion(
                .failure(KeyFetchFailure(reason: "redirected to another origin, \(target.origin): not followed")))
        }
        var next = request
        next.url = target
        get(next, redirectsLeft: redirectsLeft - 1, completion)
    }
}

extension KeyResponse {
    init(_ response: CurlResponse) {
        self.init(
            status: response.status,
            body: response.body,
            contentType: response.fields["content-type"],
            cacheControl: response.fields["cache-control"],
            age: response.fields["age"],
            retryAfter: response.fields["retry-after"])
    }
}
