"""Bodies, idle connections and slow clients: a run of `Benchmarks/wire` from beginning to end."""

import argparse
import sys

from harness import bench, build, catalogue, command, idle, mint, options, parts, preflight, slow, transfers
from harness.machine import say

# In this order.
PARTS = {"transfer": transfers, "idle": idle, "slow": slow}


def main(arguments: list[str]) -> int:
    """0: everything measured; 1: some round could not be counted."""
    flags = _flags(arguments)
    proxies = [catalogue.HAPROXY, catalogue.ANTECHAMBER]
    if "idle" in flags.only:
        proxies += [catalogue.HAPROXY_TLS, catalogue.ANTECHAMBER_TLS]
    programs = build.programs({proxy.program for proxy in proxies}, flags)
    cores = command.choose_cores()
    facts = command.circumstances(proxies, programs)
    with command.workplace() as (directory, running):
        place = bench.Bench(directory, running, cores, mint.credentials(directory, 1), programs)
        for proxy in proxies:
            preflight.check(place, proxy)
        say("HAProxy and Antechamber pass the good token, and Antechamber refuses every bad one")
        return parts.run(PARTS, place, flags, facts)


def _flags(arguments: list[str]) -> argparse.Namespace:
    """argparse ends the process on wrong usage."""
    parser = options.parser(
        "wire",
        "Measures long bodies beside HAProxy, the memory of idle connections, and what slow clients cost others.")
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
