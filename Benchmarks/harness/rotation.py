"""Distinct tokens in rotation through the proxies: verified each time, remembered, and refused."""

from dataclasses import dataclass

from harness import catalogue, report, rounds as rounds_of_load
from harness.bench import Bench
from harness.catalogue import Case
from harness.goals import Goal, ratio

THEIRS = Case(catalogue.HAPROXY_JWT, catalogue.ROTATION)
UNCACHED = Case(catalogue.UNCACHED, catalogue.ROTATION)
CACHED = Case(catalogue.ANTECHAMBER, catalogue.ROTATION)
FORGED = Case(catalogue.ANTECHAMBER, catalogue.REFUSALS)
_CASES = {str(case): case for case in (THEIRS, UNCACHED, CACHED, FORGED)}


@dataclass(frozen=True)
class Round:
    """A stretch of load under one of the cases."""

    case: str
    load: rounds_of_load.Round

    def __str__(self) -> str:
        return self.case

    @property
    def number(self) -> int:
        return self.load.number

    @property
    def faults(self) -> list[str]:
        return self.load.faults

    @property
    def foreign_share(self) -> float:
        return self.load.foreign_share


def measure(bench: Bench, flags) -> list[Round]:
    """Round 1 of every case, round 2 of every case, ..."""
    measured = rounds_of_load.interleaved(bench, dict.fromkeys(_CASES.values(), flags.rounds), flags)
    return [Round(str(case), one) for case, several in measured.items() for one in several]


def goals(rounds: list[Round]) -> list[Goal]:
    """CPU time for a request, against HAProxy's jwt_verify and against one another."""
    cpu = {case: line.cpu_us_per_request for case, line in report.lines(_by_case(rounds)).items() if line}
    return [
        Goal("Antechamber, distinct tokens, no cache: CPU / HAProxy jwt_verify",
             ratio(cpu.get(UNCACHED), cpu.get(THEIRS)), 0.8, "×"),
        Goal("Antechamber, distinct tokens, cached: CPU / HAProxy jwt_verify",
             ratio(cpu.get(CACHED), cpu.get(THEIRS)), 0.5, "×"),
        Goal("Antechamber, forged tokens: CPU / good ones, no cache",
             ratio(cpu.get(FORGED), cpu.get(UNCACHED)), 1, "×"),
    ]


def text(rounds: list[Round], flags) -> list[str]:
    """The table of `compare`, for these cases."""
    return [
        f"{flags.tokens:,} tokens in rotation, medians of {flags.rounds} rounds of {flags.seconds} s",
        *report.table(report.lines(_by_case(rounds))),
    ]


def _by_case(rounds: list[Round]) -> dict[Case, list[rounds_of_load.Round]]:
    found: dict[Case, list[rounds_of_load.Round]] = {}
    for one in rounds:
        found.setdefault(_CASES[one.case], []).append(one.load)
    return found
