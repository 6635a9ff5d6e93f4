"""A decision becomes the answer that its kind of event expects."""

import json
from copy import replace
from typing import Any

import pytest

from jwt_authorizer.answers import (
    MAX_WEBSOCKET_RESULT,
    AnswerSettings,
    CachedBy,
    HttpApiResponse,
    iam_policy,
    simple_response,
)
from jwt_authorizer.cached_decisions import cache_warnings
from jwt_authorizer.claim_conditions import parse_claim
from jwt_authorizer.claims import Principal
from jwt_authorizer.contexts import Challenge, rejection_context
from jwt_authorizer.errors import DecisionError, Reason
from jwt_authorizer.events import EventKind
from jwt_authorizer.policies import Statement
from jwt_authorizer.rules import Allow, Deny
from tests.factories import SCOPE, Event, principal, request

ALLOW = Allow(None)
LACKS_SCOPE = Deny(Reason.INSUFFICIENT_SCOPE, ("orders:admin", "orders:write"), None)
METADATA = "https://api.example.com/.well-known/oauth-protected-resource"
DENIED = {"www_authenticate": 'Bearer error="insufficient_scope"'}
NOT_LISTED = Deny(Reason.ROUTE_NOT_LISTED, (), None)
ALL = (Statement("Allow", ("*",)),)
NONE = (Statement("Deny", ("*",)),)
PLAIN = AnswerSettings()
IAM = AnswerSettings(http_api_response=HttpApiResponse.IAM)
KINDS = [EventKind.REST_TOKEN, EventKind.REST_REQUEST, EventKind.WEBSOCKET, EventKind.HTTP_API_V1]
CLAIMS = {
    "sub": "user-1",
    "email": "ä@example.com",
    "verified": True,
    "age": 42,
    "share": 0.5,
    "nothing": None,
    "groups": ["a", "b"],
    "address": {"city": "Z"},
}


def allowed(
    kind: EventKind = EventKind.REST_REQUEST, settings: AnswerSettings = PLAIN, who: Principal | None = None
) -> dict[str, Any]:
    return iam_policy(request(kind), who or principal(CLAIMS), ALLOW, ALL, settings)


@pytest.mark.parametrize(
    ("claim", "key"),
    [("abc", "abc"), ("", None), (5, "5"), (0, "0"), (True, None), (None, None), (["abc"], None)],
    ids=str,
)
def test_a_usage_key_is_a_text_that_is_not_empty(claim: object, key: str | None) -> None:
    answer = allowed(settings=AnswerSettings(usage_key_claim=parse_claim("plan")), who=principal({"plan": claim}))
    assert answer.get("usageIdentifierKey") == key
    assert ("usageIdentifierKey" in answer) is (key is not None)


# Refusals.


@pytest.mark.parametrize(
    ("decision", "context"),
    [
        (
            LACKS_SCOPE,
            {
                "error": "insufficient_scope",
                "reason": "insufficient_scope",
                "scope": "orders:admin orders:write",
                "required_scope": "orders:admin orders:write",
                "www_authenticate": 'Bearer error="insufficient_scope", scope="orders:admin orders:write"',
            },
        ),
        (NOT_LISTED, {"error": "access_denied", "reason": "route_not_listed", **DENIED}),
        (Deny(Reason.CLAIM_MISMATCH, (), None), {"error": "access_denied", "reason": "claim_mismatch", **DENIED}),
    ],
    ids=["scope", "route", "claim"],
)
def test_a_refusal_says_why(decision: Deny, context: Event) -> None:
    assert simple_response(principal(), decision, PLAIN) == {"isAuthorized": False, "context": context}
    policy: Event = iam_policy(request(), principal(), decision, NONE, PLAIN)
    assert policy["context"] == context
    assert policy["policyDocument"]["Statement"][0]["Effect"] == "Deny"


