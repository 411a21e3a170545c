"""Starting, and a long life: a run of `Benchmarks/life` from beginning to end."""

import argparse
import sys

from harness import bench, build, catalogue, command, mint, options, parts, preflight, soak, startup
from harness.machine import say

# In this order.
PARTS = {"start": startup, "soak": soak}


def main(arguments: list[str]) -> int:
    """0: everything measured; 1: some round could not be counted."""
    flags = _flags(arguments)
    proxies = [catalogue.ANTECHAMBER]
    programs = build.programs({proxy.program for proxy in proxies}, flags)
    cores = command.choose_cores()
    facts = command.circumstances(proxies, programs)
    with command.workplace() as (directory, running):
        place = bench.Bench(directory, running, cores, mint.credentials(directory, soak.TOKENS), programs)
        preflight.check(place, catalogue.ANTECHAMBER)
        say("Antechamber passes the good token, and refuses every bad one")
        return parts.run(PARTS, place, flags, facts)


def _flags(arguments: list[str]) -> argparse.Namespace:
    """argparse ends the process on wrong usage."""
    parser = options.parser("life", "Measures how fast Antechamber starts, and what a long life leaves in its memory.")
    parser.set_defaults(rounds=1)
    parser.add_argument("--only", type=options.subset_of(PARTS), default=list(PARTS), metavar="PART,...",
                        help="what to measure (all): " + ", ".join(PARTS))
    parser.add_argument("--starts", type=options.at_least(1), default=20, help="of the process (%(default)s)")
    parser.add_argument("--requests", type=options.at_least(1000), default=1_000_000,
                        help="of a life, at least (%(default)s)")
    parser.add_argument("--connections", type=options.at_least(100), default=100_000,
                        help="connections of a life, at least, most of them for one request (%(default)s)")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(command.run(main))
