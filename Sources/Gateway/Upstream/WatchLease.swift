// A watch over a backend, for as long as anybody has use for it: the configuration that names the backend, and in each
// worker the requests that still go to it.

import Reactor

/// The watch stops with the last reference.
final class WatchLease: Sendable {
    /// What workers know the watch by.
    let id: Int
    let watch: QueueBound<UpstreamWatch>
    private let mailbox: Mailbox

    init(_ watch: UpstreamWatch, id: Int, on loop: EventLoop) {
        self.id = id
        self.watch = loop.bind(watch)
        mailbox = loop.mailbox
    }

    deinit {
        mailbox.post { [watch] in watch.unwrapped.stop() }
    }
}
