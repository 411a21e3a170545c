"""A long life in a few minutes: many requests, many connections, many tokens, and the memory after a tenth and at the
end."""

from dataclasses import dataclass

from harness import catalogue, load
from harness.bench import Bench, Server
from harness.goals import Goal
from harness.machine import say
from harness.processes import Meter, resident_bytes, tree
from harness.table import aligned

TOKENS = 20_000
_STAGES = 10
_CONNECTIONS = 64
# Of one stretch of load: so long that the start of wrk is nothing beside it, and so short that a stage is about as
# long as it is to be.
_SECONDS = 2


@dataclass(frozen=True)
class Round:
    """One life, in stages."""

    number: int
    requests: int
    connections: int
    resident_bytes: list[int]
    foreign_share: float
    faults: list[str]

    def __str__(self) -> str:
        return "a long life"


def measure(bench: Bench, flags) -> list[Round]:
    """A process for each life."""
    return [_round(bench, number, flags) for number in range(1, flags.rounds + 1)]


def _round(bench: Bench, number: int, flags) -> Round:
    server = bench.start(catalogue.ANTECHAMBER)
    family = tree(server.process.pid)
    faults: list[str] = []
    requests = connections = 0
    sizes: list[int] = []
    shares: list[float] = []
    try:
        for stage in range(1, _STAGES + 1):
            say(f"life {number} of {flags.rounds}: stage {stage} of {_STAGES}")
            meter = Meter(family, bench.cores)
            while connections < flags.connections * stage // _STAGES and not faults:
                alone = _load(bench, server, faults, closes=True)
                requests += alone
                connections += alone
            while requests < flags.requests * stage // _STAGES and not faults:
                requests += _load(bench, server, faults, closes=False)
                connections += _CONNECTIONS
            shares.append(meter.read()[1])
            sizes.append(resident_bytes(family))
        if server.process.poll() is not None or tree(server.process.pid) != family:
            faults.append("a process of the proxy ended")
    finally:
        bench.processes.end(server.process)
    return Round(number, requests, connections, sizes, max(shares, default=0), faults)


def _load(bench: Bench, server: Server, faults: list[str], closes: bool) -> int:
    result = load.run(bench.processes, bench.cores.load, bench.url(server), bench.credentials.tokens["many"],
                      _CONNECTIONS, _SECONDS, closes=closes)
    faults += [f"{count} {kind} errors" for kind, count in result.errors.items()]
    if result.requests == 0:
        faults.append("no request was answered")
    return result.requests


def goals(rounds: list[Round]) -> list[Goal]:
    """The memory at the end, against that after the first tenth."""
    good = [one.resident_bytes for one in rounds if not one.faults]
    growth = max((sizes[-1] / sizes[0] for sizes in good), default=None)
    return [Goal("Antechamber, RSS at the end of a life / after a tenth of it", growth, 1.1, "×")]


def text(rounds: list[Round], _) -> list[str]:
    """A row for each life."""
    rows = [("life", "requests", "connections", "RSS MB, stage by stage")]
    for one in rounds:
        rows.append((str(one.number), f"{one.requests:,}", f"{one.connections:,}",
                     " ".join(f"{size / 1e6:.1f}" for size in one.resident_bytes)))
    return aligned(rows, left_columns=1)
