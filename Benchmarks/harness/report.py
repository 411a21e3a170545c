"""What rounds of load come to: medians, the table, notes, JSON."""

import dataclasses
import json
from collections.abc import Iterable
from pathlib import Path
from statistics import median

from harness import catalogue, goals
from harness.catalogue import Case
from harness.goals import Goal
from harness.rounds import Round
from harness.table import aligned

# Above this share of the proxy's core, what else ran there has bent the numbers.
_FOREIGN_SHARE_MAX = 0.03
_COLUMNS = ("row", "proxy", "token check", "req/s", "CPU µs/req", "× ours", "spread", "core", "p50 ms", "p99 ms",
            "p99.9 ms", "RSS MB", "rounds")
# What the others in a row are set against.
_OURS = (catalogue.ANTECHAMBER, catalogue.ANTECHAMBER_TLS)


@dataclasses.dataclass(frozen=True)
class Medians:
    """One line of the table, over the rounds without faults."""

    requests_per_second: float
    cpu_us_per_request: float
    cpu_spread: float
    core_share: float
    p50_us: float
    p99_us: float
    p999_us: float
    resident_bytes: float
    rounds_good: int
    rounds: int


def medians(rounds: list[Round]) -> Medians | None:
    """None when no round was without faults."""
    good = [one for one in rounds if not one.faults]
    if not good:
        return None

    def middle(name: str) -> float:
        return median(getattr(one, name) for one in good)

    cpu = [one.cpu_us_per_request for one in good]
    return Medians(
        requests_per_second=middle("requests_per_second"),
        cpu_us_per_request=middle("cpu_us_per_request"),
        cpu_spread=(max(cpu) - min(cpu)) / median(cpu) if median(cpu) else 0,
        core_share=middle("core_share"),
        p50_us=middle("p50_us"),
        p99_us=middle("p99_us"),
        p999_us=middle("p999_us"),
        resident_bytes=middle("resident_bytes"),
        rounds_good=len(good),
        rounds=len(rounds),
    )


def lines(measured: dict[Case, list[Round]]) -> dict[Case, Medians | None]:
    """Every case's medians."""
    return {case: medians(rounds) for case, rounds in measured.items()}


def has_faults(measured: dict[Case, list[Round]]) -> bool:
    """Whether some round does not count."""
    return any(one.faults for several in measured.values() for one in several)


def text(measured: dict[Case, list[Round]], heading: list[str], found: list[Goal]) -> str:
    """Everything a reader of the terminal gets."""
    return joined([heading, table(lines(measured)), _notes(measured), goals.lines(found)])


def joined(blocks: list[list[str]]) -> str:
    """Blocks of lines, with an empty line between those that hold something."""
    return "\n\n".join("\n".join(block) for block in blocks if block)


def write_json(path: Path, measured: dict[Case, list[Round]], facts: dict[str, object], found: list[Goal]) -> None:
    """Every round, the medians and ratios, for other programs."""
    middle = lines(measured)
    ratios = cpu_ratios(middle)
    path.write_text(json.dumps({
        **facts,
        "cases": [
            {
                "row": {**dataclasses.asdict(case.row), "tls": case.proxy.tls},
                "proxy": case.proxy.name,
                "title": case.proxy.title,
                "authenticates": case.proxy.authenticates,
                "cpu_ratio": ratios[case],
                "medians": dataclasses.asdict(middle[case]) if middle[case] else None,
                "rounds": [dataclasses.asdict(one) for one in rounds],
            }
            for case, rounds in measured.items()
        ],
        "goals": goals.records(found),
    }, indent=2) + "\n")


def disturbances(rounds: Iterable) -> list[str]:
    """A line when rounds were bent by what else ran on the proxy's core."""
    shares = [one.foreign_share for one in rounds if one.foreign_share > _FOREIGN_SHARE_MAX]
    if not shares:
        return []
    return [f"the machine was not quiet: in {len(shares)} rounds something else used the proxy's core "
            f"(up to {max(shares):.0%} of it); measure again"]


def cpu_ratios(middle: dict[Case, Medians | None]) -> dict[Case, float | None]:
    """CPU a request of each case over Antechamber's in its row; None where one of them was not measured."""
    cpu = {case: line.cpu_us_per_request for case, line in middle.items() if line}
    ours = {case.row: value for case, value in cpu.items() if case.proxy in _OURS}
    return {case: goals.ratio(cpu.get(case), ours.get(case.row)) for case in middle}


def table(middle: dict[Case, Medians | None]) -> list[str]:
    """One line a case."""
    ratios = cpu_ratios(middle)
    rows = [_COLUMNS]
    for case, line in middle.items():
        start = (case.row.title, case.proxy.title, "every request" if case.proxy.authenticates else "none")
        if line is None:
            rows.append((*start, *["-"] * 9, "0"))
            continue
        rows.append((
            *start,
            f"{line.requests_per_second:,.0f}",
            f"{line.cpu_us_per_request:.2f}",
            "-" if ratios[case] is None else f"{ratios[case]:.2f}",
            f"{line.cpu_spread:.1%}" if line.rounds_good > 1 else "-",
            f"{line.core_share:.0%}",
            f"{line.p50_us / 1000:.2f}",
            f"{line.p99_us / 1000:.2f}",
            f"{line.p999_us / 1000:.2f}",
            f"{line.resident_bytes / 1e6:.1f}",
            f"{line.rounds_good}/{line.rounds}",
        ))
    return aligned(rows, left_columns=3)


def _notes(measured: dict[Case, list[Round]]) -> list[str]:
    notes = []
    if any(case.proxy.is_ours for case in measured):
        notes.append("Antechamber has no plain mode: it verifies, or remembers having verified, every request's token.")
    if any(case.proxy.is_backend for case in measured):
        notes.append("Node answers by itself, with no proxy before it: its figures are the backend's work too.")
    for case, rounds in measured.items():
        for one in rounds:
            if one.faults:
                notes.append(f"round {one.number} of {case} is not counted: {'; '.join(one.faults)}")
    return notes + disturbances(one for rounds in measured.values() for one in rounds)
