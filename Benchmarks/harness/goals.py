"""What Antechamber sets out to reach, and whether a run shows that it does."""

import dataclasses

from harness.table import aligned


@dataclasses.dataclass(frozen=True)
class Goal:
    """A figure and its limit, which the figure may reach; `value` is None where it was not measured."""

    title: str
    value: float | None
    limit: float
    unit: str
    at_least: bool = False

    @property
    def verdict(self) -> str:
        if self.value is None:
            return "not measured"
        met = self.value >= self.limit if self.at_least else self.value <= self.limit
        return "met" if met else "not met"


def ratio(ours: float | None, theirs: float | None) -> float | None:
    """None where one of the two was not measured."""
    return ours / theirs if ours is not None and theirs else None


def lines(goals: list[Goal]) -> list[str]:
    """One line a goal."""
    return aligned([
        (
            goal.title,
            "-" if goal.value is None else f"{goal.value:.2f} {goal.unit}",
            f"goal {'≥' if goal.at_least else '≤'} {goal.limit:g} {goal.unit}",
            goal.verdict,
        )
        for goal in goals
    ], left_columns=1)


def records(goals: list[Goal]) -> list[dict[str, object]]:
    """The same for other programs."""
    return [{**dataclasses.asdict(goal), "verdict": goal.verdict} for goal in goals]
