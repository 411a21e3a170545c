#!/usr/bin/env python3
"""Writes IndependentTokens.swift beside itself: tokens and keys made by joserfc, PyJWT and cryptography,
so that our JOSE code is not only in agreement with itself. Run again only to add cases: keys are made anew,
and every literal changes.

    pip install joserfc PyJWT cryptography
    python3 Tests/JOSEFixtures/generate.py
"""
import base64
import datetime
import hashlib
import json
import pathlib

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, hmac, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from joserfc import jws
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey


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
SECRET = "the shared secret of the tests, long enough for the longest hash"
secret_key = OctKey.import_key(SECRET.encode())
registry = jws.JWSRegistry(algorithms=[*keys, "HS256", "HS384", "HS512"])


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

shared = []
for name in ["HS256", "HS384", "HS512"]:
    header = {"alg": name, "typ": "at+jwt"}
    shared.append((f"{name} joserfc", name, jws.serialize_compact(header, PAYLOAD, secret_key, registry=registry)))
    shared.append((f"{name} PyJWT", name, jwt.encode(CLAIMS, SECRET, name, headers={"typ": "at+jwt", "kid": "k"})))

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
text = signing_input("PS512")
for label, salt in [("PS512 with a salt of 32 bytes", 32), ("PS512 with a salt of 63 bytes", 63)]:
    scheme = padding.PSS(padding.MGF1(hashes.SHA512()), salt)
    forged.append((label, token(text, private.sign(text.encode(), scheme, hashes.SHA512()))))
text = signing_input("EdDSA")
signature = keys["EdDSA"].private_key.sign(text.encode())
ORDER = 2**252 + 27742317777372353535851937790883648493  # RFC 8032 §5.1
s = int.from_bytes(signature[32:], "little")
forged.append(("EdDSA with S + L", token(text, signature[:32] + (s + ORDER).to_bytes(32, "little"))))
forged.append(("EdDSA of another message's hash", token(text, keys["EdDSA"].private_key.sign(hashlib.sha512(text.encode()).digest()))))
text = signing_input("ES256")
forged.append(("ES256 over SHA-512", token(text, b"".join(
    number.to_bytes(32, "big") for number in decode_dss_signature(
        keys["ES256"].private_key.sign(text.encode(), ec.ECDSA(hashes.SHA512())))))))
forged.append(("ES256 as DER", token(text, keys["ES256"].private_key.sign(text.encode(), ec.ECDSA(hashes.SHA256())))))

