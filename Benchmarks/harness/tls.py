"""Clients that speak TLS: a run of `Benchmarks/tls` from beginning to end.

What is compared is CPU time, for a request and for a handshake: verifying the proxy's signature costs the client more
than making it costs the proxy, so that the rate of handshakes is the load side's.
"""

import argparse
import sys

from harness import bench, build, catalogue, command, mint, options, preflight, report, rounds
from harness.catalogue import Case
from harness.goals import Goal, ratio
from harness.machine import say

THEIRS = Case(catalogue.HAPROXY_TLS, catalogue.TLS)
OURS = Case(catalogue.ANTECHAMBER_TLS, catalogue.TLS)
THEIR_HANDSHAKES = Case(catalogue.HAPROXY_TLS, catalogue.HANDSHAKES)
OUR_HANDSHAKES = Case(catalogue.ANTECHAMBER_TLS, catalogue.HANDSHAKES)
_CASES = [THEIRS, OURS, THEIR_HANDSHAKES, OUR_HANDSHAKES]


def main(arguments: list[str]) -> int:
    """0: everything measured; 1: some round could not be counted."""
    flags = _flags(arguments)
    proxies = [catalogue.HAPROXY_TLS, catalogue.ANTECHAMBER_TLS]
    programs = build.programs({proxy.program for proxy in proxies}, flags)
    cores = command.choose_cores()
    facts = command.circumstances(proxies, programs)
    with command.workplace() as (directory, running):
        place = bench.Bench(directory, running, cores, mint.credentials(directory, 1), programs)
        for proxy in proxies:
            preflight.check(place, proxy)
        say("HAProxy and Antechamber pass the good token within TLS, and Antechamber refuses every bad one")
        measured = rounds.interleaved(place, dict.fromkeys(_CASES, flags.rounds), flags)
    found = held_against(report.lines(measured))
    print(report.text(measured, command.heading(facts), found))
    if flags.json:
        report.write_json(flags.json, measured, facts, found)
    return 1 if report.has_faults(measured) else 0


def held_against(lines) -> list[Goal]:
    """Authenticated requests against plain ones, and handshakes against handshakes, a request with each."""
    cpu = {case: line.cpu_us_per_request for case, line in lines.items() if line}
    return [
        Goal("Antechamber, TLS, one token: CPU / HAProxy, TLS, no token checked", ratio(cpu.get(OURS), cpu.get(THEIRS)),
             1.1, "×"),
        Goal("Antechamber, full handshakes for CPU time / HAProxy",
             ratio(cpu.get(THEIR_HANDSHAKES), cpu.get(OUR_HANDSHAKES)), 0.9, "×", at_least=True),
    ]


def _flags(arguments: list[str]) -> argparse.Namespace:
    """argparse ends the process on wrong usage."""
    parser = options.parser("tls", "Measures requests and handshakes of clients that speak TLS, beside HAProxy.")
    parser.add_argument("--seconds", type=options.at_least(1), default=4,
                        help="length of a measured round (%(default)s)")
    parser.add_argument("--warmup", type=options.at_least(1), default=1,
                        help="seconds of unmeasured load before each round (%(default)s)")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(command.run(main))
