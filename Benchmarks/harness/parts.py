"""A run of several parts, one after another.

A part is a module with `measure(bench, flags)`, which gives rounds; `goals(rounds)`; and `text(rounds, flags)`, which
is their table. A round has a `number`, a `foreign_share`, `faults`, and a text that says what it is a round of.
"""

import dataclasses
import json
from types import ModuleType

from harness import command, goals, report
from harness.bench import Bench


def run(parts: dict[str, ModuleType], place: Bench, flags, facts: dict[str, object]) -> int:
    """Measures the parts of `flags.only`, and prints and writes what they come to. Returns the exit status."""
    measured = {name: parts[name].measure(place, flags) for name in flags.only}
    every = [one for rounds in measured.values() for one in rounds]
    found = [goal for name, rounds in measured.items() for goal in parts[name].goals(rounds)]

    blocks = [command.heading(facts)]
    for name, rounds in measured.items():
        blocks += [parts[name].text(rounds, flags), [
            f"round {one.number} of {one} is not counted: {'; '.join(one.faults)}" for one in rounds if one.faults
        ]]
    print(report.joined([*blocks, report.disturbances(every), goals.lines(found)]))
    if flags.json:
        flags.json.write_text(json.dumps({
            **facts,
            "parts": {name: [dataclasses.asdict(one) for one in rounds] for name, rounds in measured.items()},
            "goals": goals.records(found),
        }, indent=2) + "\n")
    return 1 if any(one.faults for one in every) else 0
