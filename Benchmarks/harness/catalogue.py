"""The proxies, the modes of load, and which pairs of them are measured."""

from dataclasses import dataclass

MODES = {
    "plain": "no token is looked at",
    "one": "one token, verified or remembered",
    "many": "distinct tokens in rotation",
}
# Not for every proxy: the tokens of `many`, each with the signature of another.
FORGED = "forged"
# Not for every proxy either: the token of `one`, each request over a connection of its own with a whole handshake.
HANDSHAKES = "handshakes"


@dataclass(frozen=True)
class Proxy:
    """One way to run one program. `command` starts it in the foreground; {program}, {config}, {directory}
    and {port} are filled in, and so are the @NAMES@ of its template in Benchmarks/proxies, where it has one."""

    name: str
    title: str
    program: str
    template: str | None
    command: tuple[str, ...]
    version: tuple[str, ...]
    authenticates: bool
    # Clients speak TLS to it.
    tls: bool = False

    @property
    def modes(self) -> tuple[str, ...]:
        return ("one", "many") if self.authenticates else ("plain",)


@dataclass(frozen=True)
class Case:
    """A proxy under one mode of load: one line of the table."""

    proxy: Proxy
    mode: str

    @property
    def is_refused(self) -> bool:
        """Every request has to be."""
        return self.mode == FORGED

    @property
    def closes(self) -> bool:
        """Each request has a connection of its own."""
        return self.mode == HANDSHAKES

    @property
    def tokens(self) -> str:
        """Which of the files of tokens is sent."""
        return "one" if self.closes else self.mode

    def __str__(self) -> str:
        return f"{self.proxy.title}, {self.mode}"


_HAPROXY = {"program": "haproxy", "command": ("{program}", "-db", "-f", "{config}"), "version": ("{program}", "-v")}
_NGINX_COMMAND = ("{program}", "-p", "{directory}", "-e", "{directory}/error.log", "-c", "{config}")
_ENVOY = {
    "program": "envoy",
    "command": ("{program}", "-c", "{config}", "--concurrency", "1", "--disable-hot-restart", "-l", "error"),
    "version": ("{program}", "--version"),
}

BACKEND = Proxy("backend", "backend", "nginx", "backend.conf", _NGINX_COMMAND, ("{program}", "-v"), False)
# Takes long bodies, as nginx would answer before it has read them, or store them first.
SINK = Proxy("sink", "sink", "python", None, ("{program}", "-m", "harness.sink", "{port}"), (), False)
BACKENDS = (BACKEND, SINK)

_ANTECHAMBER = {
    "program": "antechamber", "command": ("{program}", "run", "--config", "{config}"),
    "version": ("{program}", "--version"), "authenticates": True,
}

HAPROXY = Proxy("haproxy", "HAProxy", template="haproxy.cfg", authenticates=False, **_HAPROXY)
HAPROXY_JWT = Proxy("haproxy-jwt", "HAProxy jwt_verify", template="haproxy-jwt.cfg", authenticates=True, **_HAPROXY)
ANTECHAMBER = Proxy("antechamber", "Antechamber", template="antechamber.conf", **_ANTECHAMBER)
# It remembers no token.
UNCACHED = Proxy("antechamber-uncached", "Antechamber, no cache", template="antechamber-uncached.conf", **_ANTECHAMBER)
# It fetches its keys from an issuer at ISSUER_PORT, for an unknown one not more often than each COOLDOWN.
FETCHING = Proxy("antechamber-fetching", "Antechamber", template="antechamber-fetching.conf", **_ANTECHAMBER)
# With a listener that speaks TLS.
HAPROXY_TLS = Proxy("haproxy-tls", "HAProxy, TLS", template="haproxy-tls.cfg", authenticates=False, tls=True, **_HAPROXY)
ANTECHAMBER_TLS = Proxy("antechamber-tls", "Antechamber, TLS", template="antechamber-tls.conf", tls=True, **_ANTECHAMBER)
PROXIES = (
    HAPROXY,
    Proxy("nginx", "nginx", "nginx", "nginx.conf", _NGINX_COMMAND, ("{program}", "-v"), False),
    Proxy("envoy", "Envoy", template="envoy.yaml", authenticates=False, **_ENVOY),
    HAPROXY_JWT,
    Proxy("envoy-jwt", "Envoy jwt_authn", template="envoy-jwt.yaml", authenticates=True, **_ENVOY),
    ANTECHAMBER,
)


def cases(names: list[str], modes: list[str]) -> list[Case]:
    """The lines to measure, in the order of the catalogue."""
    return [
        Case(proxy, mode) for proxy in PROXIES if proxy.name in names for mode in proxy.modes if mode in modes
    ]
