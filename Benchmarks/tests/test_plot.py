"""That the picture and the tables of Markdown say what was measured."""

import json
import tempfile
import unittest
from pathlib import Path
from xml.etree import ElementTree

from harness import catalogue, markdown, report, svg
from harness.catalogue import ALL_NEW, BASE, MOST_CONNECTIONS, ROTATION, Case
from harness.goals import Goal
from tests.test_report import ANTECHAMBER, ENVOY, HAPROXY, measured_round

_SVG = "{http://www.w3.org/2000/svg}"


def results() -> dict:
    """What compare would write."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "results.json"
        report.write_json(file, {
            HAPROXY: [measured_round(10, rate=12_345)],
            ENVOY: [measured_round(9, faults=("x",))],
            ANTECHAMBER: [measured_round(20)],
            Case(catalogue.HAPROXY, MOST_CONNECTIONS): [measured_round(1000)],
            Case(catalogue.HAPROXY_JWT, ALL_NEW): [measured_round(80)],
        }, {
            "machine": {"cpu": "R&D <CPU>", "cpus": 2, "kernel": "6.1"},
            "versions": {"envoy": "version: 9e558/1.40.0/Clean", "node": "v20.1.2"},
        }, [Goal("some figure", 2, 1, "×"), Goal("another", None, 1, "MB")])
        return json.loads(file.read_text())


class Picture(unittest.TestCase):
    def setUp(self) -> None:
        self.picture = ElementTree.fromstring(svg.text(results()))

    def bars(self) -> dict[str, list[float]]:
        found: dict[str, list[float]] = {}
        for bar in self.picture.iter(_SVG + "rect"):
            found.setdefault(bar.get("class"), []).append(float(bar.get("width")))
        return found

    def test_bars_are_as_long_as_their_figures_in_all_groups(self) -> None:
        bars = self.bars()
        longest = bars["checks"][0]
        self.assertEqual(bars, {"bar": [longest / 8], "ours": [longest / 4], "checks": [longest]})

    def test_what_was_not_measured_or_is_of_another_row_has_no_bar(self) -> None:
        shown = "".join(self.picture.itertext())
        self.assertNotIn("Envoy", shown)
        self.assertNotIn("1000.0", shown)
        self.assertNotIn(svg.HEADINGS[ROTATION.name], shown)

    def test_everything_lies_within_it(self) -> None:
        _, _, width, height = (float(number) for number in self.picture.get("viewBox").split())
        for bar in self.picture.iter(_SVG + "rect"):
            self.assertLess(float(bar.get("x")) + float(bar.get("width")), width)
        self.assertTrue(all(float(one.get("y")) < height for one in self.picture.iter() if one.get("y")))

    def test_a_reader_who_does_not_see_it_is_told_the_figures(self) -> None:
        told = self.picture.get("aria-labelledby").split()
        texts = {one.get("id"): one.text for one in self.picture.iter() if one.get("id")}
        self.assertEqual(set(texts), set(told))
        self.assertIn("HAProxy 10.0 µs, Antechamber 20.0 µs.", texts["desc"])

    def test_its_rows_are_rows_of_the_table(self) -> None:
        self.assertLessEqual(set(svg.HEADINGS), set(catalogue.ROWS))


class Markdown(unittest.TestCase):
    def setUp(self) -> None:
        self.lines = markdown.text(results()).splitlines()

    def test_each_row_of_loads_has_a_table_with_each_case(self) -> None:
        self.assertEqual([line for line in self.lines if line.startswith("**")],
                         [f"**{row.title}**" for row in (BASE, MOST_CONNECTIONS, ALL_NEW)])
        self.assertIn("| HAProxy | no | 12,345 | 10.0 | 0.50 | 1.00 | 2.00 | 3.00 | 20.0 |", self.lines)
        self.assertIn("| Antechamber | yes | 500 | 20.0 | 1.00 | 1.00 | 2.00 | 3.00 | 20.0 |", self.lines)

    def test_what_was_not_measured_has_no_figures(self) -> None:
        self.assertIn("| Envoy | no" + " | –" * 7 + " |", self.lines)
        self.assertIn("| another | – | ≤ 1 MB | **not measured** |", self.lines)

    def test_the_lines_of_a_table_have_as_many_cells(self) -> None:
        tables = "\n".join(self.lines).split("\n\n")
        for table in tables:
            rows = [line for line in table.splitlines() if line.startswith("|")]
            self.assertLessEqual(len({row.count("|") for row in rows}), 1)

    def test_versions_are_numbers(self) -> None:
        self.assertTrue(self.lines[0].endswith("; envoy 1.40.0, node 20.1.2."), self.lines[0])


if __name__ == "__main__":
    unittest.main()
