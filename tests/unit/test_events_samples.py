"""Each sample event is answered as its kind of API expects."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from jwt_authorizer.errors import DecisionError
from jwt_authorizer.function import AuthorizerFunction, create_function
from jwt_authorizer_devkit.events import PLACEHOLDER, kinds, sample
from jwt_authorizer_devkit.mint import access_claims, mint
from jwt_authorizer_devkit.signing import generate, key_set

if TYPE_CHECKING:
    from jwt_authorizer_devkit.signing import Json

NOW = 1_700_000_000
ISSUER = "https://issuer.example.com"
KEY = generate("ES256", "es-1")
TOKEN = mint(KEY, access_claims(ISSUER, audience="api", now=NOW, scope="orders:read"))

# With which reason the log line of each kind starts is told by ``event_kind``.
EVENT_KINDS = {
    "rest-token": "rest_token",
    "rest-request": "rest_request",
    "websocket-connect": "websocket",
    "http-api-1.0": "http_api_v1",
    "http-api-2.0": "http_api_v2",
    "appsync": "appsync",
}


def function(lines: list[str], **settings: str) -> AuthorizerFunction:
    environment = {"JWT_ISSUER": ISSUER, "JWT_AUDIENCE": "api", "JWT_JWKS": json.dumps(key_set((KEY,))), **settings}
    return create_function(environment, write=lines.append, clock=lambda: NOW)


def granted(answer: Json) -> bool:
    if "isAuthorized" in answer:
        return answer["isAuthorized"] is True
    return "'Effect': 'Allow'" in str(answer["policyDocument"])


def test_there_is_a_sample_for_each_kind() -> None:
    assert set(kinds()) == set(EVENT_KINDS)


@pytest.mark.parametrize("kind", kinds())
def test_a_good_token_is_allowed(kind: str) -> None:
    lines: list[str] = []
    answer = function(lines)(sample(kind, TOKEN), None)
    assert granted(answer)
    context = answer["resolverContext" if kind == "appsync" else "context"]
    assert isinstance(context, dict)
    assert (context["sub"], context["scope"]) == ("user-1", "orders:read")
    line = json.loads(lines[-1])
    assert (line["decision"], line["event_kind"]) == ("allow", EVENT_KINDS[kind])


@pytest.mark.parametrize("kind", kinds())
@pytest.mark.parametrize(("token", "reason"), [(PLACEHOLDER, "malformed_token"), (None, "missing_token")])
def test_without_a_good_token_it_is_refused(kind: str, token: str | None, reason: str) -> None:
    lines: list[str] = []
    handler = function(lines)
    if kind == "appsync":
        assert handler(sample(kind, token), None) == {"isAuthorized": False, "deniedFields": [], "ttlOverride": 0}
    elif kind.startswith("http-api"):
        answer = handler(sample(kind, token), None)
        assert not granted(answer)
        context = answer["context"]
        assert isinstance(context, dict)
        assert context["reason"] == reason
    else:
        with pytest.raises(Exception, match=r"\AUnauthorized\Z"):
            handler(sample(kind, token), None)
    assert json.loads(lines[-1])["reason"] == reason


@pytest.mark.parametrize("kind", ["other-http-api-backend"])
def test_events_of_others_are_not_understood(kind: str) -> None:
    lines: list[str] = []
    with pytest.raises(DecisionError) as raised:
        function(lines)(sample(kind), None)
    assert raised.value.code == "invalid_event"
    assert json.loads(lines[-1])["decision"] == "error"
