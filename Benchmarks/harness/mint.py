"""Keys, tokens and a certificate, from PyJWT and cryptography: not from the implementation under test."""

import datetime
import json
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

ISSUER = "https://issuer.example/"
AUDIENCE = "https://api.example.com"
_KEY_ID = "2f6c1e0b7a4d4c39"
_LIFETIME_SECONDS = 24 * 3600


@dataclass(frozen=True)
class Credentials:
    """The files that the proxies and wrk read, one good token, and bad ones by what is wrong with them.

    `tokens` has the file of each mode of load, with one token a line; `unknown` one with as many key IDs that no key
    set has."""

    jwks: Path
    public_key: Path
    certificate: Path
    certificate_key: Path
    # Both in one file.
    certificate_and_key: Path
    tokens: dict[str, Path]
    unknown: Path
    good: str
    bad: dict[str, str]


def credentials(directory: Path, count: int) -> Credentials:
    """Makes a fresh 2048-bit RSA key and `count` distinct tokens under it."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    made = Credentials(
        jwks=directory / "jwks.json",
        public_key=directory / "public.pem",
        certificate=directory / "certificate.pem",
        certificate_key=directory / "certificate.key",
        certificate_and_key=directory / "certificate-and-key.pem",
        tokens={mode: directory / f"{file}.tokens" for mode, file in
                {"plain": "one", "one": "one", "many": "many", "forged": "forged"}.items()},
        unknown=directory / "unknown.tokens",
        good=_token(key, 0),
        bad={
            "signed by another key": _token(rsa.generate_private_key(public_exponent=65537, key_size=2048), 0),
            "expired": _token(key, 0, age=2 * _LIFETIME_SECONDS),
            "for another audience": _token(key, 0, audience="https://other.example.com"),
            "of another issuer": _token(key, 0, issuer="https://other.example/"),
        },
    )
    jwk = {**RSAAlgorithm.to_jwk(key.public_key(), as_dict=True), "kid": _KEY_ID, "use": "sig", "alg": "RS256"}
    jwk.pop("key_ops", None)
    made.jwks.write_text(json.dumps({"keys": [jwk]}))
    made.public_key.write_bytes(
        key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    certificate, certificate_key = _certificate()
    made.certificate.write_bytes(certificate)
    made.certificate_key.write_bytes(certificate_key)
    made.certificate_key.chmod(0o600)
    made.certificate_and_key.write_bytes(certificate + certificate_key)
    many = [_token(key, number) for number in range(count)]
    _write(made.tokens["one"], [made.good])
    _write(made.tokens["many"], many)
    # A signature of another token is as much work to check as the right one.
    _write(made.tokens["forged"], [
        token.rpartition(".")[0] + "." + other.rpartition(".")[2] for token, other in zip(many, many[1:] + many[:1])
    ])
    _write(made.unknown, [
        ".".join([_encoded(_header(secrets.token_hex(8))),
                  token.split(".")[1], _encoded(secrets.token_bytes(256))])
        for token in many
    ])
    return made


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
