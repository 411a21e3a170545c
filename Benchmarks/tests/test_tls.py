"""What the goals of `tls` are held against, and that its handshakes are whole ones."""

import tempfile
import unittest
from pathlib import Path

from cryptography import x509

from harness import mint, report, tls
from tests.test_report import measured_round


class Goals(unittest.TestCase):
    def verdicts(self, ours: float, our_handshakes: float) -> list[str]:
        return [goal.verdict for goal in tls.held_against({
            tls.THEIRS: report.medians([measured_round(20)]),
            tls.OURS: report.medians([measured_round(ours)]),
            tls.THEIR_HANDSHAKES: report.medians([measured_round(180)]),
            tls.OUR_HANDSHAKES: report.medians([measured_round(our_handshakes)]),
        })]

    def test_requests_are_held_against_requests_and_handshakes_against_handshakes(self) -> None:
        self.assertEqual(self.verdicts(22, 200), ["met", "met"])
        self.assertEqual(self.verdicts(22.1, 200.5), ["not met", "not met"])

    def test_what_was_not_measured_is_neither(self) -> None:
        self.assertEqual({goal.verdict for goal in tls.held_against({tls.OURS: None})}, {"not measured"})


class Cases(unittest.TestCase):
    def test_each_handshake_sends_the_one_token_over_a_connection_of_its_own(self) -> None:
        for case in (tls.THEIR_HANDSHAKES, tls.OUR_HANDSHAKES):
            self.assertTrue(case.row.closes and case.proxy.tls)
            self.assertEqual(case.row.tokens, "one")
        self.assertFalse(tls.OURS.row.closes or tls.THEIRS.row.closes)

    def test_the_certificate_and_its_key_are_in_one_file_too(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            made = mint.credentials(Path(folder), 1)
            both = made.certificate_and_key.read_bytes()
            self.assertEqual(both, made.certificate.read_bytes() + made.certificate_key.read_bytes())
            self.assertEqual(x509.load_pem_x509_certificate(both).version, x509.Version.v3)


if __name__ == "__main__":
    unittest.main()
