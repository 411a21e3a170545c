"""What the report counts, leaves out and promises.

    python3 -m unittest discover -s Benchmarks/tests -t Benchmarks
"""

import json
import tempfile
import unittest
from pathlib import Path

from harness import catalogue, report
from harness.catalogue import BASE, ROTATION, Case
from harness.report import Medians
from harness.rounds import Round

HAPROXY = Case(catalogue.HAPROXY, BASE)
ENVOY = Case(catalogue.ENVOY, BASE)
ANTECHAMBER = Case(catalogue.ANTECHAMBER, BASE)


def measured_round(cpu: float, number: int = 1, faults: tuple[str, ...] = (), resident: int = 20_000_000,
                   foreign: float = 0, core: float = 0.95, rate: float = 500, p99: int = 2000) -> Round:
    return Round(number=number, requests=1000, requests_per_second=rate, cpu_us_per_request=cpu, core_share=core,
                 foreign_share=foreign, p50_us=1000, p99_us=p99, p999_us=3000, resident_bytes=resident,
                 faults=list(faults))


def line(cpu: float, **figures) -> Medians:
    return report.medians([measured_round(cpu, **figures)])


class MediansOfRounds(unittest.TestCase):
    def test_a_round_with_faults_is_left_out_and_counted(self) -> None:
        line = report.medians([measured_round(10), measured_round(12), measured_round(900, faults=("3 read errors",))])
        self.assertEqual(line.cpu_us_per_request, 11)
        self.assertEqual((line.rounds_good, line.rounds), (2, 3))

    def test_nothing_but_faults_gives_no_line(self) -> None:
        self.assertIsNone(report.medians([measured_round(10, faults=("1 status errors",))]))


class Ratios(unittest.TestCase):
    def test_each_is_set_against_antechamber_in_its_own_row(self) -> None:
        verifying = Case(catalogue.HAPROXY_JWT, ROTATION)
        ratios = report.cpu_ratios({HAPROXY: line(10), ANTECHAMBER: line(20), verifying: line(90), ENVOY: None})
        self.assertEqual(ratios, {HAPROXY: 0.5, ANTECHAMBER: 1, verifying: None, ENVOY: None})


class Text(unittest.TestCase):
    def test_faults_and_a_disturbed_core_are_named(self) -> None:
        shown = report.text({ENVOY: [
            measured_round(50, foreign=0.2), measured_round(50, number=2, faults=("7 timeout errors",)),
        ]}, ["heading"], [])
        self.assertIn("round 2 of Envoy, 64 connections is not counted: 7 timeout errors", shown)
        self.assertIn("up to 20% of it", shown)

    def test_the_columns_are_aligned(self) -> None:
        shown = report.text({
            HAPROXY: [measured_round(9)], Case(catalogue.HAPROXY_JWT, ROTATION): [measured_round(1234)],
        }, ["heading"], [])
        table = shown.split("\n\n")[1].splitlines()
        self.assertEqual(len({len(line) for line in table}), 1)


class Json(unittest.TestCase):
    def test_it_says_what_a_line_is_of_and_has_every_round(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "results.json"
            report.write_json(file, {
                Case(catalogue.ANTECHAMBER_TLS, catalogue.TLS): [measured_round(20), measured_round(30, number=2)],
                HAPROXY: [measured_round(9, faults=("x",))],
            }, {"machine": {"cpu": "some"}}, [])
            written = json.loads(file.read_text())
        secure, plain = written["cases"]
        self.assertEqual((secure["proxy"], secure["row"]["name"]), ("antechamber-tls", "tls"))
        self.assertTrue(secure["row"]["tls"])
        self.assertEqual((secure["medians"]["cpu_us_per_request"], secure["cpu_ratio"]), (25, 1))
        self.assertEqual([one["cpu_us_per_request"] for one in secure["rounds"]], [20, 30])
        self.assertEqual((plain["medians"], plain["cpu_ratio"], plain["rounds"][0]["faults"]), (None, None, ["x"]))
        self.assertEqual(written["machine"], {"cpu": "some"})


if __name__ == "__main__":
    unittest.main()
