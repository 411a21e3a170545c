"""What is said of a request's costs, how they are recorded, and whose code an instruction was."""

import contextlib
import io
import tempfile
import unittest
from collections import Counter
from pathlib import Path

from harness import Problem, callgrind, costs
from harness.callgrind import Function
from harness.costs import Cost, Record

RECORDED = Record("x86_64 Swift 6.3.1", {"plain": Cost(10_000, 0, 0), "logged": Cost(20_000, 4, 7)})


def measured(circumstances: str = RECORDED.circumstances, **changed: Cost) -> Record:
    return Record(circumstances, {**RECORDED.costs, **changed})


class Gate(unittest.TestCase):
    def verdict(self, now: Record) -> tuple[int, str]:
        said = io.StringIO()
        with contextlib.redirect_stderr(said):
            status = costs.judge(now, RECORDED)
        return status, said.getvalue()

    def test_what_is_as_recorded_passes_without_a_word(self) -> None:
        self.assertEqual(self.verdict(measured()), (0, ""))
        self.assertEqual(self.verdict(measured(plain=Cost(10_200, 0, 0), logged=Cost(19_600, 4, 7))), (0, ""))

    def test_more_than_two_per_cent_more_instructions_fail(self) -> None:
        status, said = self.verdict(measured(plain=Cost(10_201, 0, 0)))
        self.assertEqual(status, 1)
        self.assertIn("plain: 10201 instructions a request, 10000 recorded (+2.0%)", said)
        self.assertIn("--record", Path(costs.RECORD.parent.parent.parent / "CONTRIBUTING.md").read_text())

    def test_any_allocation_more_fails_be_it_one_in_a_thousand_requests(self) -> None:
        status, said = self.verdict(measured(plain=Cost(10_000, 0.001, 0)))
        self.assertEqual(status, 1)
        self.assertIn("plain: 0.001 allocations a request, 0 recorded", said)

    def test_of_openssl_s_allocations_the_first_fails_and_other_numbers_are_its_version_s(self) -> None:
        status, said = self.verdict(measured(plain=Cost(10_000, 0, 1)))
        self.assertEqual(status, 1)
        self.assertIn("plain: 1 allocations of OpenSSL's a request, where there were none", said)
        self.assertEqual(self.verdict(measured(logged=Cost(20_000, 4, 9))), (0, ""))

    def test_what_became_better_is_told_and_passes(self) -> None:
        status, said = self.verdict(measured(plain=Cost(9_799, 0, 0), logged=Cost(20_000, 3, 7)))
        self.assertEqual(status, 0)
        self.assertIn("plain: 9799 instructions a request, 10000 recorded (-2.0%): better", said)
        self.assertIn("logged: 3 allocations a request, 4 recorded: better", said)
        self.assertIn("scripts/costs --record", said)

    def test_one_better_case_does_not_make_up_for_a_worse_one(self) -> None:
        self.assertEqual(self.verdict(measured(plain=Cost(5_000, 0, 0), logged=Cost(21_000, 4, 7)))[0], 1)

    def test_a_case_that_is_not_recorded_fails_and_so_does_one_that_was_not_measured(self) -> None:
        status, said = self.verdict(measured(new=Cost(1, 0, 0)))
        self.assertEqual((status, "new is measured, and not recorded" in said), (1, True))
        status, said = self.verdict(Record(RECORDED.circumstances, {"plain": Cost(10_000, 0, 0)}))
        self.assertEqual((status, "logged is recorded, and was not measured" in said), (1, True))

    def test_with_another_compiler_or_architecture_allocations_alone_are_judged(self) -> None:
        status, said = self.verdict(measured("x86_64 Swift 6.4", plain=Cost(30_000, 0, 0)))
        self.assertEqual(status, 0)
        self.assertIn("instructions are not judged: this is x86_64 Swift 6.4", said)
        self.assertEqual(self.verdict(measured("aarch64 Swift 6.3.1", plain=Cost(10_000, 1, 0)))[0], 1)


