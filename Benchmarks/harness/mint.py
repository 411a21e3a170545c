"""Keys and tokens, from PyJWT and cryptography: not from the implementation under test."""

import json
import time
from dataclasses import dataclass
from pathlib import Path

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

ISSUER = "https://issuer.example/"
AUDIENCE = "https://api.example.com"
_KEY_ID = "2f6c1e0b7a4d4c39"
_LIFETIME_SECONDS = 24 * 3600


@dataclass(frozen=True)
class Credentials:
    """The files that the proxies and wrk read, one good token, and bad ones by what is wrong with them."""

    jwks: Path
    public_key: Path
    one: Path
    many: Path
    good: str
    bad: dict[str, str]


def credentials(directory: Path, count: int) -> Credentials:
    """Makes a fresh 2048-bit RSA key and `count` distinct tokens under it, one token a line."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    made = Credentials(
        jwks=directory / "jwks.json",
        public_key=directory / "public.pem",
        one=directory / "one.tokens",
        many=directory / "many.tokens",
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
    made.one.write_text(made.good + "\n")
    made.many.write_text("".join(_token(key, number) + "\n" for number in range(count)))
    return made


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
