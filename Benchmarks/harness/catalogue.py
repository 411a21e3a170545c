"""The proxies, the modes of load, and which pairs of them are measured."""

from dataclasses import dataclass

MODES = {
    "plain": "no token is looked at",
    "one": "one token, verified or remembered",
    "many": "distinct tokens in rotation",
}


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

    @property
    def modes(self) -> tuple[str, ...]:
        return ("one", "many") if self.authenticates else ("plain",)


@dataclass(frozen=True)
class Case:
    """A proxy under one mode of load: one line of the table."""

    proxy: Proxy
    mode: str

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

HAPROXY = Proxy("haproxy", "HAProxy", template="haproxy.cfg", authenticates=False, **_HAPROXY)
ANTECHAMBER = Proxy("antechamber", "Antechamber", "antechamber", "antechamber.conf",
                    ("{program}", "run", "--config", "{config}"), ("{program}", "--version"), True)
PROXIES = (
    HAPROXY,
    Proxy("nginx", "nginx", "nginx", "nginx.conf", _NGINX_COMMAND, ("{program}", "-v"), False),
    Proxy("envoy", "Envoy", template="envoy.yaml", authenticates=False, **_ENVOY),
    Proxy("haproxy-jwt", "HAProxy jwt_verify", template="haproxy-jwt.cfg", authenticates=True, **_HAPROXY),
    Proxy("envoy-jwt", "Envoy jwt_authn", template="envoy-jwt.yaml", authenticates=True, **_ENVOY),
    ANTECHAMBER,
)


def cases(names: list[str], modes: list[str]) -> list[Case]:
    """The lines to measure, in the order of the catalogue."""
    return [
        Case(proxy, mode) for proxy in PROXIES if proxy.name in names for mode in proxy.modes if mode in modes
    ]
