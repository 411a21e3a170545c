"""A run from beginning to end."""

import shlex
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from harness import Problem, bench, build, catalogue, machine, mint, options, preflight, processes, report, rounds
from harness.machine import say

_ROOT = Path(__file__).resolve().parent.parent.parent


def main(arguments: list[str]) -> int:
    """0: everything measured; 1: some round or proxy could not be counted, or the run failed."""
    flags = options.parse(arguments)
    # An end from outside unwinds like an exception, so that what was started is ended; nohup's
    # ignored SIGHUP stays ignored.
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, lambda received, _: sys.exit(128 + received))
    try:
        return _compare(flags, arguments)
    except Problem as problem:
        say(str(problem))
        return 1
    except KeyboardInterrupt:
        return 130


def _compare(flags, arguments: list[str]) -> int:
    cases = catalogue.cases(flags.only, flags.modes)
    if not cases:
        raise Problem(f"none of {', '.join(flags.only)} has a mode among {', '.join(flags.modes)}")
    programs = _programs(flags, cases)
    cases = [case for case in cases if case.proxy.program in programs]
    cores = processes.choose_cores()
    if not cores.apart:
        say("there is one CPU only: proxy, load and backend share it, so believe CPU per request, not latency or rate")
    circumstances = {"machine": machine.description(), "arguments": shlex.join(arguments), "versions": {}}

    with tempfile.TemporaryDirectory(prefix="antechamber-bench-") as name, processes.Processes() as running:
        directory = Path(name)
        # nginx's workers are not root even where we are, and read the backend's 64 KB from here.
        directory.chmod(0o755)
        count = flags.tokens if any(case.mode == "many" for case in cases) else 1
        say(f"minting {count} tokens")
        credentials = mint.credentials(directory, count)
        place = bench.Bench(directory, running, cores, credentials, programs, flags.body)
        if not place.counts_requests:
            say("this nginx has no stub_status: answers are not checked against the backend's own count")
        for proxy in dict.fromkeys(case.proxy for case in cases):
            circumstances["versions"][proxy.program] = machine.version(proxy, programs[proxy.program])
            preflight.check(place, proxy)
        say("every proxy passes the good token, and each that checks tokens refuses every bad one")
        measured = rounds.interleaved(place, cases, flags)

    print(report.text(measured, _heading(flags, circumstances, credentials)))
    if flags.json:
        report.write_json(flags.json, measured, circumstances)
    return 1 if any(one.faults for several in measured.values() for one in several) else 0


def _programs(flags, cases: list[catalogue.Case]) -> dict[str, Path]:
    """Finds what the cases need and builds Antechamber if it is among them."""
    needed = {case.proxy.program for case in cases}
    antechamber = None
    if "antechamber" in needed:
        if flags.binary and not shutil.which(flags.binary.resolve()):
            raise Problem(f"--binary {flags.binary}: no such executable")
        antechamber = flags.binary.resolve() if flags.binary else build.release(_ROOT, flags.scratch)
    found = bench.programs(needed | {"nginx", "wrk"}, antechamber)
    missing = sorted((needed | {"nginx", "wrk"}) - set(found))
    if missing and (flags.named or set(missing) & {"nginx", "wrk"}):
        raise Problem(f"not installed: {', '.join(missing)}")
    if missing:
        say(f"not installed, so left out: {', '.join(missing)}")
    return found


def _heading(flags, circumstances: dict, credentials: mint.Credentials) -> list[str]:
    facts = circumstances["machine"]
    return [
        f"{facts['cpu']}, {facts['cpus']} CPUs, Linux {facts['kernel']}, "
        f"load average before {facts['load_average']:.2f}",
        *(f"{title}: {version}" for title, version in circumstances["versions"].items()),
        f"medians of {flags.rounds} rounds of {flags.seconds} s, {flags.connections} keep-alive connections, "
        f"tokens of {len(credentials.good)} bytes, body {flags.body}, one core for the proxy",
    ]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
