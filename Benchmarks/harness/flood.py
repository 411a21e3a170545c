"""What a flood of tokens with made-up key IDs does to known clients, and to the issuer.

The known client sends far fewer requests than the proxy can answer. The flood runs beside it on the load core, at the
lowest priority.
"""

import time
from dataclasses import dataclass
from statistics import median

from harness import catalogue, issuer, load
from harness.bench import Bench, Server
from harness.goals import Goal, ratio
from harness.machine import say
from harness.processes import Meter, tree, wait_until
from harness.table import aligned

# 200 connections that pause for 17 ms in the mean, and wait for an answer: about 10,000 requests a second.
_CONNECTIONS = 200
_PAUSE_MS = 17
# The flood begins before the known client is measured, and ends after it.
_MARGIN_SECONDS = 1
# The issuer notes when it was asked, not when the proxy decided to: allow for what lies between.
_COOLDOWN_SHARE = 0.9
_KEYS_SECONDS = 10


@dataclass(frozen=True)
class Round:
    """One proxy, without the flood and then in it. Faults keep a round out of the medians."""

    number: int
    p50_us: int
    p99_us: int
    p50_us_in_flood: int
    p99_us_in_flood: int
    requests_per_second: float
    requests_per_second_in_flood: float
    flood_per_second: float
    fetches: int
    fetches_a_cooldown: int
    cpu_share_in_flood: float
    foreign_share: float
    faults: list[str]

    def __str__(self) -> str:
        return "the flood"


def measure(bench: Bench, flags) -> list[Round]:
    """Each round with a fresh proxy and issuer."""
    rounds = []
    for number in range(1, flags.rounds + 1):
        say(f"round {number} of {flags.rounds}: latency alone, then in a flood of made-up key IDs")
        with issuer.serving(bench.credentials.jwks) as asked:
            server = bench.start(catalogue.FETCHING, ISSUER_PORT=asked.port, COOLDOWN=flags.cooldown)
            try:
                rounds.append(_round(bench, server, asked, number, flags))
            finally:
                bench.processes.end(server.process)
    return rounds


def _round(bench: Bench, server: Server, asked: issuer.Issuer, number: int, flags) -> Round:
    wait_until(lambda: asked.fetches, _KEYS_SECONDS)
    _latency(bench, server, 1)
    alone = _latency(bench, server, flags.seconds)
    family = tree(server.process.pid)
    began = time.monotonic()
    flood = load.start(bench.processes, bench.cores.load, bench.url(server), bench.credentials.unknown, _CONNECTIONS,
                       flags.seconds + 2 * _MARGIN_SECONDS, _PAUSE_MS, niceness=19)
    time.sleep(_MARGIN_SECONDS)
    meter = Meter(family, bench.cores)
    beside = _latency(bench, server, flags.seconds)
    cpu, foreign_share = meter.read()
    flooded = load.finish(bench.processes, flood)

    errors = dict(flooded.errors)
    admitted = flooded.requests - errors.pop("status", 0)
    faults = [f"{count} {kind} errors" for one in (alone.errors, beside.errors, errors) for kind, count in one.items()]
    if admitted:
        faults.append(f"{admitted} requests of the flood were not refused")
    fetches = sum(one >= began for one in asked.fetches)
    if not fetches:
        faults.append("the flood caused no fetch at all")
    return Round(
        number, alone.p50_us, alone.p99_us, beside.p50_us, beside.p99_us, alone.requests / alone.seconds,
        beside.requests / beside.seconds, flooded.requests / flooded.seconds, fetches,
        asked.most_within(_COOLDOWN_SHARE * flags.cooldown, began), cpu / beside.seconds, foreign_share, faults)


def _latency(bench: Bench, server: Server, seconds: int) -> load.Load:
    return load.run_lightly(
        bench.processes, bench.cores.load, bench.url(server), bench.credentials.tokens["one"], seconds)


def goals(rounds: list[Round]) -> list[Goal]:
    """Latency in the flood against latency without it, and what the issuer notices."""
    good = [one for one in rounds if not one.faults]
    times = ratio(median(one.p99_us_in_flood for one in good), median(one.p99_us for one in good)) if good else None
    return [
        Goal("Antechamber, known clients' p99 in the flood / without it", times, 2, "×"),
        Goal("Antechamber, fetches a cooldown in the flood (most of all rounds)",
             max((one.fetches_a_cooldown for one in good), default=None), 1, "fetches"),
    ]


def text(rounds: list[Round], flags) -> list[str]:
    """A table of medians."""
    good = [one for one in rounds if not one.faults]
    counted = f"{len(good)}/{len(rounds)}"
    rows = [("known clients", "req/s", "p50 ms", "p99 ms", "flood req/s", "fetches", "core", "rounds")]
    if not good:
        return aligned([*rows, ("in the flood", *["-"] * 6, counted)], left_columns=1)

    def middle(figure: str) -> float:
        return median(getattr(one, figure) for one in good)

    rows.append(("alone", f"{middle('requests_per_second'):,.0f}", f"{middle('p50_us') / 1000:.2f}",
                 f"{middle('p99_us') / 1000:.2f}", "-", "-", "-", counted))
    rows.append(("in the flood", f"{middle('requests_per_second_in_flood'):,.0f}",
                 f"{middle('p50_us_in_flood') / 1000:.2f}", f"{middle('p99_us_in_flood') / 1000:.2f}",
                 f"{middle('flood_per_second'):,.0f}", f"{middle('fetches'):,.0f}",
                 f"{middle('cpu_share_in_flood'):.0%}", counted))
    return [
        f"made-up key IDs for {flags.seconds + 2 * _MARGIN_SECONDS} s, jwks_cooldown {flags.cooldown} s",
        *aligned(rows, left_columns=1),
    ]
