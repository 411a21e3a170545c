"""The results of `compare` as tables in Markdown, a table for each row of loads."""

import re

_COLUMNS = ("", "token check", "requests/s", "CPU µs a request", "× Antechamber", "p50 ms", "p99 ms", "p99.9 ms",
            "RSS MB")


def text(results: dict) -> str:
    """The machine, the tables, and the goals, from what `compare` wrote as JSON."""
    machine = results["machine"]
    blocks = [
        f"{machine['cpu']}, {machine['cpus']} CPUs, Linux {machine['kernel']}; "
        + ", ".join(_version(program, line) for program, line in results["versions"].items()) + ".",
    ]
    by_row: dict[str, list[dict]] = {}
    for case in results["cases"]:
        by_row.setdefault(case["row"]["title"], []).append(case)
    blocks += [f"**{title}**\n\n{_table(cases)}" for title, cases in by_row.items()]
    if results["goals"]:
        blocks.append(_goals(results["goals"]))
    return "\n\n".join(blocks) + "\n"


def _version(program: str, line: str) -> str:
    """Their lines have builds, dates and addresses around the number."""
    number = re.search(r"\d+(\.\d+)+", line)
    return f"{program} {number.group() if number else line}"


def _table(cases: list[dict]) -> str:
    return _lines(_COLUMNS, [
        (case["title"], "yes" if case["authenticates"] else "no", *_figures(case)) for case in cases
    ], left_columns=2)


def _figures(case: dict) -> tuple[str, ...]:
    middle, ratio = case["medians"], case["cpu_ratio"]
    if middle is None:
        return ("–",) * (len(_COLUMNS) - 2)
    return (
        f"{middle['requests_per_second']:,.0f}",
        f"{middle['cpu_us_per_request']:.1f}",
        "–" if ratio is None else f"{ratio:.2f}",
        *(f"{middle[name] / 1000:.2f}" for name in ("p50_us", "p99_us", "p999_us")),
        f"{middle['resident_bytes'] / 1e6:.1f}",
    )


def _goals(goals: list[dict]) -> str:
    return _lines(("goal", "measured", "limit", ""), [
        (
            goal["title"],
            "–" if goal["value"] is None else f"{goal['value']:.2f} {goal['unit']}",
            f"{'≥' if goal['at_least'] else '≤'} {goal['limit']:g} {goal['unit']}",
            goal["verdict"] if goal["verdict"] == "met" else f"**{goal['verdict']}**",
        )
        for goal in goals
    ], left_columns=1)


def _lines(columns: tuple[str, ...], rows: list[tuple[str, ...]], left_columns: int) -> str:
    rule = ["---" if index < left_columns else "---:" for index in range(len(columns))]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (columns, rule, *rows))