# Bleichenbacher's forgery of 2006: with e = 3 a cube root makes a signature out of nothing, if only what stands behind
# the digest is not looked at. No private key is used.
cubic = rsa.generate_private_key(3, 2048)
cubic_modulus = cubic.public_key().public_numbers().n
header = {"alg": "RS256", "typ": "at+jwt", "kid": "cubic"}
text = f"{b64(json.dumps(header, separators=(',', ':')).encode())}.{b64(PAYLOAD)}"
block = b"\0\1" + b"\xff" * 8 + b"\0" + PREFIX + hashlib.sha256(text.encode()).digest()
low = int.from_bytes(block.ljust(256, b"\0"), "big")
root = 1 << 700
while (better := (2 * root + low // root**2) // 3) < root:
    root = better
root += 1
assert pow(root, 3, cubic_modulus).to_bytes(256, "big").startswith(block)
cube_root_forgery = token(text, root.to_bytes(256, "big"))
cubic_key = {"kty": "RSA", "n": number(cubic_modulus), "e": number(3), "kid": "cubic"}
cubic_genuine = token(text, cubic.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256()))

# The public keys as others' tools write them to files.
Encoding, Format = serialization.Encoding, serialization.PublicFormat


def public_pem(key, format=Format.SubjectPublicKeyInfo):
    return key.private_key.public_key().public_bytes(Encoding.PEM, format).decode()


def certificate(key):
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "issuer.example")])
    day = datetime.datetime(2020, 1, 1)
    builder = x509.CertificateBuilder(name, name, key.private_key.public_key(), 1, day, day.replace(year=2021))
    return builder.sign(key.private_key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()


pems = {
    "rsaPublicPEM": public_pem(rsa_key),
    "rsaPKCS1PEM": public_pem(rsa_key, Format.PKCS1),
    "rsaCertificatePEM": certificate(rsa_key),
    "p256PublicPEM": public_pem(keys["ES256"]),
    "p256CertificatePEM": certificate(keys["ES256"]),
    "p384PublicPEM": public_pem(keys["ES384"]),
    "p521PublicPEM": public_pem(keys["ES512"]),
    "ed25519PublicPEM": public_pem(keys["EdDSA"]),
    "k256PublicPEM": ec.generate_private_key(ec.SECP256K1()).public_key().public_bytes(
        Encoding.PEM, Format.SubjectPublicKeyInfo).decode(),
    "smallPublicPEM": rsa.generate_private_key(65537, 1024).public_key().public_bytes(
        Encoding.PEM, Format.SubjectPublicKeyInfo).decode(),
}

# RS to HS confusion: the public key, in spellings that are at large, as the secret.
pem = private.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
confused = []
spellings = [("PEM", pem), ("trimmed PEM", pem.strip()), ("PKCS #1 PEM", pems["rsaPKCS1PEM"].encode())]
for label, secret in [*spellings, ("JWK", json.dumps(rsa_key.as_dict(private=False)).encode())]:
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
    "package enum IndependentTokens {",
    "    /// The public keys; each one's `kid` is its RFC 7638 thumbprint as joserfc computes it.",
    f"    package static let keySet = {literal(json.dumps({'keys': public}, separators=(',', ':')))}",
    f"    package static let claims = {literal(PAYLOAD.decode())}",
    "",
    "    /// What made it, algorithm, token.",
    "    package static let genuine: [(maker: String, algorithm: String, token: String)] = [",
    *[f"        ({literal(a)}, {literal(b)}, {literal(c)})," for a, b, c in genuine],
    "    ]",
    "",
    "    /// What HS256 and its like sign with; the tokens are over the same claims.",
    f"    package static let secret = {literal(SECRET)}",
    "    package static let shared: [(maker: String, algorithm: String, token: String)] = [",
    *[f"        ({literal(a)}, {literal(b)}, {literal(c)})," for a, b, c in shared],
    "    ]",
    "",
    "    /// Signed with the true private key, but not in the one way that the algorithm allows.",
    "    package static let forged: [(name: String, token: String)] = [",
    *[f"        ({literal(a)}, {literal(b)})," for a, b in forged],
    "    ]",
    "",
    "    /// HMACs with a public key as the secret.",
    "    package static let confused: [(name: String, token: String)] = [",
    *[f"        ({literal(a)}, {literal(b)})," for a, b in confused],
    "    ]",
    "",
]
lines += [
    "    /// A key with e = 3, a token of its own, and one signed without it: Bleichenbacher's forgery.",
    f"    package static let cubicKey = {literal(json.dumps(cubic_key, separators=(',', ':')))}",
    f"    package static let cubicGenuine = {literal(cubic_genuine)}",
    f"    package static let cubeRootForgery = {literal(cube_root_forgery)}",
    "",
]
for name, key in unusable.items():
    lines.append(f"    package static let {name}Key = {literal(json.dumps(key, separators=(',', ':')))}")
for name, key in [("rsa", private), ("p256", keys["ES256"].private_key), ("p384", keys["ES384"].private_key)]:
    pkcs8 = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    lines += [f'    package static let {name}PEM = """', *["        " + line for line in pkcs8.decode().splitlines()], '        """']
for name, pem in pems.items():
    lines += [f'    package static let {name} = """', *["        " + line for line in pem.splitlines()], '        """']
encrypted = private.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"secret"))
lines += ['    package static let encryptedPEM = """', *["        " + line for line in encrypted.decode().splitlines()], '        """', "}", ""]
target = pathlib.Path(__file__).resolve().parent / "IndependentTokens.swift"
target.write_text("\n".join(lines))
