"""What the comparison's goals are held against."""

import unittest

from harness import compare, report
from harness.goals import Goal
from tests.test_report import case, measured_round


class Goals(unittest.TestCase):
    def verdicts(self, ours: float, resident: int) -> list[str]:
        return [goal.verdict for goal in compare.goals({
            case("haproxy", "plain"): report.medians([measured_round(20)]),
            case("envoy-jwt", "one"): report.medians([measured_round(50)]),
            case("antechamber", "one"): report.medians([measured_round(ours)]),
            case("antechamber", "many"): report.medians([measured_round(ours, resident=resident)]),
        })]

    def test_a_goal_is_met_up_to_and_with_its_limit(self) -> None:
        self.assertEqual(self.verdicts(25, 40_000_000), ["met", "met", "met"])

    def test_a_goal_is_missed_beyond_its_limit(self) -> None:
        self.assertEqual(self.verdicts(28, 40_000_001), ["not met", "not met", "not met"])

    def test_a_goal_whose_peer_was_not_measured_is_neither(self) -> None:
        lines = {case("antechamber", "one"): report.medians([measured_round(10)])}
        self.assertEqual([goal.verdict for goal in compare.goals(lines)], ["not measured", "not measured", "met"])

    def test_a_goal_is_not_met_by_a_case_whose_rounds_all_failed(self) -> None:
        lines = {case("antechamber", "one"): None, case("haproxy", "plain"): report.medians([measured_round(20)])}
        self.assertEqual({goal.verdict for goal in compare.goals(lines)}, {"not measured"})

    def test_a_goal_to_reach_is_met_from_its_limit_on(self) -> None:
        self.assertEqual(
            [Goal("", value, 0.9, "×", at_least=True).verdict for value in (0.899, 0.9, 1.2)],
            ["not met", "met", "met"])


if __name__ == "__main__":
    unittest.main()
