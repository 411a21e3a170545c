"""What the numbers were measured on, and how we speak while measuring."""

import os
import platform
import subprocess
import sys
from pathlib import Path

from harness.catalogue import Proxy


def say(message: str) -> None:
    """Progress and warnings go to standard error; the result alone goes to standard output."""
    print(f"{Path(sys.argv[0]).stem}: {message}", file=sys.stderr, flush=True)


def description() -> dict[str, object]:
    """The CPU, the kernel, and how busy the machine was before we began."""
    model = "unknown CPU"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    return {
        "cpu": model,
        "cpus": len(os.sched_getaffinity(0)),
        "kernel": platform.release(),
        "load_average": os.getloadavg()[0],
    }


def version(proxy: Proxy, program: Path) -> str:
    """The line of the program's own version text that holds a number."""
    command = [word.format(program=program) for word in proxy.version]
    shown = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    lines = [line.strip() for line in (shown.stdout + shown.stderr).splitlines()]
    line = next((line for line in lines if any(digit.isdigit() for digit in line)), "unknown version")
    return line.removeprefix(str(program)).strip()
