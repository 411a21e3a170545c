"""What a request costs, counted, and held against what is recorded.

`Tests/RequestBench` runs a whole proxy between a client and a backend, in one process. This builds it, runs it under
valgrind's callgrind, and compares with Tests/RequestBench/costs.txt:

    instructions   a request, in the program itself: our modules, and the Swift runtime and Dispatch, which are linked
                   in. More than 2 % above what is recorded fails
    allocations    a request, by the worker. Any above what is recorded fails. OpenSSL's are apart: how many there are
                   depends on its version, so that only the first is a failure where there was none

Instructions in libcrypto and in the C library are shown, and not compared: both choose their code by the CPU, and the
C library by how its arguments lie in memory. What remains depends on the compiler and the CPU's architecture alone, and
is held against the record where those are the record's own. Allocations always are.
"""

import argparse
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from harness import Problem, build, callgrind, command
from harness.machine import say
from harness.table import aligned

RECORD = Path(__file__).resolve().parent.parent.parent / "Tests/RequestBench/costs.txt"
TOLERANCE = 0.02
_PROGRAM = "RequestBench"
_HEADING = """\
# What a request costs, kind by kind (Tests/RequestBench/Case.swift): instructions of the program itself, allocations,
# and allocations of OpenSSL's beside those. scripts/costs compares; scripts/costs --record writes this file anew.
"""


@dataclass(frozen=True)
class Cost:
    """Of one request."""

    instructions: float
    allocations: float
    openssl_allocations: float


@dataclass(frozen=True)
class Record:
    """`circumstances` are what instructions depend on beside the code."""

    circumstances: str
    costs: dict[str, Cost]

    def text(self) -> str:
        lines = [f"{name} {cost.instructions:.0f} {cost.allocations:g} {cost.openssl_allocations:g}"
                 for name, cost in self.costs.items()]
        return _HEADING + f"circumstances {self.circumstances}\n" + "\n".join(lines) + "\n"

    @classmethod
    def parse(cls, text: str) -> "Record":
        circumstances, costs = "", {}
        for number, line in enumerate(text.splitlines(), start=1):
            words = line.split()
            if not words or line.startswith("#"):
                continue
            if words[0] == "circumstances":
                circumstances = " ".join(words[1:])
                continue
            try:
                name, *numbers = words
                cost = Cost(*map(float, numbers))
            except (TypeError, ValueError):
                raise Problem(f"line {number} of the record is not a name and three numbers: {line}") from None
            if name in costs:
                raise Problem(f"line {number} of the record has {name} once more")
            costs[name] = cost
        return cls(circumstances, costs)


@dataclass(frozen=True)
class Finding:
    """What one comparison came to, in words."""

    fails: bool
    text: str


def findings(measured: Record, recorded: Record) -> list[Finding]:
    """What there is to say of the costs, and whether it is a failure. What is as recorded is not spoken of."""
    found = []
    for name in recorded.costs.keys() - measured.costs.keys():
        found.append(Finding(True, f"{name} is recorded, and was not measured"))
    comparable = measured.circumstances == recorded.circumstances
    for name, cost in measured.costs.items():
        before = recorded.costs.get(name)
        if before is None:
            found.append(Finding(True, f"{name} is measured, and not recorded"))
            continue
        if cost.allocations != before.allocations:
            more = cost.allocations > before.allocations
            found.append(Finding(more, f"{name}: {cost.allocations:g} allocations a request, {before.allocations:g} "
                                       f"recorded{'' if more else ': better'}"))
        if cost.openssl_allocations > 0 and before.openssl_allocations == 0:
            found.append(Finding(True, f"{name}: {cost.openssl_allocations:g} allocations of OpenSSL's a request, "
                                       "where there were none"))
        more = cost.instructions > before.instructions * (1 + TOLERANCE)
        if comparable and (more or cost.instructions < before.instructions * (1 - TOLERANCE)):
            change = cost.instructions / before.instructions - 1
            found.append(Finding(more, f"{name}: {cost.instructions:.0f} instructions a request, "
                                       f"{before.instructions:.0f} recorded ({change:+.1%})"
                                       f"{'' if more else ': better'}"))
    return found


@dataclass(frozen=True)
class Measured:
    """A case as it ran."""

    requests: int
    allocations: int
    openssl_allocations: int
    wakeups: int
    profile: callgrind.Profile

    def cost(self) -> Cost:
        return Cost(round(self.profile.own(_PROGRAM) / self.requests), self.allocations / self.requests,
                    self.openssl_allocations / self.requests)


