"""A backend that reads bodies of known length and answers how long they were; a process of its own.

    python -m harness.sink PORT
"""

import json
import re
import socket
import socketserver
import sys

_PIECE_BYTES = 1 << 20


def discard(connection: socket.socket, count: int) -> int:
    """Receives and throws away `count` bytes, or all that come; returns how many. They are not copied out of the
    kernel (MSG_TRUNC, tcp(7)), so that this costs next to nothing."""
    piece = bytearray(_PIECE_BYTES)
    left = count
    while left > 0:
        arrived = connection.recv_into(piece, min(left, _PIECE_BYTES), socket.MSG_TRUNC)
        if arrived == 0:
            break
        left -= arrived
    return count - left


class Connection(socketserver.BaseRequestHandler):
    """One request after another, until the proxy has had enough."""

    def handle(self) -> None:
        received = b""
        while True:
            while b"\r\n\r\n" not in received:
                more = self.request.recv(65536)
                if not more:
                    return
                received += more
            head, _, rest = received.partition(b"\r\n\r\n")
            length = re.search(rb"\r\ncontent-length: *(\d+)", head, re.IGNORECASE)
            wanted = int(length.group(1)) if length else 0
            had = min(len(rest), wanted)
            received = rest[had:]
            body = json.dumps({"received": had + discard(self.request, wanted - had)})
            self.request.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())


class Server(socketserver.ThreadingTCPServer):
    """One thread a connection: a proxy may keep one that is idle beside the one it uses."""

    daemon_threads = True

    def handle_error(self, request, client_address) -> None:
        """A proxy that ends with its round resets its connections: nothing to tell."""


if __name__ == "__main__":
    Server(("127.0.0.1", int(sys.argv[1])), Connection).serve_forever()
