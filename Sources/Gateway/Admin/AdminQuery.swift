// One admin page of several proxies, asked for by a command.

import CurlKit
import Reactor
import Synchronization

public enum AdminQuery {
    /// How long one proxy may take, for everything: longer than its workers may take to answer it.
    public static let timeoutMilliseconds = 10_000

    /// Why a page was not had.
    public struct Failure: Error, Sendable, Equatable {
        /// Completes a line that has named the proxy.
        public let reason: String
    }

    /// The bodies of `page` at each address, in their order. All are asked at once; blocks until each has answered or
    /// failed, for `timeoutMilliseconds` at most.
    ///
    /// - Parameter bodyBytesMax: A longer body is a failure.
    /// - Throws: `SystemError` where the system has no descriptors left.
    public static func get(
        _ page: String, from addresses: [AdminAddress], bodyBytesMax: Int
    ) throws -> [Result<[UInt8], Failure>] {
        if addresses.isEmpty { return [] }
        let loop = try EventLoop(label: "antechamber.query", lingerMilliseconds: 0)
        let answers = Answers(addresses.count)
        let bound = loop.bind((transfers: CurlLoop(loop: loop, userAgent: "antechamber"), loop: loop))
        loop.mailbox.post {
            let transfers = bound.unwrapped.transfers
            transfers.start()
            for (index, address) in addresses.enumerated() {
                let request = address.request(
                    for: page, timeoutMilliseconds: timeoutMilliseconds, bodyBytesMax: bodyBytesMax)
                transfers.get(request) { outcome in answers.record(body(outcome, page: page), at: index) }
            }
        }
        loop.resume()
        answers.complete.wait()
        loop.mailbox.post {
            bound.unwrapped.transfers.stop()
            bound.unwrapped.loop.close()
        }
        return answers.all
    }

    /// Any other answer than 200 is none. What an admin page says about it is worth repeating, up to a line.
    private static func body(_ outcome: CurlOutcome, page: String) -> Result<[UInt8], Failure> {
        switch outcome {
        case .failed(let failure): return .failure(Failure(reason: failure.reason))
        case .response(let response) where response.status == 200: return .success(response.body)
        case .response(let response):
            let isText = response.fields["content-type"]?.hasPrefix("text/plain") ?? false
            let line = isText ? line(of: response.body) : ""
            return .failure(
                Failure(reason: "it answered \(page) with \(response.status)" + (line.isEmpty ? "" : ": \(line)")))
        }
    }

    private static let lineBytesMax = 200

    /// The first line, cut, in visible ASCII: it goes to a terminal.
    private static func line(of body: [UInt8]) -> String {
        let line = body.prefix(lineBytesMax).prefix { $0 != 0x0A }
        return String(decoding: line.map { (0x20..<0x7F).contains($0) ? $0 : UInt8(ascii: "?") }, as: UTF8.self)
    }

    /// What has come so far.
    private final class Answers: Sendable {
        let complete: Countdown
        private let answers: Mutex<[Result<[UInt8], Failure>]>

        init(_ count: Int) {
            complete = Countdown(count)
            // None of these is left when all have arrived.
            answers = Mutex(Array(repeating: .failure(Failure(reason: "no answer")), count: count))
        }

        var all: [Result<[UInt8], Failure>] { answers.withLock { $0 } }

        func record(_ answer: Result<[UInt8], Failure>, at index: Int) {
            answers.withLock { $0[index] = answer }
            complete.arrive()
        }
    }
}