def measure(binary: Path, names: list[str], directory: Path) -> dict[str, Measured]:
    """Runs the cases, all where none is named, in one process."""
    # Valgrind does not read the debug information of every compiler; the names of functions are not among it.
    program = directory / _PROGRAM
    subprocess.run(["strip", "--strip-debug", "-o", program, binary], check=True)
    dumps = directory / "callgrind"
    tool = ["valgrind", "--quiet", "--tool=callgrind", "--instr-atstart=no", "--collect-atstart=no",
            f"--callgrind-out-file={dumps}"]
    # Where hash tables begin is random otherwise, and so is how far they are searched.
    environment = {**os.environ, "SWIFT_DETERMINISTIC_HASHING": "1"}
    ran = subprocess.run([*tool, program, *names], stdout=subprocess.PIPE, text=True, env=environment, check=False,
                         timeout=600)
    if ran.returncode != 0:
        raise Problem(f"{_PROGRAM} ended with status {ran.returncode}; see above")
    # A dump a case, in their order.
    cases = {}
    for number, line in enumerate(ran.stdout.splitlines(), start=1):
        case = json.loads(line)
        if not case["collected"]:
            raise Problem(f"{_PROGRAM} was built before valgrind was installed: remove the build, and try again")
        profile = callgrind.read(dumps.with_name(f"{dumps.name}.{number}"))
        cases[case["case"]] = Measured(case["requests"], case["allocations"], case["in_openssl"], case["wakeups"],
                                       profile)
    return cases


def circumstances() -> str:
    """The architecture, and the compiler's version."""
    shown = subprocess.run(["swift", "--version"], capture_output=True, text=True, check=True).stdout
    version = re.search(r"Swift version ([0-9.]+)", shown)
    return f"{platform.machine()} Swift {version[1] if version else 'unknown'}"


def table(cases: dict[str, Measured], recorded: Record) -> list[str]:
    """A line a case: what it costs, and what is recorded."""
    rows = [("a request of", "instructions", "recorded", "with libraries", "allocations", "recorded", "in OpenSSL",
             "wakeups")]
    for name, case in cases.items():
        cost, before = case.cost(), recorded.costs.get(name)
        whole = (sum(case.profile.instructions.values())
                 - case.profile.by_module(_PROGRAM)[callgrind.BENCH]) / case.requests
        rows.append((name, f"{cost.instructions:,.0f}", f"{before.instructions:,.0f}" if before else "-",
                     f"{whole:,.0f}", f"{cost.allocations:g}", f"{before.allocations:g}" if before else "-",
                     f"{cost.openssl_allocations:g}", f"{case.wakeups / case.requests:g}"))
    return aligned(rows, left_columns=1)


def explanation(case: Measured, functions: int) -> list[str]:
    """Where a case's instructions are spent: by module, and in the functions that take most."""
    modules = case.profile.by_module(_PROGRAM)
    rows = [("module", "instructions a request")]
    rows += [(name, f"{count / case.requests:,.0f}") for name, count in modules.most_common()]
    most = case.profile.instructions.most_common(functions)
    plain = demangled([function.name for function, _ in most])
    detail = [("instructions", "calls", "", "function")]
    for (function, count), name in zip(most, plain):
        detail.append((f"{count / case.requests:,.0f}", f"{case.profile.calls[function] / case.requests:g}",
                       callgrind.module(function, _PROGRAM), name[:150]))
    return aligned(rows, left_columns=1) + [""] + aligned(detail, left_columns=4)


def demangled(names: list[str]) -> list[str]:
    """As they are written in the source, as far as they are Swift's."""
    done = subprocess.run(["swift", "demangle", "--simplified"], input="\n".join(names), capture_output=True, text=True,
                          check=True)
    return done.stdout.splitlines()


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="scripts/costs", description="Counts what a request costs, and compares.")
    parser.add_argument("--record", action="store_true", help="write what is measured to Tests/RequestBench/costs.txt")
    parser.add_argument("--explain", metavar="CASE", help="tell where the instructions of one case are spent")
    parser.add_argument("--functions", type=int, default=40, metavar="N", help="how many --explain names (%(default)s)")
    parser.add_argument("--binary", type=Path, help="a RequestBench that is built already; nothing is built then")
    parser.add_argument("--scratch", type=Path, default=Path(".build-bench"), help=argparse.SUPPRESS)
    flags = parser.parse_args(arguments)
    if not shutil.which("valgrind"):
        raise Problem("not installed: valgrind")
    binary = flags.binary or build.release(_PROGRAM, flags.scratch)
    with tempfile.TemporaryDirectory(prefix="antechamber-costs-") as directory:
        cases = measure(binary, [flags.explain] if flags.explain else [], Path(directory))
    if flags.explain:
        print("\n".join(explanation(cases[flags.explain], flags.functions)))
        return 0
    measured = Record(circumstances(), {name: case.cost() for name, case in cases.items()})
    if flags.record:
        RECORD.write_text(measured.text())
        say(f"recorded for {measured.circumstances}")
        return 0
    recorded = Record.parse(RECORD.read_text())
    print("\n".join(table(cases, recorded)))
    return judge(measured, recorded)


def judge(measured: Record, recorded: Record) -> int:
    """Says what there is to say; 1 where something costs more than is recorded."""
    found = findings(measured, recorded)
    for finding in found:
        say(finding.text)
    if measured.circumstances != recorded.circumstances:
        say(f"instructions are not judged: this is {measured.circumstances}, and they were recorded for "
            f"{recorded.circumstances}")
    if any(finding.fails for finding in found):
        say("a request costs more than is recorded, or the record is not whole. CONTRIBUTING.md (What a request costs) "
            "tells how to find out where, and how to record what is meant to be so")
        return 1
    if found:
        say("a request costs less than is recorded: scripts/costs --record keeps it so")
    return 0


if __name__ == "__main__":
    sys.exit(command.run(main))
