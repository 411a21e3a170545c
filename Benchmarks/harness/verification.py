"""What a token that is not remembered costs beside its signature alone, in one process: `Tests/TokenBench`."""

import json
import subprocess
from dataclasses import dataclass
from statistics import median

from harness import Problem, mint
from harness.bench import Bench
from harness.goals import Goal, ratio
from harness.machine import say
from harness.table import aligned

_MEASURES = {
    "bare": "OpenSSL: verify a ready digest",
    "hashed": "OpenSSL: hash, verify",
    "path": "Antechamber: the whole token path, admitted",
    "forged": "Antechamber: another token's signature, refused",
    "few": "Antechamber: a request's location among 10",
    "many": "Antechamber: a request's location among 1,000",
}
_SECONDS_MAX = 600


@dataclass(frozen=True)
class Round:
    """CPU time for one token, by what was done with it."""

    number: int
    nanoseconds: dict[str, float]
    foreign_share: float
    faults: list[str]

    def __str__(self) -> str:
        return "the token path"


def measure(bench: Bench, flags) -> list[Round]:
    """All rounds are one process's."""
    credentials = bench.credentials
    say(f"{flags.rounds} rounds of verification in one process")
    process = bench.processes.start(
        [str(flags.token_bench), str(credentials.jwks), str(credentials.public_key), str(credentials.tokens["many"]),
         mint.ISSUER, mint.AUDIENCE, str(flags.rounds)],
        bench.cores.proxy, stdout=subprocess.PIPE, text=True)
    try:
        output, _ = process.communicate(timeout=_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        raise Problem(f"TokenBench took longer than {_SECONDS_MAX} s") from None
    finally:
        bench.processes.end(process)
    if process.returncode != 0:
        raise Problem(f"TokenBench ended with status {process.returncode}; see above")
    figures = json.loads(output)
    return [
        Round(index + 1, {name: figures[name][index] for name in _MEASURES}, 0, []) for index in range(flags.rounds)
    ]


def _medians(rounds: list[Round]) -> dict[str, float]:
    return {name: median(one.nanoseconds[name] for one in rounds) for name in _MEASURES} if rounds else {}


def goals(rounds: list[Round]) -> list[Goal]:
    """The path against the signature within it."""
    middle = _medians(rounds)
    return [
        Goal("Antechamber, the token path / OpenSSL's bare verification",
             ratio(middle.get("path"), middle.get("bare")), 1.15, "×"),
        Goal("Antechamber, refusing a forged token / admitting a good one",
             ratio(middle.get("forged"), middle.get("path")), 1, "×"),
        Goal("Antechamber, finding a location among 1,000, more than among 10",
             (middle["many"] - middle["few"]) / 1000 if middle else None, 1, "µs"),
    ]


def text(rounds: list[Round], _) -> list[str]:
    """A table of medians."""
    middle = _medians(rounds)
    rows = [("in one process", "CPU µs", "/ bare", "spread", "rounds")]
    for name, meaning in _MEASURES.items():
        values = [one.nanoseconds[name] for one in rounds]
        rows.append((meaning, f"{middle[name] / 1000:.2f}", f"{middle[name] / middle['bare']:.3f} ×",
                     f"{(max(values) - min(values)) / middle[name]:.1%}", str(len(rounds))))
    return aligned(rows, left_columns=1)
