"""Verifying and refusing tokens, and floods of them: a run of `Benchmarks/tokens` from beginning to end."""

import argparse
import sys
from pathlib import Path

from harness import (
    bench, build, catalogue, command, flood, mint, options, parts, preflight, rotation, verification)
from harness.machine import say

# In this order.
PARTS = {"path": verification, "rotation": rotation, "flood": flood}


def main(arguments: list[str]) -> int:
    """0: everything measured; 1: some round could not be counted."""
    flags = _flags(arguments)
    proxies = [catalogue.HAPROXY_JWT, catalogue.ANTECHAMBER, catalogue.UNCACHED]
    programs = build.programs({proxy.program for proxy in proxies}, flags)
    if "path" in flags.only and not flags.token_bench:
        flags.token_bench = build.release("TokenBench", flags.scratch)
    cores = command.choose_cores()
    facts = command.circumstances(proxies, programs)
    with command.workplace() as (directory, running):
        say(f"minting {flags.tokens} tokens")
        place = bench.Bench(directory, running, cores, mint.credentials(directory, flags.tokens), programs)
        for proxy in proxies:
            preflight.check(place, proxy)
        say("each proxy passes the good token, and refuses every bad one")
        return parts.run(PARTS, place, flags, facts)


def _flags(arguments: list[str]) -> argparse.Namespace:
    """argparse ends the process on wrong usage."""
    parser = options.parser("tokens", "Measures what tokens cost to verify, to remember and to refuse.")
    parser.add_argument("--only", type=options.subset_of(PARTS), default=list(PARTS), metavar="PART,...",
                        help="what to measure (all): " + ", ".join(PARTS))
    parser.add_argument("--token-bench", type=Path, metavar="PATH",
                        help="a TokenBench that is built already; nothing is built for `path` then")
    parser.add_argument("--seconds", type=options.at_least(1), default=4,
                        help="length of a measured round (%(default)s)")
    parser.add_argument("--warmup", type=options.at_least(1), default=1,
                        help="seconds of unmeasured load before each round (%(default)s)")
    parser.add_argument("--tokens", type=options.at_least(2), default=20_000, help="distinct tokens (%(default)s)")
    parser.add_argument("--cooldown", type=options.at_least(1), default=2, metavar="SECONDS",
                        help="jwks_cooldown in the flood (%(default)s)")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(command.run(main))
