"""What every command does around its own work: how it ends, what it leaves behind, and what it was run on."""

import shlex
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from harness import Problem, machine, processes
from harness.machine import say


def run(body: Callable[[list[str]], int]) -> int:
    """Runs a command to its exit status: 0 when everything was measured, 1 when some of it could not be counted or
    the run failed. An end from outside unwinds like an exception, so that what was started is ended."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        # nohup's ignored SIGHUP stays ignored.
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, lambda received, _: sys.exit(128 + received))
    try:
        return body(sys.argv[1:])
    except Problem as problem:
        say(str(problem))
        return 1
    except KeyboardInterrupt:
        return 130


@contextmanager
def workplace() -> Iterator[tuple[Path, processes.Processes]]:
    """A directory that goes, and processes that end, with the run."""
    with tempfile.TemporaryDirectory(prefix="antechamber-bench-") as name, processes.Processes() as running:
        directory = Path(name)
        # nginx's workers are not root even where we are, and read the backend's documents from here.
        directory.chmod(0o755)
        yield directory, running


def choose_cores() -> processes.Cores:
    """The cores of a run, with a warning where there is one for everything."""
    cores = processes.choose_cores()
    if not cores.apart:
        say("there is one CPU only: proxy, load and backend share it, so believe CPU time, not latency or rate")
    return cores


def circumstances(proxies, programs: dict[str, Path]) -> dict[str, object]:
    """What the numbers depend on beside the code: for the heading and for JSON."""
    return {
        "machine": machine.description(),
        "arguments": shlex.join(sys.argv[1:]),
        "versions": {proxy.program: machine.version(proxy, programs[proxy.program]) for proxy in proxies},
    }


def heading(facts: dict[str, object]) -> list[str]:
    """The first lines of a report."""
    found = facts["machine"]
    return [
        f"{found['cpu']}, {found['cpus']} CPUs, Linux {found['kernel']}, "
        f"load average before {found['load_average']:.2f}",
        *(f"{program}: {version}" for program, version in facts["versions"].items()),
    ]
