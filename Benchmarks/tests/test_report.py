"""What the report counts, leaves out and promises.

    python3 -m unittest discover -s Benchmarks/tests -t Benchmarks
"""

import unittest

from harness import report
from harness.catalogue import PROXIES, Case
from harness.rounds import Round


def case(name: str, mode: str) -> Case:
    return Case(next(proxy for proxy in PROXIES if proxy.name == name), mode)


def measured_round(cpu: float, number: int = 1, faults: tuple[str, ...] = (), resident: int = 20_000_000,
                   foreign: float = 0) -> Round:
    return Round(number=number, requests=1000, requests_per_second=500, cpu_us_per_request=cpu, core_share=0.9,
                 foreign_share=foreign, p50_us=1000, p99_us=2000, resident_bytes=resident, faults=list(faults))


class Medians(unittest.TestCase):
    def test_a_round_with_faults_is_left_out_and_counted(self) -> None:
        line = report.medians([measured_round(10), measured_round(12), measured_round(900, faults=("3 read errors",))])
        self.assertEqual(line.cpu_us_per_request, 11)
        self.assertEqual((line.rounds_good, line.rounds), (2, 3))

    def test_nothing_but_faults_gives_no_line(self) -> None:
        self.assertIsNone(report.medians([measured_round(10, faults=("1 status errors",))]))


class Text(unittest.TestCase):
    def test_faults_and_a_disturbed_core_are_named(self) -> None:
        shown = report.text({case("envoy", "plain"): [
            measured_round(50, foreign=0.2), measured_round(50, number=2, faults=("7 timeout errors",)),
        ]}, ["heading"], [])
        self.assertIn("round 2 of Envoy, plain is not counted: 7 timeout errors", shown)
        self.assertIn("up to 20% of it", shown)

    def test_the_columns_are_aligned(self) -> None:
        shown = report.text({
            case("haproxy", "plain"): [measured_round(9)], case("haproxy-jwt", "many"): [measured_round(1234)],
        }, ["heading"], [])
        table = shown.split("\n\n")[1].splitlines()
        self.assertEqual(len({len(line) for line in table}), 1)


if __name__ == "__main__":
    unittest.main()
