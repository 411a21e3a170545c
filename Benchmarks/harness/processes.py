"""Starting, pinning, accounting and ending of processes.

Everything started here is remembered until it is ended, by its process id, by `Processes.close`.
"""

import ctypes
import os
import resource
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
_END_SECONDS = 5
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)
# What is started gets the limit that we were started with, whatever we need ourselves.
_DESCRIPTOR_LIMITS = resource.getrlimit(resource.RLIMIT_NOFILE)


@dataclass(frozen=True)
class Cores:
    """The core of the proxy under test, and the one that wrk and the backend share."""

    proxy: int
    load: int

    @property
    def apart(self) -> bool:
        return self.proxy != self.load


def choose_cores() -> Cores:
    """The first two CPUs that this process may run on; the same one twice where there is only one."""
    allowed = sorted(os.sched_getaffinity(0))
    return Cores(proxy=allowed[0], load=allowed[min(1, len(allowed) - 1)])


class Processes:
    """The processes of this run. A context manager: on the way out all of them are ended."""

    def __init__(self) -> None:
        self._running: list[subprocess.Popen] = []

    def __enter__(self) -> "Processes":
        return self

    def __exit__(self, *_) -> None:
        for process in reversed(list(self._running)):
            self.end(process)

    def start(self, command: list[str], core: int, niceness: int = 0, **popen) -> subprocess.Popen:
        """Starts `command` on one core, in a session of its own (a terminal's Ctrl-C goes to us, and
        we end it), and with a signal from the kernel should we be killed without a chance to."""

        def before_exec() -> None:
            _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
            resource.setrlimit(resource.RLIMIT_NOFILE, _DESCRIPTOR_LIMITS)
            os.sched_setaffinity(0, {core})
            os.nice(niceness)

        popen.setdefault("stdin", subprocess.DEVNULL)
        process = subprocess.Popen(command, start_new_session=True, preexec_fn=before_exec, **popen)
        self._running.append(process)
        return process

    def end(self, process: subprocess.Popen) -> None:
        """SIGTERM, then SIGKILL for whatever of it (workers included) has not gone in time."""
        family = tree(process.pid)
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(_END_SECONDS)
            except subprocess.TimeoutExpired:
                for pid in family:
                    _kill(pid)
                process.wait()
        if process in self._running:
            self._running.remove(process)


def tree(pid: int) -> list[int]:
    """`pid` and all its living descendants."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            fields = _stat(int(entry.name))
            if fields:
                parents.setdefault(int(fields[1]), []).append(int(entry.name))
    found = [pid]
    for member in found:
        found.extend(parents.get(member, []))
    return found


def cpu_seconds(pids: list[int]) -> float:
    """User and system time of the processes, all their threads included (proc(5), fields 14 and 15)."""
    ticks = 0
    for pid in pids:
        fields = _stat(pid)
        if fields:
            ticks += int(fields[11]) + int(fields[12])
    return ticks / _TICKS_PER_SECOND


def resident_bytes(pids: list[int]) -> int:
    """The sum of VmRSS; pages that a master and its workers share count once for each."""
    return _status_bytes(pids, "VmRSS")


def peak_resident_bytes(pids: list[int]) -> int:
    """The sum of the largest VmRSS of each since `reset_peak`. The kernel keeps it: no peak falls between samples."""
    return _status_bytes(pids, "VmHWM")


def reset_peak(pids: list[int]) -> None:
    """Lets the kernel begin anew with VmHWM (proc(5), clear_refs)."""
    for pid in pids:
        Path(f"/proc/{pid}/clear_refs").write_text("5")


def core_busy_seconds(core: int) -> float:
    """How long a core has not been idle, time stolen by the hypervisor included."""
    for line in Path("/proc/stat").read_text().splitlines():
        name, *columns = line.split()
        if name == f"cpu{core}":
            user, nice, system, idle, iowait, irq, softirq, steal = (int(column) for column in columns[:8])
            return (user + nice + system + irq + softirq + steal) / _TICKS_PER_SECOND
    return 0.0


class Meter:
    """What some processes, and all else, use of the proxy's core from now on."""

    def __init__(self, pids: list[int], cores: Cores) -> None:
        self._pids = pids
        self._cores = cores
        self._began = time.monotonic()
        self._busy = core_busy_seconds(cores.proxy)
        self._cpu = cpu_seconds(pids)

    def read(self) -> tuple[float, float]:
        """Seconds of CPU time of the processes, and the share of the core that others used: 0 where they have to, as
        there is no other core."""
        cpu = cpu_seconds(self._pids) - self._cpu
        busy = core_busy_seconds(self._cores.proxy) - self._busy
        others = max(busy - cpu, 0) / (time.monotonic() - self._began)
        return cpu, others if self._cores.apart else 0


def wait_until(condition, seconds: float) -> bool:
    """Asks again and again until the condition holds or the time is up."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _status_bytes(pids: list[int], name: str) -> int:
    kilobytes = 0
    for pid in pids:
        try:
            for line in Path(f"/proc/{pid}/status").read_text().splitlines():
                if line.startswith(name + ":"):
                    kilobytes += int(line.split()[1])
        except FileNotFoundError:
            continue
    return kilobytes * 1024


def _stat(pid: int) -> list[str] | None:
    """The fields of /proc/PID/stat from the state on; the name before them may hold anything."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
