"""Results of `compare` for readers of a page: a picture of CPU time for a request, or tables in Markdown.

It needs the JSON alone, and nothing but the standard library.
"""

import argparse
import json
import sys
from pathlib import Path

from harness import command, markdown, svg


def main(arguments: list[str]) -> int:
    """Writes to standard output."""
    parser = argparse.ArgumentParser(prog="Benchmarks/plot", description="Draws what Benchmarks/compare has measured.")
    parser.add_argument("results", type=Path, metavar="FILE", help="what compare wrote with --json")
    parser.add_argument("--markdown", action="store_true", help="tables in place of the picture")
    flags = parser.parse_args(arguments)
    results = json.loads(flags.results.read_text())
    sys.stdout.write(markdown.text(results) if flags.markdown else svg.text(results))
    return 0


if __name__ == "__main__":
    sys.exit(command.run(main))
