"""Measures Antechamber beside other proxies, and against its own goals.

A command of the folder above is a module here, and is read from the top of it:

    compare      Antechamber beside other proxies, and a backend that verifies for itself, in a table of loads
    plot         what compare measured, for pages: `svg` and `markdown` write it
    wire         long bodies, idle connections and slow clients: `transfers`, `idle` and `slow` are its parts
    tokens       verifying and refusing tokens: `verification`, `rotation` and `flood` are its parts
    costs        what a request costs in instructions and allocations, for scripts/costs

One module holds one thing:

    parts        a run of several parts
    command      what every command does around its own work
    options      the command line
    catalogue    the proxies, the rows of loads, and which proxies are measured in which row
    build        finding the programs, and the release build of Antechamber
    mint         keys and tokens (the only module that is not the standard library alone)
    processes    starting, pinning, accounting and ending of processes
    bench        a directory, ports, configurations and the backend that all proxies share
    preflight    what must hold before a proxy is measured: good tokens pass, bad ones do not
    load         wrk
    sockets      many connections from one process
    issuer       key sets over HTTP, with a count
    callgrind    whose code the instructions are that valgrind counted
    drip, sink   slow clients, and a backend that takes long bodies: processes of their own
    rounds       one round of one case, and the interleaving of rounds
    machine      what the numbers were measured on
    report       what rounds of load come to: medians, the table, JSON
    goals        what Antechamber sets out to reach
    table        columns of text
"""


class Problem(Exception):
    """A run that cannot go on, with the sentence that tells the user why."""
