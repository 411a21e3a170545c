"""What idle keep-alive connections add to the proxy's memory."""

import socket
from dataclasses import dataclass
from statistics import median

from harness import Problem, catalogue
from harness.bench import Bench, Server
from harness.catalogue import Proxy
from harness.goals import Goal
from harness.machine import say
from harness.processes import resident_bytes, tree, wait_until
from harness.sockets import connect, open_descriptors, raise_descriptor_limit, within_tls
from harness.table import aligned

_ANSWER_SECONDS = 10


@dataclass(frozen=True)
class Kind:
    """What connections did before they went idle."""

    proxy: Proxy
    name: str
    meaning: str
    has_goal: bool = False


_SILENT = "silent"
_KINDS = {kind.name: kind for kind in (
    Kind(catalogue.ANTECHAMBER, "after a request", "Antechamber, each has made one authenticated request", True),
    Kind(catalogue.ANTECHAMBER, _SILENT, "Antechamber, each has connected, and sent nothing", True),
    Kind(catalogue.ANTECHAMBER_TLS, "TLS", "Antechamber, TLS, each has made one authenticated request"),
    Kind(catalogue.HAPROXY_TLS, "HAProxy TLS", "HAProxy, TLS, each has made one request"),
)}


@dataclass(frozen=True)
class Round:
    """One proxy with all its connections. A round with `faults` is reported and kept out of the medians."""

    number: int
    kind: str
    connections: int
    before_bytes: int
    growth_bytes: int
    foreign_share: float
    faults: list[str]

    def __str__(self) -> str:
        return f"idle connections, {self.kind}"


def measure(bench: Bench, flags) -> list[Round]:
    """Each kind in each round, with a fresh proxy."""
    raise_descriptor_limit(flags.connections)
    rounds = []
    with bench.on_load_core():
        for number in range(1, flags.rounds + 1):
            for kind in _KINDS.values():
                say(f"round {number} of {flags.rounds}: {flags.connections} idle connections, {kind.name}")
                rounds.append(_round(bench, number, kind, flags.connections))
    return rounds


def _round(bench: Bench, number: int, kind: Kind, count: int) -> Round:
    server = bench.start(kind.proxy)
    head = (f"GET {bench.path} HTTP/1.1\r\nHost: api.example.com\r\n"
            f"Authorization: Bearer {bench.credentials.good}\r\n\r\n").encode()
    family = tree(server.process.pid)
    faults: list[str] = []
    connections: list[socket.socket] = []
    try:
        # One that has made a request, so that what is made once is not counted.
        connections.append(_connected(server, 0))
        _exchange(connections[0], head)
        before = resident_bytes(family)
        after = before
        try:
            for index in range(count):
                connections.append(_connected(server, index))
                if kind.name != _SILENT:
                    _exchange(connections[-1], head)
            # The kernel completes connections before the proxy has taken them.
            if not wait_until(lambda: open_descriptors(server.process.pid) > count, _ANSWER_SECONDS):
                held = open_descriptors(server.process.pid)
                faults.append(f"the proxy holds {held} descriptors for {count} connections")
            after = resident_bytes(family)
        except (OSError, Problem) as error:
            faults.append(f"connection {len(connections)}: {error}")
    finally:
        for connection in connections:
            connection.close()
        bench.processes.end(server.process)
    return Round(number, kind.name, count, before, after - before, 0, faults)


def _connected(server: Server, index: int) -> socket.socket:
    connection = connect(server.port, index)
    return within_tls(connection) if server.tls else connection


def _exchange(connection: socket.socket, head: bytes) -> None:
    """One request and its whole answer."""
    connection.settimeout(_ANSWER_SECONDS)
    connection.sendall(head)
    answer = b""
    while not answer.endswith(b'{"ok":true}\n'):
        piece = connection.recv(4096)
        if not piece:
            raise Problem("the proxy closed it")
        answer += piece
    if not answer.startswith(b"HTTP/1.1 200"):
        raise Problem(f"answered {answer[:32]!r}")


def goals(rounds: list[Round]) -> list[Goal]:
    """What a connection in clear may take, whatever it did before."""
    return [
        Goal(f"Antechamber, RSS for each idle connection, {kind.name}", _each(rounds, kind.name), 2000, "bytes")
        for kind in _KINDS.values() if kind.has_goal and any(one.kind == kind.name for one in rounds)
    ]


def text(rounds: list[Round], flags) -> list[str]:
    """A table of medians."""
    rows = [("idle connections", "", "RSS growth MB", "bytes each", "rounds")]
    for kind in _KINDS.values():
        several = [one for one in rounds if one.kind == kind.name]
        each = _each(rounds, kind.name)
        shown = ("-", "-") if each is None else (f"{each * flags.connections / 1e6:.1f}", f"{each:,.0f}")
        rows.append((f"{flags.connections:,}", kind.meaning, *shown,
                     f"{sum(not one.faults for one in several)}/{len(several)}"))
    return aligned(rows, left_columns=2)


def _each(rounds: list[Round], kind: str) -> float | None:
    good = [one.growth_bytes / one.connections for one in rounds if one.kind == kind and not one.faults]
    return median(good) if good else None
