"""Long bodies through Antechamber and through HAProxy: throughput, CPU time, and what they add to memory.

The load side must not be what is measured. nginx sends a sparse file by sendfile; the client throws away what arrives
without copying it out of the kernel (`MSG_TRUNC`, tcp(7)), and so does the sink that takes uploads; the client uploads
by sendfile too. A transfer with nobody between tells what the load side alone can do.
"""

import json
import os
import re
import socket
import struct
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from harness import Problem, catalogue, goals as targets
from harness.bench import Bench, Server
from harness.catalogue import Proxy
from harness.goals import Goal
from harness.machine import say
from harness.processes import Meter, peak_resident_bytes, reset_peak, resident_bytes, tree
from harness.sink import discard
from harness.table import aligned

_DIRECTIONS = ("download", "upload")
_STALLED_SECONDS = 20
_TRANSFER_SECONDS_MAX = 300
_DIRECT = "no proxy"
_GIB = 1 << 30


@dataclass(frozen=True)
class Round:
    """One body in one direction. A round with `faults` is reported and kept out of the medians."""

    number: int
    proxy: str
    direction: str
    bytes: int
    seconds: float
    cpu_seconds: float
    foreign_share: float
    growth_bytes: int
    faults: list[str]

    def __str__(self) -> str:
        return f"the {self.direction} through {self.proxy}"

    @property
    def gib_per_second(self) -> float:
        return self.bytes / _GIB / self.seconds

    @property
    def cpu_seconds_per_gib(self) -> float:
        return self.cpu_seconds / (self.bytes / _GIB)


def measure(bench: Bench, flags) -> list[Round]:
    """Round 1 of every case, round 2 of every case, ..., each with a fresh proxy."""
    document = bench.documents / "long"
    with document.open("wb") as file:
        file.truncate(flags.size)
    sink = bench.start(catalogue.SINK)
    ways = {"download": bench.backend, "upload": sink}
    rounds = []
    with bench.on_load_core():
        say(f"transfers of {flags.size / _GIB:g} GiB: once around, not counted")
        for direction, server in ways.items():
            transfer(direction, server.port, document, bench.credentials.good, flags.size)
        for number in range(1, flags.rounds + 1):
            for direction, server in ways.items():
                for proxy in (None, catalogue.HAPROXY, catalogue.ANTECHAMBER):
                    title = proxy.title if proxy else _DIRECT
                    say(f"round {number} of {flags.rounds}: {direction}, {title}")
                    rounds.append(_round(bench, number, direction, proxy, server, document, flags.size))
    bench.processes.end(sink.process)
    return rounds


def _round(bench: Bench, number: int, direction: str, proxy: Proxy | None, backend: Server, document: Path,
           size: int) -> Round:
    server = bench.start(proxy, backend) if proxy else backend
    faults: list[str] = []
    seconds, cpu, foreign_share, growth = 1.0, 0.0, 0.0, 0
    try:
        family = tree(server.process.pid)
        # The first request pays for what is made once: the connection to the backend, the pages of the code.
        transfer(direction, server.port, document, bench.credentials.good, size=None)
        reset_peak(family)
        resident_before, meter = resident_bytes(family), Meter(family, bench.cores)
        seconds = transfer(direction, server.port, document, bench.credentials.good, size)
        (cpu, foreign_share), growth = meter.read(), peak_resident_bytes(family) - resident_before
        if not proxy:
            # The backend is on the load core.
            foreign_share = 0.0
    except (OSError, Problem) as error:
        faults.append(str(error))
    finally:
        if proxy:
            bench.processes.end(server.process)
    title = proxy.title if proxy else _DIRECT
    return Round(number, title, direction, size, seconds, cpu, foreign_share, growth, faults)


def transfer(direction: str, port: int, document: Path, token: str, size: int | None) -> float:
    """Moves `size` bytes, or a few where it is None, and returns the seconds it took.

    Raises Problem unless exactly that many arrived at the other end."""
    with socket.create_connection(("127.0.0.1", port), timeout=_STALLED_SECONDS) as connection:
        # Timeouts of the kernel: with those of Python, each read would be two calls.
        connection.setblocking(True)
        for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            connection.setsockopt(socket.SOL_SOCKET, option, struct.pack("ll", _STALLED_SECONDS, 0))
        # A trickle would never stall.
        limit = threading.Timer(_TRANSFER_SECONDS_MAX, connection.shutdown, (socket.SHUT_RDWR,))
        limit.start()
        try:
            begin = time.monotonic()
            arrived, wanted = (_download if direction == "download" else _upload)(connection, document, token, size)
            seconds = time.monotonic() - begin
        finally:
            limit.cancel()
    if arrived != wanted:
        raise Problem(f"{arrived} bytes of {wanted} arrived")
    return seconds