class Records(unittest.TestCase):
    def test_a_record_reads_as_it_was_written(self) -> None:
        record = measured(often=Cost(1234, 0.25, 0))
        self.assertEqual(Record.parse(record.text()), record)

    def test_the_record_of_the_tree_has_the_base_case_without_an_allocation(self) -> None:
        record = Record.parse(costs.RECORD.read_text())
        base = record.costs["remembered"]
        self.assertEqual((base.allocations, base.openssl_allocations), (0, 0))
        self.assertTrue(record.circumstances)

    def test_a_line_that_is_none_is_named(self) -> None:
        for text in ("plain 10 0\n", "plain ten 0 0\n", "plain 1 0 0\nplain 1 0 0\n"):
            with self.assertRaisesRegex(Problem, f"line {text.count(chr(10))} of the record"):
                Record.parse(text)


DUMP = """\
# callgrind format
version: 1
events: Ir
positions: line
summary: 1

ob=(1) /somewhere/RequestBench
fl=(1) ???
fn=(1) $s7Gateway8ExchangeC6decideyyF
0 100
cob=(2) /lib/libcrypto.so.3
cfi=(2) ???
cfn=(2) SHA256_Update
calls=7 0
0 5000
+3 20
cfn=(3) $sSa6appendyyxnF8HTTPWire5FieldV_Tg5
calls=2 0
* 30

fn=(3)
0 30

ob=(2)
fn=(2)
0 5000

totals: 1
"""


class Callgrind(unittest.TestCase):
    def profile(self) -> callgrind.Profile:
        with tempfile.NamedTemporaryFile("w") as file:
            file.write(DUMP)
            file.flush()
            return callgrind.read(Path(file.name))

    def test_each_function_has_its_own_instructions_and_its_calls(self) -> None:
        profile, program, crypto = self.profile(), "/somewhere/RequestBench", "/lib/libcrypto.so.3"
        append = Function(program, "$sSa6appendyyxnF8HTTPWire5FieldV_Tg5")
        self.assertEqual(profile.instructions, Counter({
            Function(program, "$s7Gateway8ExchangeC6decideyyF"): 120, append: 30,
            Function(crypto, "SHA256_Update"): 5000}))
        self.assertEqual(profile.calls, Counter({Function(crypto, "SHA256_Update"): 7, append: 2}))

    def test_what_is_linked_in_is_ours_and_libraries_are_not(self) -> None:
        profile = self.profile()
        self.assertEqual(profile.by_module("RequestBench"), {"Gateway": 120, "HTTPWire": 30, "libcrypto": 5000})
        self.assertEqual(profile.own("RequestBench"), 150)

    def test_a_function_is_its_module_s_by_its_name(self) -> None:
        for name, module in {
            "$s10OpenSSLKit6SHA256C6digest2ofAA0C6DigestVs4SpanVys5UInt8VG_t": "OpenSSLKit",
            "$ss4SpanV8HTTPWires5UInt8VRszlE12firstControl4from4upToS2i_SitF": "HTTPWire",
            "$sSS9hasPrefixySbSSF": callgrind.RUNTIME,
            "swift_retain": callgrind.RUNTIME,
            "_dispatch_lane_invoke": callgrind.DISPATCH,
            "clinux_epoll_wait": callgrind.KERNEL,
            "epoll_wait": callgrind.BENCH,
        }.items():
            self.assertEqual(callgrind.module(Function("/x/RequestBench", name), "RequestBench"), module, name)
        for file, module in {"/lib/libc.so.6": "libc", "/lib/ld-linux-x86-64.so.2": "ld-linux-x86-64",
                             "/usr/lib/libswiftCore.so": callgrind.RUNTIME, "": "unknown"}.items():
            self.assertEqual(callgrind.module(Function(file, "memcpy"), "RequestBench"), module, file)


if __name__ == "__main__":
    unittest.main()
