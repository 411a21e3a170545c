"""What the floods are made of, how fetches are counted, and what the goals are held against."""

import argparse
import json
import tempfile
import unittest
import urllib.request
from dataclasses import replace
from pathlib import Path

import jwt

from harness import flood, issuer, mint, rotation, verification
from tests.test_report import measured_round


class Tokens(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.made = mint.credentials(Path(folder.name), 3)
        cls.key = jwt.PyJWK(json.loads(cls.made.jwks.read_text())["keys"][0])

    def lines(self, file: Path) -> list[str]:
        return file.read_text().splitlines()

    def check(self, token: str) -> dict:
        return jwt.decode(token, self.key, algorithms=["RS256"], audience=mint.AUDIENCE, issuer=mint.ISSUER)

    def test_good_ones_are_good_and_distinct(self) -> None:
        many = self.lines(self.made.tokens["many"])
        self.assertEqual(len({self.check(token)["sub"] for token in many}), 3)
        self.assertEqual([self.made.good], self.lines(self.made.tokens["one"]))

    def test_a_forged_one_is_good_but_for_its_signature_which_is_another_s(self) -> None:
        many, forged = (self.lines(self.made.tokens[mode]) for mode in ("many", "forged"))
        self.assertEqual([token.rpartition(".")[0] for token in many], [token.rpartition(".")[0] for token in forged])
        self.assertEqual({token.rpartition(".")[2] for token in many}, {token.rpartition(".")[2] for token in forged})
        for token in forged:
            self.assertRaises(jwt.InvalidSignatureError, self.check, token)

    def test_new_ones_are_none_of_the_others_however_many_processes_made_them(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            made = mint.credentials(Path(folder), 600, new=600)
            key = jwt.PyJWK(json.loads(made.jwk))
            several = [token for kind in ("many", "new") for token in self.lines(made.tokens[kind])]
        subjects = {jwt.decode(token, key, algorithms=["RS256"], audience=mint.AUDIENCE)["sub"] for token in several}
        self.assertEqual(len(subjects), 1200)
        self.assertEqual((made.counts["many"], made.counts["new"]), (600, 600))

    def test_a_made_up_key_id_is_each_token_s_own_and_nobody_s(self) -> None:
        unknown = self.lines(self.made.unknown)
        self.assertEqual(len({jwt.get_unverified_header(token)["kid"] for token in unknown} - {self.key.key_id}), 3)
        self.assertEqual({len(token) for token in unknown}, {len(self.made.good)})


class Issuer(unittest.TestCase):
    def test_each_request_is_noted_and_answered_with_the_keys(self) -> None:
        with tempfile.NamedTemporaryFile() as file:
            file.write(b'{"keys":[]}')
            file.flush()
            with issuer.serving(Path(file.name)) as asked:
                for count in (1, 2):
                    with urllib.request.urlopen(f"http://127.0.0.1:{asked.port}/jwks.json", timeout=10) as answer:
                        self.assertEqual(answer.read(), b'{"keys":[]}')
                    self.assertEqual(len(asked.fetches), count)

    def test_fetches_are_counted_in_the_fullest_window(self) -> None:
        asked = issuer.Issuer(0, [1, 10, 12, 13.5, 14])
        self.assertEqual(asked.most_within(2, since=5), 2)
        self.assertEqual(asked.most_within(2.1, since=5), 3)
        self.assertEqual(asked.most_within(100, since=0), 5)
        self.assertEqual(asked.most_within(2, since=20), 0)


FLOOD = flood.Round(number=1, p50_us=100, p99_us=200, p50_us_in_flood=100, p99_us_in_flood=400,
                    requests_per_second=1000, requests_per_second_in_flood=1000, flood_per_second=10_000, fetches=3,
                    fetches_a_cooldown=1, cpu_share_in_flood=0.2, foreign_share=0, faults=[])
PATH = verification.Round(number=1, nanoseconds={"bare": 1000, "hashed": 1050, "path": 1150, "forged": 1150,
                                                 "few": 500, "many": 1500}, foreign_share=0, faults=[])


class Goals(unittest.TestCase):
    def test_a_flood_is_held_against_the_round_without_it_and_its_worst_window(self) -> None:
        self.assertEqual([goal.verdict for goal in flood.goals([FLOOD])], ["met", "met"])
        self.assertEqual([goal.verdict for goal in flood.goals([replace(FLOOD, p99_us_in_flood=401), FLOOD, FLOOD])],
                         ["met", "met"])
        self.assertEqual([goal.verdict for goal in flood.goals([FLOOD, replace(FLOOD, fetches_a_cooldown=2), FLOOD])],
                         ["met", "not met"])
        self.assertEqual({goal.verdict for goal in flood.goals([replace(FLOOD, faults=["x"])])}, {"not measured"})

    def test_the_path_is_held_against_the_bare_signature(self) -> None:
        self.assertEqual([goal.verdict for goal in verification.goals([PATH])], ["met"] * 3)
        slower = replace(PATH, nanoseconds={**PATH.nanoseconds, "path": 1160, "forged": 1170, "many": 1501})
        self.assertEqual([goal.verdict for goal in verification.goals([slower])], ["not met"] * 3)

    def test_rotations_are_held_against_jwt_verify_and_one_another(self) -> None:
        rounds = [
            rotation.Round(str(case), measured_round(cpu))
            for case, cpu in {
                rotation.THEIRS: 100, rotation.UNCACHED: 80, rotation.CACHED: 51, rotation.FORGED: 81,
            }.items()
        ]
        self.assertEqual([goal.verdict for goal in rotation.goals(rounds)], ["met", "not met", "not met"])
        self.assertEqual({goal.verdict for goal in rotation.goals(rounds[1:2])}, {"not measured"})

    def test_every_part_has_a_table(self) -> None:
        flags = argparse.Namespace(seconds=4, cooldown=2, rounds=1, tokens=20_000)
        self.assertIn("0/1", flood.text([replace(FLOOD, faults=["x"])], flags)[-1])
        self.assertIn("10,000", "\n".join(flood.text([FLOOD], flags)))
        self.assertIn("1.150 ×", "\n".join(verification.text([PATH], flags)))
        turn = rotation.Round(str(rotation.UNCACHED), measured_round(9))
        self.assertIn("no cache", "\n".join(rotation.text([turn], flags)))


if __name__ == "__main__":
    unittest.main()
