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
    """The cores of the proxy under test, of wrk, and of the backend."""

    proxy: frozenset[int]
    load: frozenset[int]
    backend: frozenset[int]
    # CPUs that nothing uses beside one worker.
    spare: tuple[int, ...] = ()

    @property
    def apart(self) -> bool:
        return not self.proxy & self.load

    def for_workers(self, count: int) -> "Cores":
        """A core for each of one or two workers. With four CPUs wrk leaves its own to the backend, as one for both
        cannot keep two workers busy. With fewer, all share two: were the load side held to one, it would be the limit,
        and the workers, idle half of the time, would be woken for a request or two."""
        if count == 1:
            return self
        if len(self.spare) >= 2:
            return Cores(self.proxy | {self.spare[0]}, frozenset({self.spare[1]}), self.backend)
        every = self.proxy | self.load
        return Cores(every, every, every)


def choose_cores() -> Cores:
    """The first CPUs that this process may run on; the same one for everything where there is only one."""
    allowed = sorted(os.sched_getaffinity(0))
    load = frozenset(allowed[1:2] or allowed)
    return Cores(frozenset(allowed[:1]), load, load, tuple(allowed[2:]))


class Processes:
    """The processes of this run. A context manager: on the way out all of them are ended."""

    def __init__(self) -> None:
        self._running: list[subprocess.Popen] = []

    def __enter__(self) -> "Processes":
        return self

    def __exit__(self, *_) -> None:
        for process in reversed(list(self._running)):
            self.end(process)

    def start(self, command: list[str], cores: frozenset[int], niceness: int = 0, many_files: bool = False,
              **popen) -> subprocess.Popen:
        """Starts `command` on its cores, in a session of its own (a terminal's Ctrl-C goes to us, and we end it), and
        with a signal from the kernel should we be killed without a chance to. `many_files`: it may open as many as we
        may let it, as a service's `LimitNOFILE` would."""

        def before_exec() -> None:
            _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
            soft, hard = _DESCRIPTOR_LIMITS
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard if many_files else soft, hard))
            os.sched_setaffinity(0, cores)
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


def busy_seconds(cores: frozenset[int]) -> float:
    """How long cores have not been idle, together, time stolen by the hypervisor included."""
    ticks = 0
    for line in Path("/proc/stat").read_text().splitlines():
        name, *columns = line.split()
        if name in {f"cpu{core}" for core in cores}:
            user, nice, system, idle, iowait, irq, softirq, steal = (int(column) for column in columns[:8])
            ticks += user + nice + system + irq + softirq + steal
    return ticks / _TICKS_PER_SECOND


class Meter:
    """What some processes, and all else, use of the proxy's cores from now on."""

    def __init__(self, pids: list[int], cores: Cores, backend: list[int] | None = None) -> None:
        """`backend` is looked at where the load side shares the cores; so are those of our children that end."""
        self._pids = pids
        self._cores = cores
        self._backend = backend
        self._began = time.monotonic()
        self._busy = busy_seconds(cores.proxy)
        self._cpu = cpu_seconds(pids)
        self._load = self._load_seconds()

    def read(self) -> tuple[float, float]:
        """Seconds of CPU time of the processes, and the share of a core that others than them and the load side used:
        0 where nobody knows, as the load side shares the cores and its backend was not named."""
        cpu = cpu_seconds(self._pids) - self._cpu
        busy = busy_seconds(self._cores.proxy) - self._busy
        others = max(busy - cpu - (self._load_seconds() - self._load), 0) / (time.monotonic() - self._began)
        return cpu, others if self._cores.apart or self._backend else 0

    def _load_seconds(self) -> float:
        if self._cores.apart or not self._backend:
            return 0
        ended = resource.getrusage(resource.RUSAGE_CHILDREN)
        return cpu_seconds(self._backend) + ended.ru_utime + ended.ru_stime


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
