"""Antechamber beside HAProxy, nginx and Envoy: a run from beginning to end."""

import argparse
import sys

from harness import Problem, bench, build, catalogue, command, mint, options, preflight, report, rounds
from harness.catalogue import MODES, PROXIES, Case
from harness.goals import Goal, ratio
from harness.machine import say
from harness.report import Medians


def main(arguments: list[str]) -> int:
    """0: everything measured; 1: some round or proxy could not be counted."""
    flags = _flags(arguments)
    cases = catalogue.cases(flags.only, flags.modes)
    if not cases:
        raise Problem(f"none of {', '.join(flags.only)} has a mode among {', '.join(flags.modes)}")
    programs = build.programs({case.proxy.program for case in cases}, flags, all_needed=flags.named)
    cases = [case for case in cases if case.proxy.program in programs]
    proxies = list(dict.fromkeys(case.proxy for case in cases))
    cores = command.choose_cores()
    facts = command.circumstances(proxies, programs)

    with command.workplace() as (directory, running):
        count = flags.tokens if any(case.mode == "many" for case in cases) else 1
        say(f"minting {count} tokens")
        credentials = mint.credentials(directory, count)
        place = bench.Bench(directory, running, cores, credentials, programs, flags.body)
        if not place.counts_requests:
            say("this nginx has no stub_status: answers are not checked against the backend's own count")
        for proxy in proxies:
            preflight.check(place, proxy)
        say("every proxy passes the good token, and each that checks tokens refuses every bad one")
        measured = rounds.interleaved(place, cases, flags)

    found = goals(report.lines(measured))
    print(report.text(measured, command.heading(facts) + [
        f"medians of {flags.rounds} rounds of {flags.seconds} s, {flags.connections} keep-alive connections, "
        f"tokens of {len(credentials.good)} bytes, body {flags.body}, one core for the proxy",
    ], found))
    if flags.json:
        report.write_json(flags.json, measured, facts, found)
    return 1 if report.has_faults(measured) else 0


def goals(lines: dict[Case, Medians | None]) -> list[Goal]:
    """The three figures the project answers for."""
    cpu = {(case.proxy.name, case.mode): line.cpu_us_per_request for case, line in lines.items() if line}
    resident = [line.resident_bytes for case, line in lines.items() if line and case.proxy.name == "antechamber"]
    ours = cpu.get(("antechamber", "one"))
    return [
        Goal("Antechamber, one token: CPU / HAProxy plain", ratio(ours, cpu.get(("haproxy", "plain"))), 1.25, "×"),
        Goal("Antechamber, one token: CPU / Envoy jwt_authn, one token",
             ratio(ours, cpu.get(("envoy-jwt", "one"))), 0.55, "×"),
        Goal("Antechamber, RSS after load (largest of its modes)", max(resident) / 1e6 if resident else None, 40, "MB"),
    ]


def _flags(arguments: list[str]) -> argparse.Namespace:
    """argparse ends the process on wrong usage."""
    names = [proxy.name for proxy in PROXIES]
    parser = options.parser(
        "compare", "Measures Antechamber beside HAProxy, nginx and Envoy, in interleaved rounds on loopback.")
    parser.add_argument("--seconds", type=options.at_least(1), default=4,
                        help="length of a measured round (%(default)s)")
    parser.add_argument("--warmup", type=options.at_least(1), default=1,
                        help="seconds of unmeasured load before each round (%(default)s)")
    parser.add_argument("--only", type=options.subset_of(names), default=names, metavar="NAME,...",
                        help="proxies to measure (all): " + ", ".join(names))
    parser.add_argument("--modes", type=options.subset_of(MODES), default=list(MODES), metavar="MODE,...",
                        help="modes of load (all): " + ", ".join(MODES))
    parser.add_argument("--body", choices=["tiny", "64k"], default="tiny",
                        help="what the backend answers with (%(default)s)")
    parser.add_argument("--connections", type=options.at_least(1), default=64,
                        help="keep-alive client connections (%(default)s)")
    parser.add_argument("--tokens", type=options.at_least(2), default=20_000,
                        help="distinct tokens in the mode `many` (%(default)s)")
    flags = parser.parse_args(arguments)
    # The defaults name everything, in which case a peer that is not there is left out with a message;
    # whoever names it is told that it is missing.
    flags.named = flags.only is not names
    return flags


if __name__ == "__main__":
    sys.exit(command.run(main))
