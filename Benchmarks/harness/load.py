"""wrk: one thread, keep-alive connections, requests laid out by requests.lua."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from harness import Problem
from harness.processes import Processes

_SCRIPT = Path(__file__).resolve().parent / "requests.lua"
_ERRORS = ("connect", "read", "write", "status", "timeout")


@dataclass(frozen=True)
class Load:
    """What wrk saw. `errors` counts by kind; `status` is every answer that was not 2xx or 3xx."""

    requests: int
    seconds: float
    p50_us: int
    p99_us: int
    p999_us: int
    errors: dict[str, int]


def run(processes: Processes, cores: frozenset[int], url: str, tokens: Path, connections: int, seconds: int,
        pause_ms: int = 0, closes: bool = False) -> Load:
    """Loads `url` for some seconds with the tokens of a file in rotation. With a pause, each connection waits before
    each request for so long in the mean. `closes`: each request has a connection of its own."""
    return finish(processes, start(processes, cores, url, tokens, connections, seconds, pause_ms, closes=closes))


def run_lightly(processes: Processes, cores: frozenset[int], url: str, tokens: Path, seconds: int) -> Load:
    """About 1000 requests a second, evenly: what latency is measured with, where a client that sends as fast as it
    can would measure the queue that it makes for itself. There are so many connections with a long pause that each
    delay of the proxy is met by as many requests as it would be if nobody waited for answers."""
    return run(processes, cores, url, tokens, connections=64, seconds=seconds, pause_ms=64)


def start(processes: Processes, cores: frozenset[int], url: str, tokens: Path, connections: int, seconds: int,
          pause_ms: int = 0, niceness: int = 0, closes: bool = False) -> subprocess.Popen:
    """Begins a load, for `finish` to tell what came of it."""
    command = ["wrk", "--threads", "1", "--connections", str(connections), "--duration", f"{seconds}s",
               "--latency", "--script", str(_SCRIPT), url, "--", str(tokens), str(pause_ms),
               "close" if closes else "keep"]
    return processes.start(command, cores, niceness, many_files=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                           text=True)


def finish(processes: Processes, process: subprocess.Popen) -> Load:
    """Waits for the end of a load."""
    output, _ = process.communicate()
    processes.end(process)
    for line in output.splitlines():
        if line.startswith("RESULT "):
            result = json.loads(line.removeprefix("RESULT "))
            return Load(
                requests=result["requests"],
                seconds=result["duration_us"] / 1e6,
                p50_us=result["p50_us"],
                p99_us=result["p99_us"],
                p999_us=result["p999_us"],
                errors={kind: result[kind] for kind in _ERRORS if result[kind]},
            )
    raise Problem(f"wrk gave no result: {' '.join(process.args)}\n{output}")
