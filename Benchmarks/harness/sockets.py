"""Many connections from one process."""

import os
import resource
import socket
import ssl

from harness import Problem

# ip(7): the port is chosen at connect, when the peer is known, and can then be one that is in use towards another.
_IP_BIND_ADDRESS_NO_PORT = 24
# What the process needs beside its connections.
_OTHER_DESCRIPTORS = 100
_CONNECTIONS_PER_ADDRESS = 4000
_CONTEXT = ssl.create_default_context()
_CONTEXT.check_hostname = False
_CONTEXT.verify_mode = ssl.CERT_NONE


def raise_descriptor_limit(connections: int) -> None:
    """Lets this process hold that many connections. What it starts gets the limit that it was itself started with:
    a proxy has to raise its own."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = connections + _OTHER_DESCRIPTORS
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise Problem(f"this session may open {hard} files; for {connections} connections it takes {needed} "
                      "(ulimit -Hn, or ask for fewer with --connections)")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, needed), hard))


def connect(port: int, index: int) -> socket.socket:
    """Connection number `index`. They come from several addresses of loopback, as one has ports for 28,000."""
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.IPPROTO_IP, _IP_BIND_ADDRESS_NO_PORT, 1)
        made.bind((f"127.0.0.{2 + index // _CONNECTIONS_PER_ADDRESS % 250}", 0))
        made.settimeout(5)
        made.connect(("127.0.0.1", port))
    except BaseException:
        made.close()
        raise
    return made


def within_tls(connection: socket.socket) -> ssl.SSLSocket:
    """A whole handshake over it. Nobody asks whose certificate it is."""
    return _CONTEXT.wrap_socket(connection)


def open_descriptors(pid: int) -> int:
    """How many descriptors a process has open."""
    return len(os.listdir(f"/proc/{pid}/fd"))
