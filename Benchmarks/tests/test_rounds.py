"""Which rounds count, and what warms a proxy up."""

import unittest
from types import SimpleNamespace
from unittest import mock

from harness import catalogue, load, rounds
from harness.catalogue import ALL_NEW, BASE, MANY, NEW, ONE, REFUSALS, ROTATION, Case
from tests.test_report import ANTECHAMBER

COUNTS = {ONE: 1, MANY: 1000, NEW: 2000}
NEW_TOKENS = Case(catalogue.ANTECHAMBER, ALL_NEW)
FORGED_TOKENS = Case(catalogue.ANTECHAMBER, REFUSALS)


def result(requests: int, **errors: int) -> load.Load:
    return load.Load(requests=requests, seconds=1, p50_us=1, p99_us=1, p999_us=1, errors=errors)


class Faults(unittest.TestCase):
    def test_answers_without_an_error_have_none(self) -> None:
        for case in (ANTECHAMBER, Case(catalogue.ANTECHAMBER, ROTATION)):
            self.assertEqual(rounds.faults_of(case, result(5000), COUNTS), [])

    def test_each_kind_of_error_is_named(self) -> None:
        self.assertEqual(rounds.faults_of(ANTECHAMBER, result(5, read=1, status=2), COUNTS),
                         ["1 read errors", "2 status errors"])
        self.assertEqual(rounds.faults_of(ANTECHAMBER, result(0), COUNTS), ["no request was answered"])

    def test_new_tokens_are_new_as_long_as_there_are_more_than_may_have_been_sent(self) -> None:
        most = COUNTS[NEW] - ALL_NEW.connections - 1
        self.assertEqual(rounds.faults_of(NEW_TOKENS, result(most), COUNTS), [])
        self.assertEqual(len(rounds.faults_of(NEW_TOKENS, result(most + 1), COUNTS)), 1)

    def test_forged_tokens_have_to_be_refused_each_time(self) -> None:
        self.assertEqual(rounds.faults_of(FORGED_TOKENS, result(9, status=9), COUNTS), [])
        self.assertEqual(rounds.faults_of(FORGED_TOKENS, result(9, status=8), COUNTS), ["1 requests were not refused"])

    def test_the_backend_has_what_was_answered_and_what_was_in_flight(self) -> None:
        in_flight = 2 * BASE.connections
        for reached, counts in ((999, False), (1000, True), (1000 + in_flight, True), (1001 + in_flight, False)):
            self.assertEqual(not rounds.miscounts(ANTECHAMBER, result(1000), reached), counts, reached)
        self.assertEqual(rounds.miscounts(FORGED_TOKENS, result(9, status=9), 0), [])
        self.assertEqual(len(rounds.miscounts(FORGED_TOKENS, result(9, status=9), 1)), 1)

    def test_who_answers_by_himself_asks_no_backend(self) -> None:
        self.assertEqual(rounds.miscounts(Case(catalogue.NODE_KEY, BASE), result(1000), 0), [])


class WarmUp(unittest.TestCase):
    def tokens_sent(self, case: Case, rate: int) -> list[str]:
        """The kind of each stretch of load before the measured one."""
        bench = SimpleNamespace(credentials=SimpleNamespace(counts=COUNTS))
        with mock.patch.object(rounds, "_load", side_effect=lambda *words: result(rate)) as loads:
            rounds._warm_up(bench, case, None, SimpleNamespace(warmup=1))
        return [call.args[3] for call in loads.call_args_list]

    def test_new_tokens_are_left_alone(self) -> None:
        self.assertEqual(self.tokens_sent(NEW_TOKENS, rate=10), [ONE])

    def test_tokens_in_rotation_are_each_sent_once(self) -> None:
        rotation = Case(catalogue.ANTECHAMBER, ROTATION)
        self.assertEqual(self.tokens_sent(rotation, rate=COUNTS[MANY]), [MANY])
        self.assertEqual(self.tokens_sent(rotation, rate=COUNTS[MANY] - 1), [MANY, MANY])


if __name__ == "__main__":
    unittest.main()
