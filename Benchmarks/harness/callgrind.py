"""What callgrind wrote, and whose code it was: instructions by function, by module, and by what is ours.

The format is chapter "Callgrind Format Specification" of valgrind's manual: names are numbered where they first occur,
and the line after `calls=` is the cost of what was called, which its own lines hold already.
"""

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

# The longer names first: in `$s10OpenSSLKit` nobody is to find another.
MODULES = ("Observability", "Configuration", "OpenSSLKit", "Admission", "Migration", "HTTPWire", "Gateway", "Reactor",
           "CurlKit", "ZlibKit", "Bytes", "JOSE")
_MANGLED = re.compile("|".join(f"{len(name)}{name}" for name in MODULES))
_NUMBERED = re.compile(r"\((\d+)\)(?: (.*))?$")
# What the bench has put in the place of the C library's: no part of the proxy.
_BENCH = {"epoll_wait", "clock_gettime", "malloc", "calloc", "realloc", "aligned_alloc", "posix_memalign",
          "allocations_count", "pthread_create", "openssl_malloc", "openssl_realloc", "openssl_free"}
RUNTIME, DISPATCH, BENCH, KERNEL = "Swift runtime", "Dispatch", "bench", "CLinux"


@dataclass(frozen=True)
class Function:
    """`file` is the program or the shared library that it is in."""

    file: str
    name: str


@dataclass(frozen=True)
class Profile:
    """Instructions and calls of the functions themselves, without what they called."""

    instructions: Counter
    calls: Counter

    def by_module(self, program: str) -> Counter:
        """Instructions by who wrote the code: our modules, the Swift runtime, and the C libraries by their files."""
        modules = Counter()
        for function, count in self.instructions.items():
            modules[module(function, program)] += count
        return modules

    def own(self, program: str) -> int:
        """Instructions of our modules, and of the Swift runtime and Dispatch in their service."""
        ours = {*MODULES, RUNTIME, DISPATCH, KERNEL}
        return sum(count for name, count in self.by_module(program).items() if name in ours)


def module(function: Function, program: str) -> str:
    """Whose code it is. What the compiler made of the standard library for a type of a module is that module's."""
    file = function.file.rpartition("/")[2]
    if file.startswith(("libswift", "lib_Swift")):
        return RUNTIME
    if file.startswith(("libdispatch", "libBlocksRuntime")):
        return DISPATCH
    if file != program:
        return file.partition(".so")[0].strip("?") or "unknown"
    if function.name in _BENCH or function.name.startswith("requestbench_"):
        return BENCH
    if function.name.startswith("clinux_"):
        return KERNEL
    if function.name.startswith("$s"):
        found = _MANGLED.search(function.name)
        return found[0].lstrip("0123456789") if found else RUNTIME
    return DISPATCH if "dispatch" in function.name else RUNTIME


def read(file: Path) -> Profile:
    """Reads one of callgrind's output files."""
    names: dict[tuple[str, str], str] = {}

    def named(space: str, text: str) -> str:
        found = _NUMBERED.match(text)
        if not found:
            return text
        if found[2] is not None:
            names[space, found[1]] = found[2]
        return names[space, found[1]]

    instructions, calls = Counter(), Counter()
    where, who, called_where, called_who = "", "", "", ""
    is_inclusive = False
    for line in file.read_text().splitlines():
        key, equals, value = line.partition("=")
        if line[:1].isdigit() or line[:1] in {"+", "-", "*"}:
            if not is_inclusive:
                instructions[Function(where, who)] += int(line.split()[1])
            is_inclusive = False
        elif not equals:
            continue
        elif key == "ob":
            where = called_where = named("ob", value)
        elif key == "fn":
            who = named("fn", value)
            called_where = where
        elif key == "cob":
            called_where = named("ob", value)
        elif key == "cfn":
            called_who = named("fn", value)
        elif key == "calls":
            calls[Function(called_where, called_who)] += int(value.split()[0])
            called_where = where
            is_inclusive = True
    return Profile(instructions, calls)
