"""A TLS client that is not ours: Python's own ssl, told step by step what to do.

    tls_client.py PLAN

PLAN is JSON: {"port", "context": {...}, "connections": [[step, ...], ...]}; each step is a list of a word and its
arguments (see the methods of Client). Prints a JSON list with what each connection came to.

context: "authority" (whom to believe; without it nobody is verified), "least" and "most" ("TLSv1.2"), "ciphers",
"protocols" (ALPN), "certificate" and "key".
"""

import hashlib
import json
import socket
import ssl
import sys

VERSIONS = {"TLSv1": ssl.TLSVersion.TLSv1, "TLSv1.1": ssl.TLSVersion.TLSv1_1, "TLSv1.2": ssl.TLSVersion.TLSv1_2,
            "TLSv1.3": ssl.TLSVersion.TLSv1_3}


def make_context(wanted):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if wanted.get("authority"):
        context.load_verify_locations(wanted["authority"])
    else:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if wanted.get("ciphers"):
        context.set_ciphers(wanted["ciphers"])
    if wanted.get("least"):
        context.minimum_version = VERSIONS[wanted["least"]]
    if wanted.get("most"):
        context.maximum_version = VERSIONS[wanted["most"]]
    if wanted.get("protocols"):
        context.set_alpn_protocols(wanted["protocols"])
    if wanted.get("certificate"):
        context.load_cert_chain(wanted["certificate"], wanted["key"])
    return context


class Client:
    """One connection. `result` is what is printed of it."""

    def __init__(self, port, context, session):
        self.context, self.session = context, session
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=40)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = None
        self.pending = b""
        self.piece = 0
        self.result = {"responses": []}

    # Steps.

    def raw(self, text):
        """Sends bytes that are not TLS's, in front of what comes next."""
        self.outgoing.write(text.encode("latin-1"))

    def pieces(self, count):
        """From here on, sends at most so many bytes at once."""
        self.piece = count

    def handshake(self, name="localhost"):
        self.tls = self.context.wrap_bio(self.incoming, self.outgoing, server_hostname=name, session=self.session)
        self.run(self.tls.do_handshake)
        certificate = self.tls.getpeercert(binary_form=True)
        self.result.update(version=self.tls.version(), cipher=self.tls.cipher()[0], resumed=self.tls.session_reused,
                           alpn=self.tls.selected_alpn_protocol(), certificate=hashlib.sha256(certificate).hexdigest())

    def send(self, text):
        data = text.encode("latin-1")
        while data:
            data = data[self.run(self.tls.write, data[:1 << 16]):]

    def half(self, text):
        """Sends the first half of a record."""
        self.tls.write(text.encode("latin-1"))
        record = self.outgoing.read()
        self.socket.sendall(record[:len(record) // 2])

    def send_big(self, count):
        self.send(big(count).decode("latin-1"))

    def response(self):
        """One response with a Content-Length, or without a body."""
        while b"\r\n\r\n" not in self.pending:
            self.fill("within a head")
        head, self.pending = self.pending.split(b"\r\n\r\n", 1)
        length = 0
        for line in head.split(b"\r\n")[1:]:
            name, value = line.split(b":", 1)
            if name.lower() == b"content-length":
                length = int(value)
        while len(self.pending) < length:
            self.fill("within a body")
        body, self.pending = self.pending[:length], self.pending[length:]
        shown = body.decode("latin-1") if length < 65536 else hashlib.sha256(body).hexdigest()
        self.result["responses"].append(head.decode("latin-1") + "\r\n\r\n" + shown)

    def bytes(self, count):
        while len(self.pending) < count:
            self.fill("within bytes")
        self.result["responses"].append(self.pending[:count].decode("latin-1"))
        self.pending = self.pending[count:]

    def rest(self):
        """All that comes until the server says that nothing follows."""
        while True:
            data = self.run(self.tls.read, 1 << 16)
            if not data:
                break
            self.pending += data
        self.result["responses"].append(self.pending.decode("latin-1"))

    def say_end(self):
        """close_notify; reading goes on."""
        try:
            self.tls.unwrap()
        except ssl.SSLWantReadError:
            pass
        self.flush()

    def cut(self):
        """The end of the connection, without a word of TLS."""
        self.socket.shutdown(socket.SHUT_WR)

    # How they are done.

    def run(self, call, *arguments):
        while True:
            try:
                value = call(*arguments)
                self.flush()
                return value
            except ssl.SSLWantReadError:
                self.flush()
                data = self.socket.recv(65536)
                if data:
                    self.incoming.write(data)
                else:
                    self.incoming.write_eof()
            except ssl.SSLZeroReturnError:
                # Both sides have said their ends.
                return b""
            except ssl.SSLError:
                self.flush()
                raise

    def flush(self):
        data = self.outgoing.read()
        step = self.piece or len(data)
        for start in range(0, len(data), step or 1):
            self.socket.sendall(data[start:start + step])

    def fill(self, where):
        data = self.run(self.tls.read, 1 << 16)
        if not data:
            raise EOFError("the server ended " + where)
        self.pending += data


def big(count):
    return bytes(range(251)) * (count // 251) + bytes(count % 251)


def main():
    plan = json.loads(sys.argv[1])
    context = make_context(plan["context"])
    session, results = None, []
    for steps in plan["connections"]:
        client = Client(plan["port"], context, session)
        try:
            for word, *arguments in steps:
                getattr(client, word)(*arguments)
            if plan.get("resumes"):
                session = client.tls.session
        except (OSError, EOFError) as error:
            client.result["error"] = f"{type(error).__name__}: {error}"
        client.socket.close()
        results.append(client.result)
    print(json.dumps(results))


main()
