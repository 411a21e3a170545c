"""The proxies, the rows of the table, and which proxies are measured in which row."""

from dataclasses import dataclass

# Which tokens are sent.
ONE = "one"
MANY = "many"
NEW = "new"
FORGED = "forged"

# What the backend answers with: 12 bytes, and 64 KiB.
SMALL = "tiny"
LARGE = "64k"


@dataclass(frozen=True)
class Row:
    """What is asked of a proxy, and of how much of a proxy. Each row differs from the first in one respect."""

    name: str
    title: str
    # Keep-alive connections, unless it `closes`: each request then has a connection of its own.
    connections: int = 64
    closes: bool = False
    tokens: str = ONE
    body: str = SMALL
    # Workers or threads of the proxy, each with a core.
    workers: int = 1
    # A goal of `compare` is held against it.
    has_goal: bool = False


BASE = Row("base", "64 connections", has_goal=True)
MOST_CONNECTIONS = Row("c5000", "5,000 connections", connections=5000, has_goal=True)
ROTATION = Row("many", "tokens in rotation", tokens=MANY)
ALL_NEW = Row("new", "all tokens new", tokens=NEW, has_goal=True)
TLS = Row("tls", "TLS")
TWO_WORKERS = Row("workers", "two workers", workers=2, has_goal=True)
# Not of `compare`: tokens with the signature of another, and connections for one request with a whole TLS handshake.
REFUSALS = Row("forged", "forged tokens", tokens=FORGED)
HANDSHAKES = Row("handshakes", "TLS handshakes", closes=True)


@dataclass(frozen=True)
class Proxy:
    """One way to run one program. `command` starts it in the foreground; {program}, {config}, {directory}, {port}
    and {workers} are filled in, and so are the @NAMES@ of its template in Benchmarks/proxies, where it has one."""

    name: str
    title: str
    program: str
    template: str | None
    command: tuple[str, ...]
    version: tuple[str, ...]
    authenticates: bool
    # Clients speak TLS to it.
    tls: bool = False
    # It is no proxy: it answers by itself, and its CPU time is the backend's too.
    is_backend: bool = False

    @property
    def is_ours(self) -> bool:
        return self.program == "antechamber"


@dataclass(frozen=True)
class Case:
    """A proxy in a row: one line of the table."""

    proxy: Proxy
    row: Row

    @property
    def is_refused(self) -> bool:
        """Every request has to be."""
        return self.row.tokens == FORGED

    def __str__(self) -> str:
        return f"{self.proxy.title}, {self.row.title}"


_HAPROXY = {"program": "haproxy", "command": ("{program}", "-db", "-f", "{config}"), "version": ("{program}", "-v")}
_NGINX = {
    "program": "nginx", "command": ("{program}", "-p", "{directory}", "-e", "{directory}/error.log", "-c", "{config}"),
    "version": ("{program}", "-v"), "authenticates": False,
}
_ENVOY = {
    "program": "envoy",
    "command": ("{program}", "-c", "{config}", "--concurrency", "{workers}", "--disable-hot-restart", "-l", "error"),
    "version": ("{program}", "--version"),
}
_ANTECHAMBER = {
    "program": "antechamber", "command": ("{program}", "run", "--config", "{config}"),
    "version": ("{program}", "--version"), "authenticates": True,
}


def _node(name: str, title: str, verifies_with: str) -> Proxy:
    return Proxy(name, title, "node", "node.mjs", ("{program}", "{config}", verifies_with), ("{program}", "--version"),
                 authenticates=verifies_with != "none", is_backend=True)


BACKEND = Proxy("backend", "backend", template="backend.conf", **_NGINX)
# Takes long bodies, as nginx would answer before it has read them, or store them first.
SINK = Proxy("sink", "sink", "python", None, ("{program}", "-m", "harness.sink", "{port}"), (), False)
BACKENDS = (BACKEND, SINK)

HAPROXY = Proxy("haproxy", "HAProxy", template="haproxy.cfg", authenticates=False, **_HAPROXY)
HAPROXY_JWT = Proxy("haproxy-jwt", "HAProxy jwt_verify", template="haproxy-jwt.cfg", authenticates=True, **_HAPROXY)
NGINX = Proxy("nginx", "nginx", template="nginx.conf", **_NGINX)
ENVOY = Proxy("envoy", "Envoy", template="envoy.yaml", authenticates=False, **_ENVOY)
ENVOY_JWT = Proxy("envoy-jwt", "Envoy jwt_authn", template="envoy-jwt.yaml", authenticates=True, **_ENVOY)
APACHE = Proxy("apache", "Apache mod_oauth2", "apache2", "apache.conf", ("{program}", "-DFOREGROUND", "-f", "{config}"),
               ("{program}", "-v"), authenticates=True)
NODE = _node("node", "Node, no check", "none")
NODE_KEY = _node("node-key", "Node, KeyObject", "key")
NODE_PEM = _node("node-pem", "Node, PEM string", "pem")
ANTECHAMBER = Proxy("antechamber", "Antechamber", template="antechamber.conf", **_ANTECHAMBER)
# It remembers no token.
UNCACHED = Proxy("antechamber-uncached", "Antechamber, no cache", template="antechamber-uncached.conf", **_ANTECHAMBER)
# It fetches its keys from an issuer at ISSUER_PORT, for an unknown one not more often than each COOLDOWN.
FETCHING = Proxy("antechamber-fetching", "Antechamber", template="antechamber-fetching.conf", **_ANTECHAMBER)
# With a listener that speaks TLS.
HAPROXY_TLS = Proxy(
    "haproxy-tls", "HAProxy, TLS", template="haproxy-tls.cfg", authenticates=False, tls=True, **_HAPROXY)
ANTECHAMBER_TLS = Proxy(
    "antechamber-tls", "Antechamber, TLS", template="antechamber-tls.conf", tls=True, **_ANTECHAMBER)

_ANY_LOAD = (HAPROXY, NGINX, ENVOY, ANTECHAMBER)
# The table of `compare`. The proxies of a row are those to which what it varies makes a difference: who looks at no
# token is in no row of tokens. Node remembers none, so that one token or 20,000 are alike to it.
TABLE: dict[Row, tuple[Proxy, ...]] = {
    BASE: (HAPROXY, NGINX, ENVOY, HAPROXY_JWT, ENVOY_JWT, APACHE, NODE, NODE_KEY, NODE_PEM, ANTECHAMBER),
    Row("c1", "1 connection", connections=1): _ANY_LOAD,
    Row("c512", "512 connections", connections=512): _ANY_LOAD,
    MOST_CONNECTIONS: _ANY_LOAD,
    ROTATION: (HAPROXY_JWT, ENVOY_JWT, APACHE, ANTECHAMBER),
    ALL_NEW: (HAPROXY_JWT, ENVOY_JWT, APACHE, NODE_KEY, ANTECHAMBER),
    Row("64k", "64 KiB answers", body=LARGE): _ANY_LOAD,
    TLS: (HAPROXY_TLS, ANTECHAMBER_TLS),
    TWO_WORKERS: (HAPROXY, ENVOY, ANTECHAMBER),
}
ROWS = {row.name: row for row in TABLE}
PROXIES = {proxy.name: proxy for proxies in TABLE.values() for proxy in proxies}


def cases(names: list[str], rows: list[str]) -> list[Case]:
    """The lines to measure, in the order of the table."""
    return [
        Case(proxy, row)
        for row, proxies in TABLE.items() if row.name in rows
        for proxy in proxies if proxy.name in names
    ]
