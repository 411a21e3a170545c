"""What clients that send their heads byte by byte cost another one.

The other client sends far fewer requests than the proxy can answer. The slow ones run beside it on the load core, at
the lowest priority.
"""

import json
import subprocess
import sys
from dataclasses import dataclass
from statistics import median

from harness import Problem, catalogue, drip, load
from harness.bench import Bench, Server
from harness.goals import Goal, ratio
from harness.machine import say
from harness.processes import Meter, tree
from harness.sockets import open_descriptors
from harness.table import aligned


@dataclass(frozen=True)
class Round:
    """One proxy, without the slow clients and then with them. Faults keep a round out of the medians."""

    number: int
    connections: int
    p50_us: int
    p99_us: int
    p50_us_beside_slow: int
    p99_us_beside_slow: int
    requests: int
    requests_beside_slow: int
    drips: int
    replaced: int
    cpu_share_beside_slow: float
    foreign_share: float
    faults: list[str]

    def __str__(self) -> str:
        return "slow heads"


def measure(bench: Bench, flags) -> list[Round]:
    """Each round with a fresh proxy."""
    rounds = []
    for number in range(1, flags.rounds + 1):
        say(f"round {number} of {flags.rounds}: latency alone, then beside {flags.connections} slow clients")
        rounds.append(_round(bench, number, flags))
    return rounds


def _round(bench: Bench, number: int, flags) -> Round:
    server = bench.start(catalogue.ANTECHAMBER)
    try:
        _latency(bench, server, 1)
        alone = _latency(bench, server, flags.seconds)
        family = tree(server.process.pid)
        with _Slow(bench, server, flags.connections) as slow:
            told_before, meter = slow.tell(), Meter(family, bench.cores)
            beside = _latency(bench, server, flags.seconds)
            (cpu, foreign_share), told = meter.read(), slow.tell()
            held = open_descriptors(server.process.pid)
    finally:
        bench.processes.end(server.process)
    faults = [f"{count} {kind} errors" for one in (alone, beside) for kind, count in one.errors.items()]
    # Some are being replaced at any time.
    if held < 0.95 * flags.connections:
        faults.append(f"the proxy holds {held} descriptors for {flags.connections} slow connections")
    return Round(
        number, flags.connections, alone.p50_us, alone.p99_us, beside.p50_us, beside.p99_us, alone.requests,
        beside.requests, told["drips"] - told_before["drips"], told["replaced"] - told_before["replaced"],
        cpu / beside.seconds, foreign_share, faults)


def _latency(bench: Bench, server: Server, seconds: int) -> load.Load:
    return load.run_lightly(
        bench.processes, bench.cores.load, bench.url(server), bench.credentials.tokens["one"], seconds)


class _Slow:
    """The slow clients, in a process of their own; `drip` says how it talks."""

    def __init__(self, bench: Bench, server: Server, connections: int) -> None:
        self._bench = bench
        self._process = bench.processes.start(
            [sys.executable, "-m", drip.__name__, str(server.port), str(connections)], bench.cores.load,
            niceness=19, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self) -> "_Slow":
        # The first line comes when all are connected.
        self._read()
        return self

    def __exit__(self, *_) -> None:
        self._bench.processes.end(self._process)

    def tell(self) -> dict[str, int]:
        """What was done so far."""
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return self._read()

    def _read(self) -> dict[str, int]:
        line = self._process.stdout.readline()
        if not line:
            raise Problem("the slow clients ended; see above")
        return json.loads(line)


def goals(rounds: list[Round]) -> list[Goal]:
    """Latency beside the slow ones against latency without them."""
    good = [one for one in rounds if not one.faults]
    return [Goal(
        "Antechamber, p99 beside slow clients / without them",
        ratio(median(one.p99_us_beside_slow for one in good), median(one.p99_us for one in good)) if good else None,
        3, "×")]


def text(rounds: list[Round], flags) -> list[str]:
    """A table of medians."""
    good = [one for one in rounds if not one.faults]
    rows = [("requests", "req/s", "p50 ms", "p99 ms", "slow sends/s", "replaced/s", "core", "rounds")]
    counted = f"{len(good)}/{len(rounds)}"
    if not good:
        return aligned([*rows, (f"beside {flags.connections:,} slow clients", *["-"] * 6, counted)], left_columns=1)

    def middle(figure: str) -> float:
        return median(getattr(one, figure) for one in good)

    seconds = flags.seconds
    rows.append(("alone", f"{middle('requests') / seconds:,.0f}", f"{middle('p50_us') / 1000:.2f}",
                 f"{middle('p99_us') / 1000:.2f}", "-", "-", "-", counted))
    rows.append((
        f"beside {flags.connections:,} slow clients", f"{middle('requests_beside_slow') / seconds:,.0f}",
        f"{middle('p50_us_beside_slow') / 1000:.2f}", f"{middle('p99_us_beside_slow') / 1000:.2f}",
        f"{middle('drips') / seconds:,.0f}", f"{middle('replaced') / seconds:,.0f}",
        f"{middle('cpu_share_beside_slow'):.0%}", counted))
    return aligned(rows, left_columns=1)
