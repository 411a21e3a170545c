#!/usr/bin/env python3
"""Writes Tests/JOSETests/IndependentTokens.swift: tokens and keys made by joserfc, PyJWT and cryptography,
so that our JOSE code is not only in agreement with itself. Run again only to add cases: keys are made anew,
and every literal changes.

    pip install joserfc PyJWT cryptography
    python3 Tests/JOSEFixtures/generate.py
"""
import base64
import hashlib
import json
import pathlib

import jwt
from cryptography.hazmat.primitives import hashes, hmac, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from joserfc import jws
from joserfc.jwk import ECKey, OKPKey, RSAKey


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def number(value, length=None):
    return b64(value.to_bytes(length or (value.bit_length() + 7) // 8, "big"))


CLAIMS = {"iss": "https://issuer.example/", "aud": "https://api.example.com", "sub": "u1", "exp": 4102444800}
PAYLOAD = json.dumps(CLAIMS, separators=(",", ":")).encode()
RSA_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"]

rsa_key = RSAKey.generate_key(2048)
keys = {name: rsa_key for name in RSA_ALGORITHMS}
keys |= {
    "ES256": ECKey.generate_key("P-256"),
    "ES384": ECKey.generate_key("P-384"),
    "ES512": ECKey.generate_key("P-521"),
    "EdDSA": OKPKey.generate_key("Ed25519"),
}
registry = jws.JWSRegistry(algorithms=list(keys))


def signing_input(algorithm, **more):
    header = {"alg": algorithm, "typ": "at+jwt", "kid": keys.get(algorithm, rsa_key).thumbprint(), **more}
    return f"{b64(json.dumps(header, separators=(',', ':')).encode())}.{b64(PAYLOAD)}"


def token(text, signature):
    return f"{text}.{b64(signature)}"


genuine = []
for name, key in keys.items():
    header = {"alg": name, "typ": "at+jwt", "kid": key.thumbprint()}
    genuine.append((f"{name} joserfc", name, jws.serialize_compact(header, PAYLOAD, key, registry=registry)))
    header.pop("alg")
    genuine.append((f"{name} PyJWT", name, jwt.encode(CLAIMS, key.private_key, name, headers=header)))

# Forgeries: each signed with the true private key, but not in the algorithm's one way.
private = rsa_key.private_key
numbers = private.private_numbers()
modulus = numbers.public_numbers.n


def raw_rsa(block):
    return pow(int.from_bytes(block, "big"), numbers.d, modulus).to_bytes(256, "big")


def pkcs1(info, trailer=b"", block_type=1, fill=0xFF, length=256):
    pad = length - 3 - len(info) - len(trailer)
    return b"\0" + bytes([block_type]) + bytes([fill]) * pad + b"\0" + info + trailer


text = signing_input("RS256")
digest = hashlib.sha256(text.encode()).digest()
PREFIX = bytes.fromhex("3031300d060960864801650304020105000420")
forged = [
    ("RS256 without the NULL in DigestInfo", token(text, raw_rsa(pkcs1(bytes.fromhex("302f300b0609608648016503040201") + b"\x04\x20" + digest)))),
    ("RS256 with bytes behind the digest", token(text, raw_rsa(b"\0\1" + b"\xff" * 8 + b"\0" + PREFIX + digest + b"\0" * (256 - 11 - 51)))),
    ("RS256 with block type 2", token(text, raw_rsa(pkcs1(PREFIX + digest, block_type=2)))),
    ("RS256 with padding of zeros", token(text, raw_rsa(pkcs1(PREFIX + digest, fill=0)))),
    ("RS256 without DigestInfo", token(text, raw_rsa(pkcs1(digest)))),
    ("RS256 with SHA-1 inside", token(text, private.sign(text.encode(), padding.PKCS1v15(), hashes.SHA1()))),
    ("RS256 with SHA-384 inside", token(text, private.sign(text.encode(), padding.PKCS1v15(), hashes.SHA384()))),
    ("RS256 with PSS inside", token(text, private.sign(text.encode(), padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256()))),
    ("RS256 with a zero byte in front", token(text, b"\0" + private.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256()))),
    ("RS256 with s + n", token(text, (int.from_bytes(private.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256()), "big") + modulus).to_bytes(257, "big"))),
    ("RS256 with s = 0", token(text, bytes(256))),
    ("RS256 with s = 1", token(text, bytes(255) + b"\1")),
]
text = signing_input("PS256")
for label, scheme, digest_method in [
    ("PS256 without salt", padding.PSS(padding.MGF1(hashes.SHA256()), 0), hashes.SHA256()),
    ("PS256 with a salt of 20 bytes", padding.PSS(padding.MGF1(hashes.SHA256()), 20), hashes.SHA256()),
    ("PS256 with the longest salt", padding.PSS(padding.MGF1(hashes.SHA256()), 222), hashes.SHA256()),
    ("PS256 with MGF1 over SHA-1", padding.PSS(padding.MGF1(hashes.SHA1()), 32), hashes.SHA256()),
    ("PS256 with MGF1 over SHA-512", padding.PSS(padding.MGF1(hashes.SHA512()), 32), hashes.SHA256()),
    ("PS256 with SHA-384 inside", padding.PSS(padding.MGF1(hashes.SHA384()), 48), hashes.SHA384()),
    ("PS256 with PKCS #1 v1.5 inside", padding.PKCS1v15(), hashes.SHA256()),
]:
    forged.append((label, token(text, private.sign(text.encode(), scheme, digest_method))))
