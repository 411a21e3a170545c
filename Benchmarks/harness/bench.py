"""A directory, ports, configurations, and the backend that all proxies share."""

import http.client
import os
import re
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness import Problem, catalogue, mint
from harness.catalogue import BACKEND, BACKENDS, Proxy
from harness.processes import Cores, Processes, tree, wait_until

_TEMPLATES = Path(__file__).resolve().parent.parent / "proxies"
_START_SECONDS = 20
# Long enough for a spell in which the machine is not ours.
_ANSWER_SECONDS = 30
# Where Debian keeps them.
_APACHE_MODULES = "/usr/lib/apache2/modules"


@dataclass(frozen=True)
class Server:
    """A server that runs, and where it listens."""

    process: subprocess.Popen
    port: int
    # Whether clients speak TLS to it.
    tls: bool = False


class Bench:
    """Starts servers in one temporary directory, with the backend started first."""

    # Of the small answer.
    path = "/" + catalogue.SMALL

    def __init__(self, directory: Path, processes: Processes, cores: Cores, credentials: mint.Credentials,
                 programs: dict[str, Path]) -> None:
        self.processes = processes
        self.cores = cores
        self.credentials = credentials
        self._directory = directory
        self._programs = {"python": Path(sys.executable), **programs}
        # What the backend serves.
        self.documents = directory / "documents"
        self.documents.mkdir()
        (self.documents / catalogue.LARGE).write_bytes(b"x" * 65536)
        self.backend = self.start(BACKEND)
        self.expected_body = get(self.backend.port, self.path)[1]
        self.counts_requests = self.backend_requests() is not None

    def url(self, server: Server, body: str = catalogue.SMALL) -> str:
        """What is asked for through `server`."""
        return f"http{'s' if server.tls else ''}://127.0.0.1:{server.port}/{body}"

    def start(self, proxy: Proxy, backend: Server | None = None, workers: int = 1, **places: object) -> Server:
        """Starts one server on a free port, in front of the shared backend unless another one is given, and waits
        until it accepts connections. `places` fill in what its template has beside the usual."""
        command, port = self._prepared(proxy, backend, workers, places)
        server = self._begun(proxy, command, port, workers)
        wait_until(lambda: server.process.poll() is not None or _accepts(port), _START_SECONDS)
        self._check(proxy, server)
        return server

    def time_start(self, proxy: Proxy) -> tuple[float, float, Server]:
        """The same, with the moments just before its start and of the first connection that it accepted."""
        command, port = self._prepared(proxy, None, 1, {})
        began = time.monotonic()
        server = self._begun(proxy, command, port, 1)
        while not _accepts(port) and server.process.poll() is None and time.monotonic() < began + _START_SECONDS:
            time.sleep(0.0005)
        connected = time.monotonic()
        self._check(proxy, server)
        return began, connected, server

    def _prepared(self, proxy: Proxy, backend: Server | None, workers: int,
                  places: dict[str, object]) -> tuple[list[str], int]:
        directory = self._directory / proxy.name
        directory.mkdir(exist_ok=True)
        port = _free_port()
        words = {"program": self._programs[proxy.program], "directory": directory, "port": port,
                 "workers": workers}
        if proxy.template:
            words["config"] = directory / proxy.template
            words["config"].write_text(_filled(proxy.template, {
                **places,
                "PORT": port,
                "WORKERS": workers,
                "BACKEND_PORT": port if proxy in BACKENDS else (backend or self.backend).port,
                "DIRECTORY": directory,
                "DOCUMENTS": self.documents,
                "ISSUER": mint.ISSUER,
                "AUDIENCE": mint.AUDIENCE,
                "JWKS": self.credentials.jwks,
                "JWK": self.credentials.jwk,
                "APACHE_MODULES": _APACHE_MODULES,
                "PUBLIC_KEY": self.credentials.public_key,
                "CERTIFICATE": self.credentials.certificate,
                "CERTIFICATE_KEY": self.credentials.certificate_key,
                "CERTIFICATE_AND_KEY": self.credentials.certificate_and_key,
            }))
        return [word.format(**words) for word in proxy.command], port

    def _begun(self, proxy: Proxy, command: list[str], port: int, workers: int) -> Server:
        directory = self._directory / proxy.name
        with (directory / "output.log").open("wb") as log:
            cores = self.cores.for_workers(workers)
            # Antechamber has to raise its limit by itself.
            process = self.processes.start(
                command, cores.backend if proxy in BACKENDS else cores.proxy, many_files=not proxy.is_ours,
                stdout=log, stderr=log, cwd=directory)
            return Server(process, port, proxy.tls)

    def _check(self, proxy: Proxy, server: Server) -> None:
        process = server.process
        if process.poll() is not None or not _accepts(server.port):
            how = "does not listen" if process.poll() is None else f"ended with status {process.returncode}"
            self.processes.end(process)
            output = self._directory / proxy.name / "output.log"
            tail = "\n".join(output.read_text(errors="replace").splitlines()[-8:])
            raise Problem(f"{proxy.title} {how}: {' '.join(map(str, process.args))}\n{tail}".rstrip())

    def place_backend(self, cores: Cores) -> None:
        """Moves the shared backend, as two workers may need another place for it than one."""
        for pid in tree(self.backend.process.pid):
            os.sched_setaffinity(pid, cores.backend)

    @contextmanager
    def on_load_core(self) -> Iterator[None]:
        """For a stretch in which this process is itself the client."""
        allowed = os.sched_getaffinity(0)
        os.sched_setaffinity(0, self.cores.load)
        try:
            yield
        finally:
            os.sched_setaffinity(0, allowed)

    def backend_requests(self) -> int | None:
        """How many requests the backend has had, this one included; nil where nginx lacks stub_status."""
        status, body = get(self.backend.port, "/status")
        counters = re.search(rb"^\s*\d+\s+\d+\s+(\d+)\s*$", body, re.MULTILINE)
        return int(counters.group(1)) if status == 200 and counters else None


def get(port: int, path: str, token: str | None = None, tls: bool = False) -> tuple[int, bytes]:
    """One request on a connection of its own: the status and the body. Nobody asks whose certificate it is."""
    if tls:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=_ANSWER_SECONDS, context=context)
    else:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_ANSWER_SECONDS)
    try:
        fields = {"Host": "api.example.com"}
        if token is not None:
            fields["Authorization"] = "Bearer " + token
        connection.request("GET", path, headers=fields)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def _filled(template: str, values: dict[str, object]) -> str:
    text = (_TEMPLATES / template).read_text()
    return re.sub(r"@([A-Z_]+)@", lambda name: str(values[name.group(1)]), text)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    except OSError:
        return False
