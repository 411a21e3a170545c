"""Antechamber beside other proxies, and a backend that verifies for itself: a run from beginning to end."""

import argparse
import math
import sys

from harness import Problem, bench, build, catalogue, command, mint, options, preflight, report, rounds
from harness.catalogue import ALL_NEW, BASE, MANY, MOST_CONNECTIONS, NEW, PROXIES, ROWS, TWO_WORKERS, Case
from harness.goals import Goal, ratio
from harness.machine import say
from harness.report import Medians

_TOKENS = 20_000
# From this share of each core on, it is the proxy that a rate was limited by.
_SATURATED = 0.9


def main(arguments: list[str]) -> int:
    """0: everything measured; 1: some round or proxy could not be counted."""
    flags = _flags(arguments)
    cases = catalogue.cases(flags.only, flags.rows)
    if not cases:
        raise Problem(f"none of {', '.join(flags.only)} is in a row of {', '.join(flags.rows)}")
    programs = build.programs({case.proxy.program for case in cases}, flags, all_needed=flags.named)
    cases = [case for case in cases if case.proxy.program in programs]
    proxies = list(dict.fromkeys(case.proxy for case in cases))
    cores = command.choose_cores()
    facts = command.circumstances(proxies, programs)

    with command.workplace() as (directory, running):
        credentials = _credentials(directory, cases, flags)
        place = bench.Bench(directory, running, cores, credentials, programs)
        if not place.counts_requests:
            say("this nginx has no stub_status: answers are not checked against the backend's own count")
        for proxy in proxies:
            preflight.check(place, proxy)
        say("every proxy passes the good token, and each that checks tokens refuses every bad one")
        measured = rounds.interleaved(place, {case: _rounds(case, flags.rounds) for case in cases}, flags)

    found = goals(report.lines(measured))
    print(report.text(measured, command.heading(facts) + [
        f"medians of {flags.rounds} rounds of {flags.seconds} s, or {_fewer(flags.rounds)} where no goal is held "
        f"against the row; tokens of {len(credentials.good)} bytes, {_TOKENS:,} in rotation",
        "unless the row says otherwise: 64 connections, one token, 12 bytes of answer, clear text, one worker",
    ], found))
    if flags.json:
        report.write_json(flags.json, measured, facts, found)
    return 1 if report.has_faults(measured) else 0


def _credentials(directory, cases: list[Case], flags) -> mint.Credentials:
    kinds = {case.row.tokens for case in cases}
    count = _TOKENS if MANY in kinds else 1
    new = flags.seconds * flags.new_tokens if NEW in kinds else 0
    say(f"minting {count + new} tokens")
    return mint.credentials(directory, count, new)


def _rounds(case: Case, rounds: int) -> int:
    return rounds if case.row.has_goal else _fewer(rounds)


def _fewer(rounds: int) -> int:
    return math.ceil(rounds * 3 / 5)


def goals(lines: dict[Case, Medians | None]) -> list[Goal]:
    """The figures that the project answers for."""
    def line(proxy, row):
        return lines.get(Case(proxy, row))

    def of(figure: str, row, ours, theirs) -> float | None:
        return ratio(getattr(line(ours, row), figure, None), getattr(line(theirs, row), figure, None))

    ours, haproxy, jwt_verify = catalogue.ANTECHAMBER, catalogue.HAPROXY, catalogue.HAPROXY_JWT
    cpu = "cpu_us_per_request"
    base = line(ours, BASE)
    return [
        Goal("Antechamber, one token: CPU / HAProxy, no token checked", of(cpu, BASE, ours, haproxy), 1, "×"),
        Goal("Antechamber, one token: CPU / Envoy jwt_authn", of(cpu, BASE, ours, catalogue.ENVOY_JWT), 0.4, "×"),
        Goal("Antechamber, one token: CPU / HAProxy jwt_verify", of(cpu, BASE, ours, jwt_verify), 0.4, "×"),
        Goal("Antechamber, all tokens new: CPU / HAProxy jwt_verify", of(cpu, ALL_NEW, ours, jwt_verify), 0.75, "×"),
        Goal("Antechamber, 64 connections: p99 / HAProxy, no token checked", of("p99_us", BASE, ours, haproxy), 1, "×"),
        _speed_up(base, line(ours, TWO_WORKERS)),
        Goal("Antechamber, 64 connections: RSS", base.resident_bytes / 1e6 if base else None, 25, "MB"),
        Goal("Antechamber, CPU at 5,000 connections / at 64, beside HAProxy's",
             ratio(_growth(base, line(ours, MOST_CONNECTIONS)),
                   _growth(line(haproxy, BASE), line(haproxy, MOST_CONNECTIONS))), 1, "×"),
    ]


def _growth(at_64: Medians | None, at_most: Medians | None) -> float | None:
    return ratio(at_most.cpu_us_per_request, at_64.cpu_us_per_request) if at_64 and at_most else None


def _speed_up(one: Medians | None, two: Medians | None) -> Goal:
    """By their rates where both kept their cores busy. Where the load side was the limit, by what a request costs: two
    cores do twice as many as one only if each request still takes the same time of them."""
    title = "Antechamber, two workers / one: "
    if not one or not two:
        return Goal(title + "requests/s", None, 1.8, "×", at_least=True)
    if one.core_share >= _SATURATED and two.core_share >= 2 * _SATURATED:
        return Goal(title + "requests/s", two.requests_per_second / one.requests_per_second, 1.8, "×", at_least=True)
    return Goal(title + "requests for CPU time of two cores / of one",
                ratio(2 * one.cpu_us_per_request, two.cpu_us_per_request), 1.8, "×", at_least=True)


def _flags(arguments: list[str]) -> argparse.Namespace:
    """argparse ends the process on wrong usage."""
    parser = options.parser(
        "compare", "Measures Antechamber beside other proxies, in interleaved rounds on loopback.")
    parser.add_argument("--seconds", type=options.at_least(1), default=2,
                        help="length of a measured round (%(default)s)")
    parser.add_argument("--warmup", type=options.at_least(1), default=1,
                        help="seconds of unmeasured load before each round (%(default)s)")
    parser.add_argument("--only", type=options.subset_of(PROXIES), default=list(PROXIES), metavar="NAME,...",
                        help="what to measure (all): " + ", ".join(PROXIES))
    parser.add_argument("--rows", type=options.subset_of(ROWS), default=list(ROWS), metavar="ROW,...",
                        help="rows of the table (all): " + ", ".join(
                            f"{row.name} ({row.title})" for row in ROWS.values()))
    parser.add_argument("--new-tokens", type=options.at_least(1000), default=40_000, metavar="COUNT",
                        help="tokens to mint for each second of the row `new` (%(default)s): more than any proxy takes")
    flags = parser.parse_args(arguments)
    # The defaults name everything, in which case a peer that is not there is left out with a message;
    # whoever names it is told that it is missing.
    flags.named = flags.only != list(PROXIES)
    return flags


if __name__ == "__main__":
    sys.exit(command.run(main))