def test_a_refusal_that_allows_other_routes_carries_the_claims_and_the_token_s_own_scope() -> None:
    statements = (Statement("Allow", ("GET/a",)), *NONE)
    answer: Event = iam_policy(request(), principal(), LACKS_SCOPE, statements, PLAIN)
    context = answer["context"]
    assert (context["error"], context["sub"]) == ("insufficient_scope", "user-1")
    assert (context["scope"], context["required_scope"]) == (SCOPE, "orders:admin orders:write")


# A WebSocket's answer has a limit.


def websocket_answer(padding: str) -> dict[str, object]:
    return iam_policy(request(EventKind.WEBSOCKET), principal({"pad": padding}), ALLOW, ALL, PLAIN)


def test_a_websocket_s_answer_has_8_kilobytes_as_it_is_sent() -> None:
    room = MAX_WEBSOCKET_RESULT - len(json.dumps(websocket_answer("")))
    assert len(json.dumps(websocket_answer("x" * room))) == MAX_WEBSOCKET_RESULT == 8192
    with pytest.raises(DecisionError) as caught:
        websocket_answer("x" * (room + 1))
    assert caught.value.code is Reason.RESPONSE_TOO_LARGE
    assert "the answer has 8193 bytes" in caught.value.detail


def test_letters_outside_ascii_count_as_the_bytes_that_are_sent() -> None:
    # Lambda's runtime sends UTF-8: two bytes for each of these, where escapes would be six.
    who = replace(principal(), id="ä" * 3500)
    assert iam_policy(request(EventKind.WEBSOCKET), who, ALLOW, ALL, PLAIN)["principalId"] == who.id
    with pytest.raises(DecisionError, match="response_too_large"):
        iam_policy(request(EventKind.WEBSOCKET), replace(who, id="ä" * 4000), ALLOW, ALL, PLAIN)


def test_a_cache_that_is_said_to_be_off_is_warned_about_where_it_would_open_routes() -> None:
    def warned(kind: EventKind, source: object, settings: AnswerSettings, *, routes: bool = True) -> bool:
        read = request(kind, identitySource=source)
        return cache_warnings(read, "token", settings, routes_configured=routes) != ()

    off = AnswerSettings(cached_by=CachedBy.NOTHING)
    assert warned(EventKind.HTTP_API_V2, ["Bearer token"], off)
    assert not warned(EventKind.HTTP_API_V2, None, off)
    assert not warned(EventKind.HTTP_API_V2, ["Bearer token"], off, routes=False)
    assert not warned(EventKind.HTTP_API_V2, ["Bearer token"], replace(off, http_api_response=HttpApiResponse.IAM))
    assert not warned(EventKind.HTTP_API_V1, "Bearer token", off)


# The context of an answer, and the challenge in it.


BOTH, ALONE = Challenge(None, "ES256 PS256"), Challenge(None, "ES256 PS256", dpop_only=True)


@pytest.mark.parametrize(
    ("reason", "challenge", "expected"),
    [
        (Reason.MISSING_TOKEN, BOTH, 'Bearer realm="api", DPoP algs="ES256 PS256"'),
        (Reason.MISSING_TOKEN, ALONE, 'DPoP algs="ES256 PS256"'),
        (Reason.TOKEN_EXPIRED, BOTH, 'Bearer error="invalid_token", DPoP algs="ES256 PS256"'),
        (Reason.MISSING_DPOP_PROOF, ALONE, 'DPoP error="invalid_token", algs="ES256 PS256"'),
        (Reason.INVALID_DPOP_PROOF, BOTH, 'DPoP error="invalid_dpop_proof", algs="ES256 PS256"'),
        (Reason.REPLAYED_DPOP_PROOF, ALONE, 'DPoP error="invalid_dpop_proof", algs="ES256 PS256"'),
    ],
)
def test_a_challenge_names_the_schemes_that_are_accepted(reason: Reason, challenge: Challenge, expected: str) -> None:
    context = rejection_context(reason, challenge)
    assert context["www_authenticate"] == expected
    assert context["error"] == "invalid_token"
