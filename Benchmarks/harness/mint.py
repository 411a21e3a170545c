"""Keys, tokens and a certificate, from PyJWT and cryptography: not from the implementation under test."""

import datetime
import json
import multiprocessing
import os
import secrets
import time
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from pathlib import Path

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID
from jwt.algorithms import RSAAlgorithm

from harness.catalogue import FORGED, MANY, NEW, ONE

ISSUER = "https://issuer.example/"
AUDIENCE = "https://api.example.com"
_KEY_ID = "2f6c1e0b7a4d4c39"
_LIFETIME_SECONDS = 24 * 3600
_TOKENS_OF_ONE_PROCESS = 1000


@dataclass(frozen=True)
class Credentials:
    """The files that the proxies and wrk read, one good token, and bad ones by what is wrong with them.

    `tokens` has the file of each kind, with one token a line; `unknown` one with as many key IDs that no key set
    has."""

    jwks: Path
    jwk: str
    public_key: Path
    certificate: Path
    certificate_key: Path
    # Both in one file.
    certificate_and_key: Path
    tokens: dict[str, Path]
    # How many of each kind there are.
    counts: dict[str, int]
    unknown: Path
    good: str
    bad: dict[str, str]


def credentials(directory: Path, count: int, new: int = 0) -> Credentials:
    """Makes a fresh 2048-bit RSA key and `count` distinct tokens under it, and `new` ones that are none of those."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    jwk = {**RSAAlgorithm.to_jwk(key.public_key(), as_dict=True), "kid": _KEY_ID, "use": "sig", "alg": "RS256"}
    jwk.pop("key_ops", None)
    made = Credentials(
        jwks=directory / "jwks.json",
        jwk=json.dumps(jwk),
        public_key=directory / "public.pem",
        certificate=directory / "certificate.pem",
        certificate_key=directory / "certificate.key",
        certificate_and_key=directory / "certificate-and-key.pem",
        tokens={kind: directory / f"{kind}.tokens" for kind in (ONE, MANY, NEW, FORGED)},
        counts={ONE: 1, MANY: count, NEW: new, FORGED: count},
        unknown=directory / "unknown.tokens",
        good=_token(key, 0),
        bad={
            "signed by another key": _token(rsa.generate_private_key(public_exponent=65537, key_size=2048), 0),
            "expired": _token(key, 0, age=2 * _LIFETIME_SECONDS),
            "for another audience": _token(key, 0, audience="https://other.example.com"),
            "of another issuer": _token(key, 0, issuer="https://other.example/"),
        },
    )
    made.jwks.write_text(json.dumps({"keys": [jwk]}))
    made.public_key.write_bytes(
        key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    certificate, certificate_key = _certificate()
    made.certificate.write_bytes(certificate)
    made.certificate_key.write_bytes(certificate_key)
    made.certificate_key.chmod(0o600)
    made.certificate_and_key.write_bytes(certificate + certificate_key)
    several = _tokens(key, count + new)
    many = several[:count]
    _write(made.tokens[ONE], [made.good])
    _write(made.tokens[MANY], many)
    _write(made.tokens[NEW], several[count:])
    # A signature of another token is as much work to check as the right one.
    _write(made.tokens[FORGED], [
        token.rpartition(".")[0] + "." + other.rpartition(".")[2] for token, other in zip(many, many[1:] + many[:1])
    ])
    _write(made.unknown, [
        ".".join([_encoded(_header(secrets.token_hex(8))),
                  token.split(".")[1], _encoded(secrets.token_bytes(256))])
        for token in many
    ])
    return made


def _tokens(key: rsa.RSAPrivateKey, count: int) -> list[str]:
    """Distinct ones. A signature takes most of a millisecond: all CPUs make them where there are many to make."""
    if count < _TOKENS_OF_ONE_PROCESS:
        return [_token(key, number) for number in range(count)]
    # The key cannot be sent to another process, and need not be: it is there already in what is forked.
    cpus = len(os.sched_getaffinity(0))
    with multiprocessing.get_context("fork").Pool(cpus, initializer=_keys.append, initargs=(key,)) as pool:
        return pool.map(_numbered_token, range(count), chunksize=500)


# Of a process that makes tokens: its one key.
_keys: list[rsa.RSAPrivateKey] = []


def _numbered_token(number: int) -> str:
    return _token(_keys[0], number)


def _certificate() -> tuple[bytes, bytes]:
    """A self-signed one for 127.0.0.1 and its P-256 key, as public authorities' are most of the time."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "antechamber benchmark")])
    now = datetime.datetime.now(datetime.timezone.utc)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(now + datetime.timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    return made.public_bytes(pem), key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def _write(file: Path, tokens: list[str]) -> None:
    file.write_text("".join(token + "\n" for token in tokens))


def _header(key_id: str) -> bytes:
    return json.dumps({"alg": "RS256", "kid": key_id, "typ": "JWT"}, separators=(",", ":")).encode()


def _encoded(part: bytes) -> str:
    return urlsafe_b64encode(part).decode().rstrip("=")


def _token(key: rsa.RSAPrivateKey, number: int, age: int = 0, issuer: str = ISSUER, audience: str = AUDIENCE) -> str:
    """An access token of about 800 bytes with the claims that hosted issuers put in. `aud` is a
    string, since HAProxy's documented check compares it as one."""
    issued = int(time.time()) - age
    claims = {
        "iss": issuer,
        "sub": f"auth0|{number:024x}",
        "aud": audience,
        "iat": issued,
        "exp": issued + _LIFETIME_SECONDS,
        "azp": "SDFWRGRRSFDF3214",
        "scope": "openid profile email read:orders",
        "https://example.com/claims": {"roles": ["editor", "viewer"]},
    }
    return jwt.encode(claims, key, algorithm="RS256", headers={"kid": _KEY_ID})
