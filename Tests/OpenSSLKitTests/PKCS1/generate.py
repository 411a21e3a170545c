#!/usr/bin/env python3
"""Writes signatures.json beside itself: RSASSA-PKCS1-v1_5 signatures (RFC 8017 section 8.2), good ones and ones over
encoded messages that a lenient verifier has been known to take. Each is made with the private key by plain arithmetic, so
that nothing but the encoding is wrong with it. Run again only to add cases: keys are made anew.

    pip install cryptography
    python3 Tests/OpenSSLKitTests/PKCS1/generate.py
"""
import hashlib
import json
import pathlib

from cryptography.hazmat.primitives.asymmetric import rsa

MESSAGE = b"header.payload"
OIDS = {"sha256": "608648016503040201", "sha384": "608648016503040202", "sha512": "608648016503040203"}
SIZE = 256


def digest_info(name, parameters="0500"):
    digest = hashlib.new(name, MESSAGE).digest()
    oid = bytes.fromhex("0609" + OIDS[name])
    algorithm = oid + bytes.fromhex(parameters)
    body = bytes([0x30, len(algorithm)]) + algorithm + bytes([0x04, len(digest)]) + digest
    return bytes([0x30, len(body)]) + body


def encoded(suffix, *, first=0, kind=1, filling=0xFF, separator=0, behind=b""):
    free = SIZE - 3 - len(suffix) - len(behind)
    return bytes([first, kind]) + bytes([filling]) * free + bytes([separator]) + suffix + behind


class Key:
    def __init__(self, exponent):
        # With an exponent that the library makes no keys for: its primes, if they go with it.
        while True:
            numbers = rsa.generate_private_key(public_exponent=3 if exponent == 3 else 65537, key_size=2048).private_numbers()
            phi = (numbers.p - 1) * (numbers.q - 1)
            try:
                self.d = pow(exponent, -1, phi)
                break
            except ValueError:
                continue
        self.n, self.e = numbers.public_numbers.n, exponent

    def sign(self, message):
        return pow(int.from_bytes(message, "big"), self.d, self.n).to_bytes(SIZE, "big").hex()


def good(key):
    return {name: key.sign(encoded(digest_info(name))) for name in OIDS}


def forged(key):
    info = digest_info("sha256")
    digest = hashlib.sha256(MESSAGE).digest()
    oid = bytes.fromhex("0609" + OIDS["sha256"])
    right = key.sign(encoded(info))
    above = int(right, 16) + key.n
    cases = {
        "the parameters are missing": key.sign(encoded(digest_info("sha256", parameters=""))),
        "the parameters hold bytes": key.sign(encoded(digest_info("sha256", parameters="0402ffff"))),
        "the length is in its long form": key.sign(encoded(
            bytes.fromhex("308131300d") + oid + bytes.fromhex("05000420") + digest)),
        "the digest is there without a DigestInfo": key.sign(encoded(digest)),
        "another hash is named": key.sign(encoded(info.replace(oid, bytes.fromhex("0609" + OIDS["sha512"])))),
        "bytes stand behind the digest": key.sign(encoded(info, behind=bytes(8))),
        "short padding, and bytes behind the digest": key.sign(
            b"\0\1" + b"\xff" * 8 + b"\0" + info + b"\x5a" * (SIZE - 11 - len(info))),
        "one byte of the padding is another": key.sign(encoded(info)[:100] + b"\xfe" + encoded(info)[101:]),
        "the padding is of type 2": key.sign(encoded(info, kind=2)),
        "the padding is of type 0": key.sign(encoded(info, kind=0, filling=0)),
        "the separator is missing": key.sign(encoded(info, separator=0xFF)),
        "the first byte is not zero": key.sign(encoded(info, first=1)) if key.n >> (8 * SIZE - 7) else None,
        "it is over another message": key.sign(encoded(digest_info("sha256"))[:-1] + b"\0"),
        "it is zero": bytes(SIZE).hex(),
        "it is one": (1).to_bytes(SIZE, "big").hex(),
        "it is the modulus": f"{key.n:0{2 * SIZE}x}",
        "it is the modulus less one": f"{key.n - 1:0{2 * SIZE}x}",
        "it is a good one, and the modulus more": f"{above:0{2 * SIZE}x}" if above < 1 << (8 * SIZE) else None,
    }
    return {name: value for name, value in cases.items() if value}


# 65539 has a bit set between its first and its last; 4294967297 has as many bits as are taken.
keys = [Key(exponent) for exponent in (3, 65537, 65539, 4294967297)]
pathlib.Path(__file__).with_name("signatures.json").write_text(json.dumps({
    "message": MESSAGE.decode(),
    "keys": [{"modulus": f"{key.n:x}", "exponent": f"{key.e:010x}", "good": good(key),
              "forged": forged(key) if key.e in (3, 65537) else {}} for key in keys],
}, indent=1) + "\n")
