"""Verifies a token as a backend would, by a JOSE implementation that is not ours.

    verify_token.py {joserfc|PyJWT} KEY_SET TOKEN AUDIENCE ISSUER

Prints one JSON object: "header" and "claims", each as text.
"""

import json
import sys


def with_joserfc(key_set, token, audience, issuer):
    from joserfc import jwt
    from joserfc.jwk import KeySet

    decoded = jwt.decode(token, KeySet.import_key_set(key_set), algorithms=["RS256", "ES256"])
    essential = {"essential": True}
    rules = jwt.JWTClaimsRegistry(
        iss={"value": issuer} | essential, aud={"value": audience} | essential, exp=essential, iat=essential,
        sub=essential, jti=essential)
    rules.validate(decoded.claims)
    return decoded.header, decoded.claims


def with_pyjwt(key_set, token, audience, issuer):
    import jwt

    header = jwt.get_unverified_header(token)
    key = jwt.PyJWKSet.from_dict(key_set)[header["kid"]]
    claims = jwt.decode(
        token, key, algorithms=["RS256", "ES256"], audience=audience, issuer=issuer,
        options={"require": ["exp", "iat", "sub", "jti"]})
    return header, claims


if __name__ == "__main__":
    library, keys, *rest = sys.argv[1:]
    found = {"joserfc": with_joserfc, "PyJWT": with_pyjwt}[library](json.loads(keys), *rest)
    json.dump(dict(zip(("header", "claims"), (json.dumps(part) for part in found))), sys.stdout)
