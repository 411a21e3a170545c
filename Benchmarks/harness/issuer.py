"""An issuer's key set over HTTP, which remembers when it was asked for."""

import http.server
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Issuer:
    """Where it listens, and the times (time.monotonic) of the requests for its keys."""

    port: int
    fetches: list[float] = field(default_factory=list)

    def most_within(self, seconds: float, since: float) -> int:
        """How many fetches, at most, began within so many seconds of each other."""
        times = [one for one in self.fetches if one >= since]
        return max((sum(first <= one < first + seconds for one in times) for first in times), default=0)


@contextmanager
def serving(jwks: Path) -> Iterator[Issuer]:
    """Serves the file at every path, in a thread of this process."""
    issuer = Issuer(0)
    document = jwks.read_bytes()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            issuer.fetches.append(time.monotonic())
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(document)))
            self.end_headers()
            self.wfile.write(document)

        def log_message(self, *_) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        issuer.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield issuer
        finally:
            server.shutdown()
            thread.join()
