"""That transfers count bytes at the far end, that slow clients are kept up, and what the goals are held against."""

import argparse
import socket
import socketserver
import tempfile
import threading
import unittest
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from harness import Problem, drip, idle, options, sink, slow, transfers


@contextmanager
def serving(handler):
    """A server on a free port whose connections are handled by a function of the socket, or a handler of its own."""
    if not isinstance(handler, type):
        function = handler
        handler = type("Handler", (socketserver.BaseRequestHandler,), {"handle": lambda self: function(self.request)})
    with sink.Server(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


def head_of(connection: socket.socket) -> bytes:
    received = b""
    while b"\r\n\r\n" not in received:
        received += connection.recv(65536)
    return received


class Transfers(unittest.TestCase):
    size = 3 << 20

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.document = Path(folder.name) / "long"
        with self.document.open("wb") as file:
            file.truncate(self.size)

    def transfer(self, direction: str, port: int, size: int | None) -> float:
        return transfers.transfer(direction, port, self.document, "token", size)

    def test_an_upload_is_counted_by_the_sink(self) -> None:
        with serving(sink.Connection) as port:
            self.assertGreater(self.transfer("upload", port, self.size), 0)
            self.assertGreater(self.transfer("upload", port, None), 0)

    def test_an_upload_of_which_less_arrives_is_a_problem(self) -> None:
        def lose(connection: socket.socket) -> None:
            sink.discard(connection, self.size)
            connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n{"received":1}')

        with serving(lose) as port, self.assertRaisesRegex(Problem, "^1 bytes of 3145728 arrived"):
            self.transfer("upload", port, self.size)

    def test_a_download_is_counted_by_the_client(self) -> None:
        def answer(connection: socket.socket) -> None:
            self.assertIn(b"\r\nAuthorization: Bearer token\r\n", head_of(connection))
            connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % self.size + bytes(self.size))

        with serving(answer) as port:
            self.assertGreater(self.transfer("download", port, self.size), 0)

    def test_a_download_that_ends_early_or_is_no_200_is_a_problem(self) -> None:
        for answer, said in [
            (b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\nabc" % self.size, "^3 bytes of"),
            (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", "^3 bytes of"),
            (b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", "502 Bad Gateway"),
            (b"HTTP/1.1 200 OK\r\n", "ended early"),
        ]:
            def respond(connection: socket.socket, answer=answer) -> None:
                head_of(connection)
                connection.sendall(answer)

            with self.subTest(said), serving(respond) as port, self.assertRaisesRegex(Problem, said):
                self.transfer("download", port, self.size)


class SlowClients(unittest.TestCase):
    def test_each_sends_a_byte_and_one_that_is_closed_is_replaced(self) -> None:
        arrived: list[bytes] = []
        told = threading.Condition()

        def take(connection: socket.socket) -> None:
            with told:
                arrived.append(connection.recv(4096))
                first = len(arrived) == 1
                told.notify_all()
            while not first and connection.recv(4096):
                pass

        with serving(take) as port:
            clients = drip.Clients(port, 3)
            self.addCleanup(clients.close)
            clients.open(3)
            with told:
                self.assertTrue(told.wait_for(lambda: len(arrived) == 3, 10))
            while clients.replaced == 0:
                clients.replace_closed()
            with told:
                self.assertTrue(told.wait_for(lambda: len(arrived) == 4, 10))
            clients.drip(3)
            clients.close()
            self.assertEqual((clients.drips, clients.replaced), (3, 1))
            self.assertTrue(all(head.startswith(b"GET / HTTP/1.1\r\n") for head in arrived))
            self.assertFalse(any(b"\r\n\r\n" in head for head in arrived))


TRANSFER = transfers.Round(number=1, proxy="HAProxy", direction="download", bytes=1 << 30, seconds=1, cpu_seconds=1,
                           foreign_share=0, growth_bytes=0, faults=[])
IDLE = idle.Round(number=1, kind="silent", connections=10_000, before_bytes=0, growth_bytes=20_000_000,
                  foreign_share=0, faults=[])
SLOW = slow.Round(number=1, connections=10_000, p50_us=100, p99_us=200, p50_us_beside_slow=100,
                  p99_us_beside_slow=600, requests=1000, requests_beside_slow=1000, drips=1, replaced=1,
                  cpu_share_beside_slow=0.1, foreign_share=0, faults=[])


class Goals(unittest.TestCase):
    def test_a_transfer_is_held_against_that_of_haproxy_in_its_direction(self) -> None:
        ours = replace(TRANSFER, proxy="Antechamber")
        rounds = [TRANSFER, replace(ours, seconds=1 / 0.9), replace(ours, direction="upload")]
        down, up, growth = transfers.goals(rounds)
        self.assertAlmostEqual(down.value, 0.9)
        self.assertIsNone(up.value)
        self.assertEqual(growth.verdict, "met")

    def test_growth_is_the_largest_of_all_transfers(self) -> None:
        ours = replace(TRANSFER, proxy="Antechamber")
        growth = transfers.goals([ours, replace(ours, growth_bytes=8_100_000), replace(ours, growth_bytes=1)])[-1]
        self.assertEqual((growth.value, growth.verdict), (8.1, "not met"))

    def test_an_idle_connection_may_take_two_kilobytes_in_clear(self) -> None:
        asked = replace(IDLE, kind="after a request", growth_bytes=20_000_001)
        secure = replace(IDLE, kind="TLS", growth_bytes=1 << 40)
        self.assertEqual([goal.verdict for goal in idle.goals([IDLE, asked, secure])], ["not met", "met"])

    def test_a_round_with_faults_is_left_out(self) -> None:
        lost = replace(IDLE, growth_bytes=1 << 40, faults=["x"])
        self.assertEqual([goal.verdict for goal in idle.goals([IDLE, lost])], ["met"])
        self.assertEqual([goal.verdict for goal in slow.goals([replace(SLOW, faults=["x"])])], ["not measured"])

    def test_latency_is_held_against_that_without_slow_clients(self) -> None:
        self.assertEqual(slow.goals([SLOW])[0].verdict, "met")
        self.assertEqual(slow.goals([replace(SLOW, p99_us_beside_slow=601)])[0].verdict, "not met")

    def test_every_part_tells_of_rounds_of_which_none_counts(self) -> None:
        flags = argparse.Namespace(connections=10_000, seconds=5, size=1 << 30, rounds=1)
        for part, one in [(transfers, TRANSFER), (idle, IDLE), (slow, SLOW)]:
            self.assertIn("0/1", "\n".join(part.text([replace(one, faults=["x"])], flags)))
            self.assertIn("1/1", "\n".join(part.text([one], flags)))


class Sizes(unittest.TestCase):
    def test_a_size_is_a_number_with_a_power_of_1024(self) -> None:
        self.assertEqual([options.size(text) for text in ("5", "2k", "64m", "1g")], [5, 2048, 64 << 20, 1 << 30])
        for text in ("", "m", "0", "-1", "1t", "1.5g"):
            self.assertRaises(argparse.ArgumentTypeError, options.size, text)


if __name__ == "__main__":
    unittest.main()
