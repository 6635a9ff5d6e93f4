"""The place where attacks are tried: the whole function over inline keys, and tokens written byte by byte.

Nothing here is a stand-in: settings are read, key sets parsed, events recognized and lines written as in Lambda.
An attack is one change to a token or an event that passes, so each test fails if that change is let through.
"""

import json
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from jwt_authorizer.errors import ErrorCode
from jwt_authorizer.function import AuthorizerFunction, create_function
from jwt_authorizer_devkit.signing import SigningKey, base64url, generate
from tests.fuzz.policies import ROUTES

NOW = 1_800_000_000.0
ISSUER = "https://issuer.example.com"
AUDIENCE = "https://api.example.com"
ARN = "arn:aws:execute-api:eu-west-1:123456789012:abcdef123/prod/"
PUBLISHED = {"rsa": "RS256", "p256": "ES256", "p384": "ES384", "p521": "ES512", "ed": "EdDSA"}
"""Key ids, and what their keys are generated for. They are published without ``alg``, as Entra ID does."""

CPU_LIMIT = 0.5
"""Seconds of processor time: ten times what is promised, so that another order of growth fails, a slow machine not."""

_SHORTEST_SECRET = 8

type Json = dict[str, Any]


@cache
def key(kid: str) -> SigningKey:
    return generate(PUBLISHED[kid], kid)


@cache
def attacker_key(kid: str) -> SigningKey:
    """Give the attacker's own key of the same kind as the issuer's ``kid``."""
    return generate(PUBLISHED[kid], kid)


def jwks() -> Json:
    return {"keys": [key(kid).public_jwk(alg=None) for kid in PUBLISHED]}


def claims(**changed: object) -> Json:
    """Give the claims of a good token, with some of them changed."""
    good = {"iss": ISSUER, "aud": AUDIENCE, "sub": "user-1", "iat": NOW, "exp": NOW + 300, "scope": "orders:read"}
    return {**good, **changed}


def encode(part: Mapping[str, object] | str | bytes) -> str:
    """Encode one part: an object as JSON, anything else byte by byte."""
    text = part if isinstance(part, str | bytes) else json.dumps(part)
    return base64url(text.encode() if isinstance(text, str) else text)


def sign(
    payload: Mapping[str, object] | str | bytes | None = None,
    header: Mapping[str, object] | str | bytes | None = None,
    *,
    signer: SigningKey | None = None,
) -> str:
    """Sign whatever it is, truly: what is refused is then refused for what it says."""
    signer = signer or key("p256")
    head = {"alg": signer.alg, "kid": signer.kid, "typ": "JWT"} if header is None else header
    message = f"{encode(head)}.{encode(claims() if payload is None else payload)}"
    return f"{message}.{base64url(signer.sign(message.encode()))}"


def with_signature(signature: bytes, header: Mapping[str, object]) -> str:
    """Put a signature of one's own making behind good claims."""
    return f"{encode(header)}.{encode(claims())}.{base64url(signature)}"


def token_event(token: str) -> Json:
    return field_event(f"Bearer {token}")


def field_event(authorization: str) -> Json:
    """Give a REST API's TOKEN event with the whole header's value."""
    return {"type": "TOKEN", "methodArn": ARN + "GET/orders/1", "authorizationToken": authorization}


APPSYNC_REFUSED = {"isAuthorized": False, "deniedFields": [], "ttlOverride": 0}
"""AppSync has no error that means 401: it makes one of this answer."""


@dataclass(slots=True)
class Lab:
    """The function, and the lines it wrote."""

    function: AuthorizerFunction
    lines: list[str] = field(default_factory=list)

    def allowed(self, event: object) -> Json:
        """Hold an event to be let in, and give the answer."""
        answer = self.answered(event)
        assert self.last["decision"] == "allow"
        return answer

    def answered(self, event: object) -> Json:
        """Give the answer, which is no error."""
        return self.function(event, None)

    def refused(self, event: object, *reasons: ErrorCode, secret: str = "") -> None:
        """Hold an event to end as a plain 401 for one of the reasons, cheaply, and without a trace of ``secret``."""
        before, started = len(self.lines), time.process_time()
        error: BaseException | None = None
        try:
            assert self.function(event, None) == APPSYNC_REFUSED
        except Exception as caught:  # noqa: BLE001 - the refusal has no type of its own
            error = caught
            assert (type(error), str(error)) == (Exception, "Unauthorized")
        assert time.process_time() - started < CPU_LIMIT
        assert len(self.lines) == before + 1
        assert self.last["decision"] == "reject"
        assert self.last["reason"] in reasons
        assert_silent("".join(traceback.format_exception(error)), secret)
        assert_clean(self.lines[-1], secret)

    def attacked(self, token: str, *reasons: ErrorCode) -> None:
        self.refused(token_event(token), *reasons, secret=token)

    @property
    def last(self) -> Json:
        line: Json = json.loads(self.lines[-1])
        return line


def lab(**settings: str) -> Lab:
    """Build the function as Lambda does, from an environment."""
    environment = {"JWT_ISSUER": ISSUER, "JWT_AUDIENCE": AUDIENCE, "JWT_JWKS": json.dumps(jwks())} | settings
    return bare_lab(**{name: text for name, text in environment.items() if text})


def bare_lab(**environment: str) -> Lab:
    """Build the function from nothing but these settings."""
    lines: list[str] = []
    return Lab(create_function(environment, write=lines.append, clock=lambda: NOW), lines)


def routes_lab(keys: str = "", **settings: str) -> Lab:
    """Build it with rules that have been judged by hand for every probe; the token may read orders."""
    return bare_lab(JWT_CONFIG=ROUTES.replace("JWKS", keys or json.dumps(jwks())), **settings)


def assert_clean(line: str, token: str) -> None:
    """Hold a line to be one line of printable ASCII that is clean when decoded, too, and has no part of the token."""
    assert line.endswith("\n")
    assert line[:-1].isascii()
    assert line[:-1].isprintable()
    for text in _texts(json.loads(line)):
        assert text.isprintable()
    assert_silent(line, token)


def assert_silent(text: str, token: str) -> None:
    """Hold a text to have no part of the token that is long enough to tell."""
    for part in token.split("."):
        assert len(part) < _SHORTEST_SECRET or part not in text


def _texts(value: object) -> list[str]:
    if isinstance(value, dict):
        return [text for name, item in value.items() for text in [name, *_texts(item)]]
    if isinstance(value, list):
        return [text for item in value for text in _texts(item)]
    return [value] if isinstance(value, str) else []
