"""What the life of a process is held against."""

import unittest
from dataclasses import replace

from harness import soak, startup

START = startup.Round(number=1, connected_ms=50, answered_ms=60, foreign_share=0, faults=[])
LIFE = soak.Round(number=1, requests=1_000_000, connections=100_000, resident_bytes=[100, 90, 110], foreign_share=0,
                  faults=[])


class Goals(unittest.TestCase):
    def test_a_start_is_held_against_its_median(self) -> None:
        rounds = [START, replace(START, connected_ms=20), replace(START, connected_ms=500)]
        self.assertEqual([goal.verdict for goal in startup.goals(rounds)], ["met"])
        self.assertEqual([goal.verdict for goal in startup.goals([replace(START, connected_ms=51)])], ["not met"])
        self.assertEqual([goal.verdict for goal in startup.goals([replace(START, faults=["x"])])], ["not measured"])

    def test_the_worst_life_counts_from_its_first_stage_to_its_last(self) -> None:
        self.assertEqual([goal.verdict for goal in soak.goals([LIFE])], ["met"])
        grown = replace(LIFE, resident_bytes=[100, 200, 111])
        self.assertEqual([goal.verdict for goal in soak.goals([LIFE, grown])], ["not met"])
        self.assertEqual([goal.verdict for goal in soak.goals([replace(grown, faults=["x"])])], ["not measured"])


if __name__ == "__main__":
    unittest.main()