def _download(connection: socket.socket, document: Path, token: str, size: int | None) -> tuple[int, int]:
    """How many bytes arrived here, and how many should have."""
    path = "/tiny" if size is None else f"/{document.name}"
    connection.sendall(f"GET {path} HTTP/1.1\r\n{_fields(token)}\r\n".encode())
    length, body = _response_head(connection)
    return len(body) + discard(connection, length - len(body)), length if size is None else size


def _upload(connection: socket.socket, document: Path, token: str, size: int | None) -> tuple[int, int]:
    """How many bytes the sink says arrived there, and how many should have."""
    wanted = 1 if size is None else size
    connection.sendall(f"PUT /sink HTTP/1.1\r\n{_fields(token)}Content-Length: {wanted}\r\n\r\n".encode())
    with document.open("rb") as file:
        sent = 0
        while sent < wanted:
            sent += os.sendfile(connection.fileno(), file.fileno(), sent, wanted - sent)
    length, body = _response_head(connection)
    while len(body) < length:
        body += connection.recv(length - len(body)) or _cut_short()
    return json.loads(body)["received"], wanted


def _fields(token: str) -> str:
    return f"Host: api.example.com\r\nAuthorization: Bearer {token}\r\n"


def _response_head(connection: socket.socket) -> tuple[int, bytes]:
    """Reads the head of a 200: its Content-Length, and what came along of the body."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += connection.recv(65536) or _cut_short()
    head, _, body = received.partition(b"\r\n\r\n")
    length = re.search(rb"\r\ncontent-length: *(\d+)", head, re.IGNORECASE)
    if not head.startswith(b"HTTP/1.1 200") or not length:
        raise Problem(f"not a 200 of known length: {head.splitlines()[0].decode(errors='replace')}")
    return int(length.group(1)), body


def _cut_short() -> bytes:
    raise Problem("the connection ended early")


def _medians(rounds: list[Round], figure: str) -> dict[tuple[str, str], float]:
    cases = dict.fromkeys((one.direction, one.proxy) for one in rounds)
    return {
        case: median(getattr(one, figure) for one in good)
        for case in cases
        if (good := [one for one in rounds if (one.direction, one.proxy) == case and not one.faults])
    }


def goals(rounds: list[Round]) -> list[Goal]:
    """Throughput against HAProxy's, and the memory that a body takes, whatever its length."""
    rate = _medians(rounds, "gib_per_second")
    ours, theirs = catalogue.ANTECHAMBER.title, catalogue.HAPROXY.title
    growth = [one.growth_bytes for one in rounds if one.proxy == ours and not one.faults]
    return [
        *(
            Goal(f"Antechamber, {direction}: throughput / HAProxy's",
                 targets.ratio(rate.get((direction, ours)), rate.get((direction, theirs))), 0.9, "×", at_least=True)
            for direction in _DIRECTIONS
        ),
        Goal("Antechamber, growth of RSS in a transfer (largest of all)",
             max(growth) / 1e6 if growth else None, 8, "MB"),
    ]


def text(rounds: list[Round], flags) -> list[str]:
    """A table of medians."""
    rate, cpu, growth = (_medians(rounds, figure)
                         for figure in ("gib_per_second", "cpu_seconds_per_gib", "growth_bytes"))
    rows = [("body", "proxy", "GiB/s", "CPU s/GiB", "CPU / HAProxy's", "RSS growth MB", "rounds")]
    for case in dict.fromkeys((one.direction, one.proxy) for one in rounds):
        several = [one for one in rounds if (one.direction, one.proxy) == case]
        counted = f"{sum(not one.faults for one in several)}/{len(several)}"
        if case not in rate:
            rows.append((*case, *["-"] * 4, counted))
            continue
        times = targets.ratio(cpu[case], cpu.get((case[0], catalogue.HAPROXY.title)))
        proxied = case[1] != _DIRECT
        rows.append((
            *case, f"{rate[case]:.2f}",
            f"{cpu[case]:.3f}" if proxied else "-",
            f"{times:.2f} ×" if proxied and times else "-",
            f"{growth[case] / 1e6:.1f}" if proxied else "-",
            counted,
        ))
    return [f"bodies of {flags.size / _GIB:g} GiB, medians of {flags.rounds} rounds", *aligned(rows, left_columns=2)]