text = signing_input("ES256")
forged.append(("ES256 as DER", token(text, keys["ES256"].private_key.sign(text.encode(), ec.ECDSA(hashes.SHA256())))))

# RS to HS confusion: the public key, in spellings that are at large, as the secret.
pem = private.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
confused = []
for label, secret in [("PEM", pem), ("trimmed PEM", pem.strip()), ("JWK", json.dumps(rsa_key.as_dict(private=False)).encode())]:
    for algorithm, method in [("HS256", hashes.SHA256()), ("HS512", hashes.SHA512())]:
        text = signing_input(algorithm)
        mac = hmac.HMAC(secret, method)
        mac.update(text.encode())
        confused.append((f"{algorithm} with the {label}", token(text, mac.finalize())))

public = []
for key in {key.thumbprint(): key for key in keys.values()}.values():
    public.append({**key.as_dict(private=False), "kid": key.thumbprint(), "use": "sig"})

small = rsa.generate_private_key(65537, 1024).public_key().public_numbers()
large = rsa.generate_private_key(65537, 8200).public_key().public_numbers()
point = keys["ES256"].private_key.public_key().public_numbers()
off_curve = {"kty": "EC", "crv": "P-256", "x": number(point.x, 32), "y": number(point.y ^ 1, 32)}
unusable = {
    "small": {"kty": "RSA", "n": number(small.n), "e": "AQAB"},
    "large": {"kty": "RSA", "n": number(large.n), "e": "AQAB"},
    "offCurve": off_curve,
}


def literal(text):
    return '#"' + text + '"#'


lines = [
    "// Made by Tests/JOSEFixtures/generate.py with joserfc, PyJWT and cryptography. Not to be edited by hand.",
    "",
    "enum IndependentTokens {",
    "    /// The public keys; each one's `kid` is its RFC 7638 thumbprint as joserfc computes it.",
    f"    static let keySet = {literal(json.dumps({'keys': public}, separators=(',', ':')))}",
    f"    static let claims = {literal(PAYLOAD.decode())}",
    "",
    "    /// What made it, algorithm, token.",
    "    static let genuine: [(maker: String, algorithm: String, token: String)] = [",
    *[f"        ({literal(a)}, {literal(b)}, {literal(c)})," for a, b, c in genuine],
    "    ]",
    "",
    "    /// Signed with the true private key, but not in the one way that the algorithm allows.",
    "    static let forged: [(name: String, token: String)] = [",
    *[f"        ({literal(a)}, {literal(b)})," for a, b in forged],
    "    ]",
    "",
    "    /// HMACs with a public key as the secret.",
    "    static let confused: [(name: String, token: String)] = [",
    *[f"        ({literal(a)}, {literal(b)})," for a, b in confused],
    "    ]",
    "",
]
for name, key in unusable.items():
    lines.append(f"    static let {name}Key = {literal(json.dumps(key, separators=(',', ':')))}")
for name, key in [("rsa", private), ("p256", keys["ES256"].private_key), ("p384", keys["ES384"].private_key)]:
    pkcs8 = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    lines += [f'    static let {name}PEM = """', *["        " + line for line in pkcs8.decode().splitlines()], '        """']
encrypted = private.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"secret"))
lines += ['    static let encryptedPEM = """', *["        " + line for line in encrypted.decode().splitlines()], '        """', "}", ""]
target = pathlib.Path(__file__).resolve().parent.parent / "JOSETests" / "IndependentTokens.swift"
target.write_text("\n".join(lines))
