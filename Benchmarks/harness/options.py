"""The command line: the flags that every command has, and the kinds of values that flags take."""

import argparse
from pathlib import Path


def parser(command: str, description: str) -> argparse.ArgumentParser:
    """With the flags that say which build is measured and where the results go."""
    made = argparse.ArgumentParser(prog=f"Benchmarks/{command}", description=description)
    made.add_argument("--rounds", type=at_least(1), default=5, help="measured rounds of every case (%(default)s)")
    made.add_argument("--binary", type=Path, help="an antechamber that is built already; nothing is built then")
    made.add_argument("--json", type=Path, metavar="FILE", help="also write every round and the medians there")
    made.add_argument("--scratch", type=Path, default=Path(".build-bench"), help=argparse.SUPPRESS)
    return made


def at_least(minimum: int):
    """A number with a lower bound."""
    def number(text: str) -> int:
        value = int(text)
        if value < minimum:
            raise argparse.ArgumentTypeError(f"must be at least {minimum}")
        return value

    return number


def size(text: str) -> int:
    """A number of bytes, with k, m or g for 1024 of the one before."""
    powers = {"k": 10, "m": 20, "g": 30}
    digits, power = (text[:-1], powers[text[-1]]) if text[-1:] in powers else (text, 0)
    if not digits.isdigit() or int(digits) == 0:
        raise argparse.ArgumentTypeError("not a size: such as 64m or 1g")
    return int(digits) << power


def subset_of(allowed):
    """Names of a list, with commas between."""
    def names(text: str) -> list[str]:
        chosen = [name.strip() for name in text.split(",") if name.strip()]
        unknown = [name for name in chosen if name not in allowed]
        if unknown or not chosen:
            raise argparse.ArgumentTypeError(f"{', '.join(unknown) or 'nothing'} is not among {', '.join(allowed)}")
        return chosen

    return names
