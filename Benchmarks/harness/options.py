"""The command line."""

import argparse
from pathlib import Path

from harness.catalogue import MODES, PROXIES


def parse(arguments: list[str]) -> argparse.Namespace:
    """Reads the flags; argparse ends the process on wrong usage."""
    names = [proxy.name for proxy in PROXIES]
    parser = argparse.ArgumentParser(
        prog="Benchmarks/compare",
        description="Measures Antechamber beside HAProxy, nginx and Envoy, in interleaved rounds on loopback.",
    )
    parser.add_argument("--rounds", type=_at_least_one, default=5, help="measured rounds of every case (%(default)s)")
    parser.add_argument("--seconds", type=_at_least_one, default=4, help="length of a measured round (%(default)s)")
    parser.add_argument("--warmup", type=_at_least_one, default=1, 
                        help="seconds of unmeasured load before each round (%(default)s)")
    parser.add_argument("--only", type=_subset_of(names), default=names, metavar="NAME,...",
                        help="proxies to measure (all): " + ", ".join(names))
    parser.add_argument("--modes", type=_subset_of(MODES), default=list(MODES), metavar="MODE,...",
                        help="modes of load (all): " + ", ".join(MODES))
    parser.add_argument("--body", choices=["tiny", "64k"], default="tiny", 
                        help="what the backend answers with (%(default)s)")
    parser.add_argument("--connections", type=_at_least_one, default=64, 
                        help="keep-alive client connections (%(default)s)")
    parser.add_argument("--tokens", type=_at_least_two, default=20_000, 
                        help="distinct tokens in the mode `many` (%(default)s)")
    parser.add_argument("--binary", type=Path, help="an antechamber that is built already; nothing is built then")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write every round and the medians there")
    parser.add_argument("--scratch", type=Path, default=Path(".build-bench"), help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    # The defaults name everything, in which case a peer that is not there is left out with a message;
    # whoever names it is told that it is missing.
    options.named = options.only is not names
    return options


def _at_least(minimum: int):
    def number(text: str) -> int:
        value = int(text)
        if value < minimum:
            raise argparse.ArgumentTypeError(f"must be at least {minimum}")
        return value

    number.__name__ = "number"
    return number


_at_least_one = _at_least(1)
_at_least_two = _at_least(2)


def _subset_of(allowed):
    def names(text: str) -> list[str]:
        chosen = [name.strip() for name in text.split(",") if name.strip()]
        unknown = [name for name in chosen if name not in allowed]
        if unknown or not chosen:
            raise argparse.ArgumentTypeError(f"{', '.join(unknown) or 'nothing'} is not among {', '.join(allowed)}")
        return chosen

    return names
