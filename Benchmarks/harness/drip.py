"""Clients that send the head of a request a byte at a time and never finish it; a process of its own.

    python -m harness.drip PORT CONNECTIONS

They connect evenly over ten seconds, the proxy's `client_header_timeout`: it then gives up on them evenly too, and
each one that is closed is replaced at once. A line of JSON on standard output tells that all have connected, and
another one what was done so far for each line on standard input; its end ends the process.
"""

import json
import select
import sys
import time

from harness.sockets import connect, raise_descriptor_limit

_OPENING_SECONDS = 10
_BYTE_EVERY_SECONDS = 2
_TICK_SECONDS = 0.005
_BEGINNING = b"GET / HTTP/1.1\r\nHost: api.example.com\r\nX-Slow: "


class Clients:
    """All connections of the process, in the order in which they are next to send."""

    def __init__(self, port: int, count: int) -> None:
        self.port = port
        self.count = count
        self.drips = 0
        self.replaced = 0
        self._connections = []
        self._place = {}
        self._next = 0
        self._events = select.epoll()

    def open(self, count: int) -> None:
        """Connects until there are `count`."""
        while len(self._connections) < count:
            self._connections.append(None)
            self._connect(len(self._connections) - 1)

    def drip(self, count: int) -> None:
        """The next `count` connections send a byte each."""
        for _ in range(min(count, len(self._connections))):
            self._next = (self._next + 1) % len(self._connections)
            try:
                self._connections[self._next].send(b"x")
                self.drips += 1
            except OSError:
                self._replace(self._next)

    def replace_closed(self) -> None:
        """Puts a new connection in the place of each on which the proxy has said something, as that is a refusal."""
        for descriptor, _ in self._events.poll(0, 1024):
            self._replace(self._place[descriptor])

    def told(self) -> str:
        return json.dumps({"open": len(self._connections), "drips": self.drips, "replaced": self.replaced})

    def close(self) -> None:
        for connection in self._connections:
            connection.close()
        self._events.close()

    def _replace(self, place: int) -> None:
        old = self._connections[place]
        self._events.unregister(old)
        del self._place[old.fileno()]
        old.close()
        self.replaced += 1
        self._connect(place)

    def _connect(self, place: int) -> None:
        made = connect(self.port, place)
        made.send(_BEGINNING)
        made.setblocking(False)
        self._connections[place] = made
        self._place[made.fileno()] = place
        self._events.register(made, select.EPOLLIN | select.EPOLLRDHUP)


def main(port: int, count: int) -> None:
    raise_descriptor_limit(count)
    clients = Clients(port, count)
    begin = time.monotonic()
    dripped = 0
    told_all = False
    while True:
        asked, _, _ = select.select([sys.stdin], [], [], _TICK_SECONDS)
        if asked:
            if not sys.stdin.readline():
                return
            print(clients.told(), flush=True)
        now = time.monotonic()
        clients.open(min(count, int(count * (now - begin) / _OPENING_SECONDS) + 1))
        clients.replace_closed()
        due = int(count * (now - begin) / _BYTE_EVERY_SECONDS)
        clients.drip(due - dripped)
        dripped = due
        if not told_all and now - begin >= _OPENING_SECONDS:
            told_all = True
            print(clients.told(), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
