"""What must hold before a proxy is measured: a check that refuses nothing is no check."""

import http.client

from harness import Problem
from harness.bench import Bench, get
from harness.catalogue import Proxy

_REFUSALS = (401, 403)


def check(bench: Bench, proxy: Proxy) -> None:
    """Raises unless the good token gets the backend's own body, and, of a proxy that authenticates,
    every bad one and its absence a refusal."""
    server = bench.start(proxy)
    try:
        status, body = _ask(proxy, server.port, bench.path, bench.credentials.good)
        if status != 200 or body != bench.expected_body:
            raise Problem(f"{proxy.title}: a good token gets {status} with {len(body)} bytes, not the backend's 200")
        if not proxy.authenticates:
            return
        for wrong, token in {"absent": None, **bench.credentials.bad}.items():
            status, _ = _ask(proxy, server.port, bench.path, token)
            if status not in _REFUSALS:
                raise Problem(f"{proxy.title}: a token that is {wrong} gets {status}, not a refusal")
    finally:
        bench.processes.end(server.process)


def _ask(proxy: Proxy, port: int, path: str, token: str | None) -> tuple[int, bytes]:
    try:
        return get(port, path, token, proxy.tls)
    except (OSError, http.client.HTTPException) as error:
        raise Problem(f"{proxy.title}: no answer to a request: {error!r}") from error
