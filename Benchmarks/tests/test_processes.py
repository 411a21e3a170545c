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


if __name__ == "__main__":
    unittest.main()
