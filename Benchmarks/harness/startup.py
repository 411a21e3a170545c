"""How long Antechamber takes from its start to the first connection that it serves, with keys from a file."""

import time
from dataclasses import dataclass
from statistics import median

from harness import catalogue
from harness.bench import Bench, get
from harness.goals import Goal
from harness.machine import say
from harness.table import aligned


@dataclass(frozen=True)
class Round:
    """One start."""

    number: int
    connected_ms: float
    answered_ms: float
    foreign_share: float
    faults: list[str]

    def __str__(self) -> str:
        return "starts"


def measure(bench: Bench, flags) -> list[Round]:
    """Each start is of a fresh process, at a port that was free."""
    say(f"{flags.starts} starts")
    return [_round(bench, number) for number in range(1, flags.starts + 1)]


def _round(bench: Bench, number: int) -> Round:
    began, connected, server = bench.time_start(catalogue.ANTECHAMBER)
    try:
        status, _ = get(server.port, bench.path, bench.credentials.good)
        answered = time.monotonic()
    finally:
        bench.processes.end(server.process)
    faults = [] if status == 200 else [f"the first request was answered with {status}"]
    return Round(number, (connected - began) * 1000, (answered - began) * 1000, 0, faults)


def goals(rounds: list[Round]) -> list[Goal]:
    """To the first connection that is accepted."""
    good = [one.connected_ms for one in rounds if not one.faults]
    return [Goal("Antechamber, from its start to the first connection", median(good) if good else None, 50, "ms")]


def text(rounds: list[Round], _) -> list[str]:
    """A table of medians."""
    rows = [("from the start of the process, ms", "median", "fastest", "slowest", "starts")]
    for title, values in (("to a connection", [one.connected_ms for one in rounds]),
                          ("to the answer of an authenticated request", [one.answered_ms for one in rounds])):
        rows.append((title, f"{median(values):.1f}", f"{min(values):.1f}", f"{max(values):.1f}", str(len(values))))
    return aligned(rows, left_columns=1)
