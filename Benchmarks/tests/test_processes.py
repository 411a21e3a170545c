"""Who gets which core."""

import os
import unittest
from unittest import mock

from harness import processes


class Placement(unittest.TestCase):
    def placed(self, cpus: int, workers: int) -> processes.Cores:
        with mock.patch.object(os, "sched_getaffinity", return_value=set(range(cpus))):
            return processes.choose_cores().for_workers(workers)

    def test_one_worker_has_a_core_that_nothing_else_of_the_run_uses(self) -> None:
        for cpus in (2, 3, 4, 64):
            cores = self.placed(cpus, 1)
            self.assertEqual((cores.proxy, cores.load, cores.backend), ({0}, {1}, {1}))
            self.assertTrue(cores.apart)

    def test_two_workers_have_two_where_wrk_and_the_backend_have_one_each(self) -> None:
        cores = self.placed(4, 2)
        self.assertEqual((len(cores.proxy), len(cores.load), len(cores.backend)), (2, 1, 1))
        self.assertEqual(cores.proxy | cores.load | cores.backend, {0, 1, 2, 3})
        self.assertTrue(cores.apart)

    def test_with_too_few_cpus_everything_shares_the_first_two(self) -> None:
        for cpus in (2, 3):
            cores = self.placed(cpus, 2)
            self.assertEqual((cores.proxy, cores.load, cores.backend), ({0, 1},) * 3)
            self.assertFalse(cores.apart)

    def test_one_cpu_is_for_everything(self) -> None:
        for workers in (1, 2):
            cores = self.placed(1, workers)
            self.assertEqual((cores.proxy, cores.load, cores.backend), ({0},) * 3)
            self.assertFalse(cores.apart)


class Others(unittest.TestCase):
    def others(self, cores: processes.Cores, backend: list[int] | None) -> float:
        """In a second in which the proxy used 0.5 s of its cores, the backend 0.25 s, wrk 0.5 s, and something else
        0.125 s."""
        together = cores.proxy & cores.load
        busy = [10, 10 + (1.375 if together else 0.625)]
        cpu = {1: iter([3, 3.5]), 2: iter([7, 7.25])}
        ended = iter([mock.Mock(ru_utime=1, ru_stime=0), mock.Mock(ru_utime=1.25, ru_stime=0.25)])
        with mock.patch.multiple(
            processes, busy_seconds=mock.Mock(side_effect=busy), cpu_seconds=lambda pids: next(cpu[pids[0]]),
            resource=mock.Mock(getrusage=lambda _: next(ended)), time=mock.Mock(monotonic=mock.Mock(side_effect=[5, 6])),
        ):
            used, others = processes.Meter([1], cores, backend).read()
        self.assertEqual(used, 0.5)
        return others

    def test_the_load_side_is_none_of_them_wherever_it_runs(self) -> None:
        apart = processes.Cores(frozenset({0}), frozenset({1}), frozenset({1}))
        together = processes.Cores(*[frozenset({0, 1})] * 3)
        self.assertEqual(self.others(apart, [2]), 0.125)
        self.assertEqual(self.others(apart, None), 0.125)
        self.assertEqual(self.others(together, [2]), 0.125)
        self.assertEqual(self.others(together, None), 0)


if __name__ == "__main__":
    unittest.main()
