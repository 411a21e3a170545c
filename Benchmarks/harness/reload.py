"""Reloads under load, one after another: a run of `Benchmarks/reload` from beginning to end.

wrk holds its connections open, and this process asks over a new one before and after each reload. The configuration
turns between two that differ in locations, bounds, a listener and the backend's block, so that nothing of it can stay.
"""

import argparse
import json
import signal
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from harness import Problem, bench, build, catalogue, command, goals, load, mint, options, preflight, report
from harness.goals import Goal
from harness.processes import wait_until
from harness.table import aligned

_RELOAD_SECONDS = 20
_REQUESTS_MIN = 100_000


@dataclass(frozen=True)
class Run:
    """A stretch of load."""

    reloads: int
    requests: int
    failed: int
    new_connections: int
    new_failed: int
    seconds: float
    p50_us: int
    p99_us: int


def main(arguments: list[str]) -> int:
    """0: no request failed; 1: some did, or the run did."""
    flags = _flags(arguments)
    programs = build.programs({catalogue.ANTECHAMBER.program}, flags)
    cores = command.choose_cores()
    facts = command.circumstances([catalogue.ANTECHAMBER], programs)
    with command.workplace() as (directory, running):
        place = bench.Bench(directory, running, cores, mint.credentials(directory, flags.tokens), programs)
        preflight.check(place, catalogue.ANTECHAMBER)
        quiet = _measure(place, directory, flags, reloads=False)
        busy = _measure(place, directory, flags, reloads=True)
    found = [
        Goal("requests over connections that stay", busy.requests, _REQUESTS_MIN, "", at_least=True),
        Goal("requests that failed over connections that stay", busy.failed, 0, ""),
        Goal("requests that failed over new connections", busy.new_failed, 0, ""),
    ]
    print(report.joined([command.heading(facts), _text(quiet, busy), goals.lines(found)]))
    if flags.json:
        flags.json.write_text(json.dumps({
            **facts, "quiet": asdict(quiet), "reloading": asdict(busy), "goals": goals.records(found)}, indent=2) + "\n")
    return 0 if all(goal.verdict == "met" for goal in found) else 1


def _measure(place: bench.Bench, directory: Path, flags, reloads: bool) -> Run:
    server = place.start(catalogue.ANTECHAMBER)
    home = directory / catalogue.ANTECHAMBER.name
    config = home / catalogue.ANTECHAMBER.template
    first = config.read_text()
    second = _other(first)
    log = home / "output.log"
    token = place.credentials.good
    wrk = load.start(place.processes, place.cores.load, place.url(server), place.credentials.tokens["many"],
                     flags.connections, flags.seconds)
    count = new = new_failed = 0
    while wrk.poll() is None:
        new += 1
        new_failed += _fails(server.port, place.path, token)
        if not reloads:
            time.sleep(flags.pause / 1000)
            continue
        config.write_text(second if count % 2 == 0 else first)
        before = log.read_text(errors="replace").count(" reloaded\n")
        server.process.send_signal(signal.SIGHUP)
        wait_until(lambda: log.read_text(errors="replace").count(" reloaded\n") > before, _RELOAD_SECONDS)
        if log.read_text(errors="replace").count(" reloaded\n") == before:
            raise Problem("a reload did not come to an end:\n" + log.read_text(errors="replace")[-2000:])
        count += 1
        new += 1
        new_failed += _fails(server.port, place.path, token)
        time.sleep(flags.pause / 1000)
    result = load.finish(place.processes, wrk)
    place.processes.end(server.process)
    return Run(count, result.requests, sum(result.errors.values()), new, new_failed, result.seconds, result.p50_us,
               result.p99_us)


def _other(text: str) -> str:
    """The same service by another configuration."""
    locations = "\n".join(f"location /elsewhere/{number} {{ methods GET; }}" for number in range(50))
    changed = text.replace("upstream http", "proxy_read_timeout 59s;\nupstream http", 1)
    changed = changed.replace("workers 1;", "workers 1;\nlisten 127.0.0.1:0;\n" + locations, 1)
    return changed.replace("keepalive 5000;", "keepalive 200;", 1)


def _fails(port: int, path: str, token: str) -> bool:
    try:
        return bench.get(port, path, token)[0] != 200
    except OSError:
        return True


def _text(quiet: Run, busy: Run) -> list[str]:
    rows = [("", "reloads", "requests", "failed", "new connections", "failed", "p50", "p99")]
    for name, run in (("without", quiet), ("with reloads", busy)):
        rows.append((name, f"{run.reloads:,}", f"{run.requests:,}", str(run.failed), f"{run.new_connections:,}",
                     str(run.new_failed), f"{run.p50_us} µs", f"{run.p99_us} µs"))
    return aligned(rows, left_columns=1)


def _flags(arguments: list[str]) -> argparse.Namespace:
    """argparse ends the process on wrong usage."""
    parser = options.parser("reload", "Counts the requests that fail while the configuration is loaded again and again.")
    parser.add_argument("--seconds", type=options.at_least(1), default=20, help="length of the load (%(default)s)")
    parser.add_argument("--pause", type=options.at_least(0), default=50, metavar="MS",
                        help="from one reload to the next (%(default)s)")
    parser.add_argument("--connections", type=options.at_least(1), default=64,
                        help="keep-alive client connections (%(default)s)")
    parser.add_argument("--tokens", type=options.at_least(2), default=1000, help="distinct tokens (%(default)s)")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(command.run(main))
