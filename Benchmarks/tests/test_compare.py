"""What the comparison measures, and what its goals are held against."""

import dataclasses
import unittest

from harness import catalogue, compare
from harness.catalogue import ALL_NEW, BASE, MOST_CONNECTIONS, PROXIES, ROWS, TABLE, TWO_WORKERS, Case, Row
from harness.goals import Goal
from tests.test_report import ANTECHAMBER, HAPROXY, line

HAPROXY_JWT = Case(catalogue.HAPROXY_JWT, BASE)
ENVOY_JWT = Case(catalogue.ENVOY_JWT, BASE)
TWO = Case(catalogue.ANTECHAMBER, TWO_WORKERS)


class Table(unittest.TestCase):
    def test_names_are_each_one_s_own(self) -> None:
        self.assertEqual(len(ROWS), len(TABLE))
        self.assertEqual(len(PROXIES), len({proxy for proxies in TABLE.values() for proxy in proxies}))

    def test_each_row_differs_from_the_first_in_one_respect(self) -> None:
        def load(row: Row) -> set:
            fields = dataclasses.asdict(row)
            return {(name, fields[name]) for name in ("connections", "closes", "tokens", "body", "workers")}

        for row, proxies in TABLE.items():
            of_tls = all(proxy.tls for proxy in proxies)
            self.assertEqual(of_tls, any(proxy.tls for proxy in proxies), row.title)
            self.assertEqual(len(load(row) - load(BASE)) + of_tls, 0 if row == BASE else 1, row.title)

    def test_antechamber_is_in_every_row_and_all_but_tls_in_the_first(self) -> None:
        self.assertTrue(all(any(proxy.is_ours for proxy in proxies) for proxies in TABLE.values()))
        self.assertEqual({proxy for proxy in PROXIES.values() if not proxy.tls}, set(TABLE[BASE]))

    def test_rows_of_tokens_have_only_such_as_look_at_them(self) -> None:
        for row, proxies in TABLE.items():
            if row.tokens != catalogue.ONE:
                self.assertTrue(all(proxy.authenticates for proxy in proxies), row.title)

    def test_a_choice_is_of_proxies_and_of_rows(self) -> None:
        self.assertEqual(catalogue.cases(["antechamber", "haproxy"], ["new", "base"]),
                         [HAPROXY, ANTECHAMBER, Case(catalogue.ANTECHAMBER, ALL_NEW)])


class Goals(unittest.TestCase):
    # Each at its limit.
    lines = {
        HAPROXY: line(20, p99=2000),
        HAPROXY_JWT: line(50),
        ENVOY_JWT: line(50),
        ANTECHAMBER: line(20, p99=2000, resident=25_000_000),
        Case(catalogue.HAPROXY_JWT, ALL_NEW): line(60),
        Case(catalogue.ANTECHAMBER, ALL_NEW): line(45),
        TWO: line(20 / 0.9, core=1),
        Case(catalogue.HAPROXY, MOST_CONNECTIONS): line(30),
        Case(catalogue.ANTECHAMBER, MOST_CONNECTIONS): line(30),
    }

    def verdicts(self, changed) -> dict[str, str]:
        return {goal.title: goal.verdict for goal in compare.goals({**self.lines, **changed})}

    def test_a_goal_is_met_up_to_and_with_its_limit(self) -> None:
        self.assertEqual(list(self.verdicts({}).values()), ["met"] * 8)

    def test_each_goal_is_missed_beyond_its_limit(self) -> None:
        worse = [
            (HAPROXY, line(19.9, p99=2000), "CPU / HAProxy, no token"),
            (ENVOY_JWT, line(49.9), "CPU / Envoy"),
            (HAPROXY_JWT, line(49.9), "one token: CPU / HAProxy jwt"),
            (Case(catalogue.HAPROXY_JWT, ALL_NEW), line(59.9), "all tokens new"),
            (HAPROXY, line(20, p99=1999), "p99"),
            (TWO, line(22.3, core=1), "two workers"),
            (ANTECHAMBER, line(20, resident=25_000_001), "RSS"),
            (Case(catalogue.ANTECHAMBER, MOST_CONNECTIONS), line(30.1), "5,000"),
        ]
        for case, value, title in worse:
            missed = [name for name, verdict in self.verdicts({case: value}).items() if verdict != "met"]
            self.assertTrue(any(title in name for name in missed), (title, missed))

    def test_two_workers_are_held_against_one_by_rate_where_they_were_the_limit(self) -> None:
        def goal(two_core: float, one_core: float) -> Goal:
            return next(goal for goal in compare.goals({
                ANTECHAMBER: line(20, rate=50_000, core=one_core), TWO: line(20, rate=80_000, core=two_core),
            }) if "two workers" in goal.title)

        self.assertEqual((goal(1.8, 0.9).value, goal(1.8, 0.9).title[-10:]), (1.6, "requests/s"))
        for two_core, one_core in ((1.79, 0.9), (1.8, 0.89)):
            self.assertEqual(goal(two_core, one_core).value, 2)
            self.assertIn("for CPU time", goal(two_core, one_core).title)

    def test_a_goal_whose_peer_was_not_measured_is_neither(self) -> None:
        found = {goal.title: goal.verdict for goal in compare.goals({ANTECHAMBER: line(10), TWO: None})}
        self.assertEqual(found.pop("Antechamber, 64 connections: RSS"), "met")
        self.assertEqual(set(found.values()), {"not measured"})

    def test_a_goal_is_not_met_by_a_case_whose_rounds_all_failed(self) -> None:
        lines = {ANTECHAMBER: None, HAPROXY: line(20)}
        self.assertEqual({goal.verdict for goal in compare.goals(lines)}, {"not measured"})

    def test_a_goal_to_reach_is_met_from_its_limit_on(self) -> None:
        self.assertEqual(
            [Goal("", value, 0.9, "×", at_least=True).verdict for value in (0.899, 0.9, 1.2)],
            ["not met", "met", "met"])


if __name__ == "__main__":
    unittest.main()
