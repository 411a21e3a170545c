"""Logs a user in at an OpenID provider, as a web app would (authorization code flow).

    log_in.py ISSUER CLIENT_ID SUBJECT

Prints the token response, a JSON object with "id_token" and "access_token".
"""

import json
import sys
from urllib.parse import parse_qs, urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener, urlopen

REDIRECT = "http://127.0.0.1/callback"


class StayHere(HTTPRedirectHandler):
    def redirect_request(self, *arguments):
        return None


def authorization_code(endpoint, client, subject):
    query = urlencode({"client_id": client, "redirect_uri": REDIRECT, "response_type": "code",
                       "scope": "openid profile email", "state": "s", "nonce": "n-0S6_WzA2Mj"})
    request = Request(f"{endpoint}?{query}", data=urlencode({"sub": subject}).encode())
    try:
        build_opener(StayHere).open(request)
    except OSError as redirect:
        return parse_qs(urlsplit(redirect.headers["Location"]).query)["code"][0]
    raise SystemExit("the provider did not redirect")


if __name__ == "__main__":
    issuer, client, subject = sys.argv[1:]
    with urlopen(f"{issuer}/.well-known/openid-configuration") as response:
        metadata = json.load(response)
    form = {"grant_type": "authorization_code", "client_id": client, "client_secret": "any", "redirect_uri": REDIRECT,
            "code": authorization_code(metadata["authorization_endpoint"], client, subject)}
    with urlopen(Request(metadata["token_endpoint"], data=urlencode(form).encode())) as response:
        sys.stdout.write(response.read().decode())
