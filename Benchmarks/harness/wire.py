"""Bodies, idle connections and slow clients: a run of `Benchmarks/wire` from beginning to end."""

import argparse
import dataclasses
import json
import sys

from harness import bench, build, catalogue, command, goals, idle, mint, options, preflight, report, slow, transfers
from harness.goals import Goal
from harness.machine import say

# What is measured, in this order: each module has `measure`, which gives rounds, and `Summary` of these.
PARTS = {"transfer": transfers, "idle": idle, "slow": slow}


def main(arguments: list[str]) -> int:
    """0: everything measured; 1: some round could not be counted."""
    flags = _flags(arguments)
    programs = build.programs({"haproxy", "antechamber"}, flags)
    cores = command.choose_cores()
    facts = command.circumstances([catalogue.HAPROXY, catalogue.ANTECHAMBER], programs)

    with command.workplace() as (directory, running):
        credentials = mint.credentials(directory, 1)
        place = bench.Bench(directory, running, cores, credentials, programs, "tiny")
        preflight.check(place, catalogue.HAPROXY)
        preflight.check(place, catalogue.ANTECHAMBER)
        say("HAProxy and Antechamber pass the good token, and Antechamber refuses every bad one")
        measured = {name: PARTS[name].measure(place, flags) for name in flags.only}

    found = _goals(measured)
    blocks = [command.heading(facts)]
    for name, rounds in measured.items():
        blocks += [PARTS[name].text(rounds, flags), [
            f"round {one.number} of {one} is not counted: {'; '.join(one.faults)}" for one in rounds if one.faults]]
    blocks.append(report.disturbances(one for rounds in measured.values() for one in rounds))
    print(report.joined([*blocks, goals.lines(found)]))
    if flags.json:
        flags.json.write_text(json.dumps({
            **facts,
            "parts": {name: [dataclasses.asdict(one) for one in rounds] for name, rounds in measured.items()},
            "goals": goals.records(found),
        }, indent=2) + "\n")
    return 1 if any(one.faults for rounds in measured.values() for one in rounds) else 0


def _goals(measured: dict[str, list]) -> list[Goal]:
    return [goal for name, rounds in measured.items() for goal in PARTS[name].goals(rounds)]


def _flags(arguments: list[str]) -> argparse.Namespace:
    """argparse ends the process on wrong usage."""
    parser = options.parser(
        "wire", "Measures long bodies beside HAProxy, the memory of idle connections, and what slow clients cost others.")
    parser.add_argument("--only", type=options.subset_of(PARTS), default=list(PARTS), metavar="PART,...",
                        help="what to measure (all): " + ", ".join(PARTS))
    parser.add_argument("--size", type=options.size, default=1 << 30, metavar="BYTES",
                        help="the length of a body, such as 64m (1g)")
    parser.add_argument("--connections", type=options.at_least(1), default=10_000,
                        help="idle ones, and slow ones (%(default)s)")
    parser.add_argument("--seconds", type=options.at_least(1), default=5,
                        help="how long latency is measured without slow clients, and again with them (%(default)s)")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(command.run(main))
