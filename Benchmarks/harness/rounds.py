"""One round of one case, and the interleaving of rounds."""

from dataclasses import dataclass

from harness import Problem, load
from harness.bench import Bench, Server
from harness.catalogue import MANY, NEW, ONE, Case
from harness.machine import say
from harness.processes import Meter, resident_bytes, tree


@dataclass(frozen=True)
class Round:
    """One measured stretch of load. A round with `faults` is reported and kept out of the medians."""

    number: int
    requests: int
    requests_per_second: float
    cpu_us_per_request: float
    core_share: float
    foreign_share: float
    p50_us: int
    p99_us: int
    p999_us: int
    resident_bytes: int
    faults: list[str]


def interleaved(bench: Bench, counts: dict[Case, int], options) -> dict[Case, list[Round]]:
    """So many rounds of each case: round 1 of all, round 2 of all, ..., so that a slow spell of the machine falls on
    all of them."""
    measured: dict[Case, list[Round]] = {case: [] for case in counts}
    for number in range(1, max(counts.values()) + 1):
        for case, count in counts.items():
            if number <= count:
                say(f"round {number} of {count}: {case}")
                measured[case].append(_round(bench, case, number, options))
    return measured


def _round(bench: Bench, case: Case, number: int, options) -> Round:
    """A fresh process each time: no round inherits the memory or the caches of another case."""
    bench.place_backend(bench.cores.for_workers(case.row.workers))
    server = bench.start(case.proxy, workers=case.row.workers)
    try:
        _warm_up(bench, case, server, options)
        return _measured(bench, case, server, number, options)
    finally:
        bench.processes.end(server.process)


def _warm_up(bench: Bench, case: Case, server: Server, options) -> None:
    """Load until code and upstream connections are warm and, with many tokens, each has been seen once: what is
    measured is the steady state. wrk begins its rotation anew in each run, so the second one is long enough. Tokens
    that are to be new are not touched."""
    tokens = ONE if case.row.tokens == NEW else case.row.tokens
    first = _load(bench, case, server, tokens, options.warmup)
    count = bench.credentials.counts[MANY]
    if tokens == MANY and first.requests < count:
        rate = max(first.requests / first.seconds, 1)
        _load(bench, case, server, tokens, int(count / rate * 1.2) + 1)


def _measured(bench: Bench, case: Case, server: Server, number: int, options) -> Round:
    row = case.row
    family = tree(server.process.pid)
    requests_before = bench.backend_requests()
    meter = Meter(family, bench.cores.for_workers(row.workers), tree(bench.backend.process.pid))
    result = _load(bench, case, server, row.tokens, options.seconds)
    cpu, foreign_share = meter.read()
    requests_after = bench.backend_requests()

    faults = faults_of(case, result, bench.credentials.counts)
    if server.process.poll() is not None or tree(server.process.pid) != family:
        faults.append("a process of the proxy ended")
    if requests_before is not None and requests_after is not None:
        faults += miscounts(case, result, requests_after - requests_before - 1)
    return Round(
        number=number,
        requests=result.requests,
        requests_per_second=result.requests / result.seconds,
        cpu_us_per_request=cpu * 1e6 / max(result.requests, 1),
        core_share=cpu / result.seconds,
        foreign_share=foreign_share,
        p50_us=result.p50_us,
        p99_us=result.p99_us,
        p999_us=result.p999_us,
        resident_bytes=resident_bytes(family),
        faults=faults,
    )


def faults_of(case: Case, result: load.Load, counts: dict[str, int]) -> list[str]:
    """Why answers do not count, where they do not, with `counts` of how many tokens there are of each kind."""
    errors = dict(result.errors)
    faults = []
    if case.is_refused:
        admitted = result.requests - errors.pop("status", 0)
        if admitted:
            faults.append(f"{admitted} requests were not refused")
    faults += [f"{count} {kind} errors" for kind, count in errors.items()]
    if result.requests == 0:
        faults.append("no request was answered")
    # wrk makes one request more than it sends, and those in flight as it stops are none of its answers.
    if case.row.tokens == NEW and result.requests + case.row.connections + 1 > counts[NEW]:
        faults.append("tokens came again: there were fewer than requests")
    return faults


def miscounts(case: Case, result: load.Load, reached: int) -> list[str]:
    """Whether what the backend had agrees with wrk's answers."""
    if case.proxy.is_backend:
        return []
    forwarded = 0 if case.is_refused else result.requests
    # Those in flight as wrk stops reach the backend and are not counted by wrk.
    in_flight = 0 if case.is_refused else 2 * case.row.connections
    if forwarded <= reached <= forwarded + in_flight:
        return []
    return [f"the backend had {reached} requests, where wrk's answers tell of {forwarded}"]


def _load(bench: Bench, case: Case, server: Server, tokens: str, seconds: int) -> load.Load:
    if server.process.poll() is not None:
        raise Problem(f"{case.proxy.title} ended with status {server.process.returncode} under load")
    row = case.row
    return load.run(bench.processes, bench.cores.for_workers(row.workers).load, bench.url(server, row.body),
                    bench.credentials.tokens[tokens], row.connections, seconds, closes=row.closes)
