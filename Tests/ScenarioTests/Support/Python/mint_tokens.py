"""Tokens of every algorithm, by a JOSE implementation that is not ours.

    mint_tokens.py {joserfc|PyJWT} ISSUER AUDIENCE

Prints one JSON object: "keys", the JWK set as text, and "tokens", from algorithm to token.
"""

import json
import sys
import time

ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
CURVES = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}


def claims(issuer, audience):
    now = int(time.time())
    return {"iss": issuer, "aud": [audience, "https://userinfo.example.com"], "sub": "auth0|alice",
            "iat": now, "nbf": now, "exp": now + 3600, "azp": "SDFWRGRRSFDF3214", "scope": "read:orders"}


def key_id(algorithm):
    return "rsa" if algorithm[:2] in ("RS", "PS") else algorithm


def with_joserfc(payload):
    from joserfc import jwt
    from joserfc.jwk import ECKey, OKPKey, RSAKey

    keys, tokens = {}, {}
    for algorithm in ALGORITHMS:
        kid = key_id(algorithm)
        if kid not in keys:
            named = {"kid": kid, "use": "sig"}
            if kid == "rsa":
                keys[kid] = RSAKey.generate_key(2048, named)
            elif algorithm == "EdDSA":
                keys[kid] = OKPKey.generate_key("Ed25519", named)
            else:
                keys[kid] = ECKey.generate_key(CURVES[algorithm], named)
        header = {"alg": algorithm, "kid": kid, "typ": "JWT"}
        tokens[algorithm] = jwt.encode(header, payload, keys[kid], algorithms=[algorithm])
    return {"keys": [key.as_dict(private=False) for key in keys.values()]}, tokens


def with_pyjwt(payload):
    import jwt
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
    from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

    curves = {"ES256": ec.SECP256R1, "ES384": ec.SECP384R1, "ES512": ec.SECP521R1}
    keys, public, tokens = {}, [], {}
    for algorithm in ALGORITHMS:
        kid = key_id(algorithm)
        if kid not in keys:
            if kid == "rsa":
                family, keys[kid] = RSAAlgorithm, rsa.generate_private_key(65537, 3072)
            elif algorithm == "EdDSA":
                family, keys[kid] = OKPAlgorithm, ed25519.Ed25519PrivateKey.generate()
            else:
                family, keys[kid] = ECAlgorithm, ec.generate_private_key(curves[algorithm]())
            public.append(json.loads(family.to_jwk(keys[kid].public_key())) | {"kid": kid})
        tokens[algorithm] = jwt.encode(payload, keys[kid], algorithm=algorithm, headers={"kid": kid})
    return {"keys": public}, tokens


if __name__ == "__main__":
    library, issuer, audience = sys.argv[1:]
    key_set, tokens = {"joserfc": with_joserfc, "PyJWT": with_pyjwt}[library](claims(issuer, audience))
    json.dump({"keys": json.dumps(key_set), "tokens": tokens}, sys.stdout)
