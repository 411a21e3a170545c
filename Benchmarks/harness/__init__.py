"""Measures Antechamber beside HAProxy, nginx and Envoy; `Benchmarks/compare` is the way in.

A run is read from the top of `__main__.py`. One module holds one thing:

    options      the command line
    catalogue    the proxies, the modes of load, and which pairs of them are measured
    build        the release build of Antechamber
    mint         keys and tokens (the only module that is not the standard library alone)
    processes    starting, pinning, accounting and ending of processes
    bench        a directory, ports, configurations and the backend that all proxies share
    preflight    what must hold before a proxy is measured: good tokens pass, bad ones do not
    load         wrk
    rounds       one round of one case, and the interleaving of rounds
    machine      what the numbers were measured on
    report       medians, the table, the goals, JSON
"""


class Problem(Exception):
    """A run that cannot go on, with the sentence that tells the user why."""
