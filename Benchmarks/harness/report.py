"""Medians, the table, the goals, JSON."""

import dataclasses
import json
from pathlib import Path
from statistics import median

from harness.catalogue import Case
from harness.rounds import Round

# Above this share of the proxy's core, what else ran there has bent the numbers.
_FOREIGN_SHARE_MAX = 0.03
_COLUMNS = ("proxy", "mode", "token check", "req/s", "CPU µs/req", "spread", "core", "p50 ms", "p99 ms", "RSS MB",
            "rounds")


@dataclasses.dataclass(frozen=True)
class Medians:
    """One line of the table, over the rounds without faults."""

    requests_per_second: float
    cpu_us_per_request: float
    cpu_spread: float
    core_share: float
    p50_us: float
    p99_us: float
    resident_bytes: float
    rounds_good: int
    rounds: int


@dataclasses.dataclass(frozen=True)
class Goal:
    """Something Antechamber sets out to stay under; `value` is None where its cases were not measured."""

    title: str
    value: float | None
    limit: float
    unit: str

    @property
    def verdict(self) -> str:
        if self.value is None:
            return "not measured"
        return "yes" if self.value <= self.limit else "no"


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
        resident_bytes=middle("resident_bytes"),
        rounds_good=len(good),
        rounds=len(rounds),
    )


def goals(lines: dict[Case, Medians | None]) -> list[Goal]:
    """The three figures the project answers for."""
    by_name = {(case.proxy.name, case.mode): line for case, line in lines.items() if line}
    ours = by_name.get(("antechamber", "one"))

    def ratio(peer: str, mode: str) -> float | None:
        theirs = by_name.get((peer, mode))
        if not ours or not theirs or not theirs.cpu_us_per_request:
            return None
        return ours.cpu_us_per_request / theirs.cpu_us_per_request

    resident = [line.resident_bytes for (name, _), line in by_name.items() if name == "antechamber"]
    return [
        Goal("Antechamber, one token: CPU / HAProxy plain", ratio("haproxy", "plain"), 1.25, "×"),
        Goal("Antechamber, one token: CPU / Envoy jwt_authn, one token", ratio("envoy-jwt", "one"), 0.55, "×"),
        Goal("Antechamber, RSS after load (largest of its modes)", max(resident) / 1e6 if resident else None, 40, "MB"),
    ]


def text(measured: dict[Case, list[Round]], heading: list[str]) -> str:
    """Everything a reader of the terminal gets."""
    lines = {case: medians(rounds) for case, rounds in measured.items()}
    blocks = [heading, _table(lines), _notes(measured), _goal_lines(goals(lines))]
    return "\n\n".join("\n".join(block) for block in blocks if block)


def write_json(path: Path, measured: dict[Case, list[Round]], circumstances: dict[str, object]) -> None:
    """Every round and the medians, for other programs."""
    lines = {case: medians(rounds) for case, rounds in measured.items()}
    path.write_text(json.dumps({
        **circumstances,
        "cases": [
            {
                "proxy": case.proxy.name,
                "mode": case.mode,
                "medians": dataclasses.asdict(lines[case]) if lines[case] else None,
                "rounds": [dataclasses.asdict(one) for one in rounds],
            }
            for case, rounds in measured.items()
        ],
        "goals": [{**dataclasses.asdict(goal), "met": goal.verdict} for goal in goals(lines)],
    }, indent=2) + "\n")


def _table(lines: dict[Case, Medians | None]) -> list[str]:
    rows = [_COLUMNS]
    for case, line in lines.items():
        start = (case.proxy.title, case.mode, "every request" if case.proxy.authenticates else "none")
        if line is None:
            rows.append((*start, *["-"] * 7, "0"))
            continue
        rows.append((
            *start,
            f"{line.requests_per_second:,.0f}",
            f"{line.cpu_us_per_request:.2f}",
            f"{line.cpu_spread:.1%}" if line.rounds_good > 1 else "-",
            f"{line.core_share:.0%}",
            f"{line.p50_us / 1000:.2f}",
            f"{line.p99_us / 1000:.2f}",
            f"{line.resident_bytes / 1e6:.1f}",
            f"{line.rounds_good}/{line.rounds}",
        ))
    return _aligned(rows, left_columns=3)


def _notes(measured: dict[Case, list[Round]]) -> list[str]:
    notes = []
    if any(case.proxy.name == "antechamber" for case in measured):
        notes.append("Antechamber has no plain mode: it verifies, or remembers having verified, every request's token.")
    for case, rounds in measured.items():
        for one in rounds:
            if one.faults:
                notes.append(f"round {one.number} of {case} is not counted: {'; '.join(one.faults)}")
    disturbed = [one for rounds in measured.values() for one in rounds if one.foreign_share > _FOREIGN_SHARE_MAX]
    if disturbed:
        worst = max(one.foreign_share for one in disturbed)
        notes.append(f"the machine was not quiet: in {len(disturbed)} rounds something else used the proxy's core "
                     f"(up to {worst:.0%} of it); measure again")
    return notes


def _goal_lines(found: list[Goal]) -> list[str]:
    rows = []
    for goal in found:
        value = "-" if goal.value is None else f"{goal.value:.2f} {goal.unit}"
        rows.append((goal.title, value, f"goal ≤ {goal.limit:g} {goal.unit}", goal.verdict))
    return _aligned(rows, left_columns=1)


def _aligned(rows: list[tuple[str, ...]], left_columns: int) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  ".join(
            cell.ljust(width) if column < left_columns else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths))
        ).rstrip()
        for row in rows
    ]
