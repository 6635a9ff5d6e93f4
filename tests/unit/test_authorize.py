"""The sentence from event to answer: what is remembered on the way, and what each kind of event gets in the end.

tests/unit/test_function.py has each reason for each kind of API, tests/properties/test_answers.py any claims.
"""

import json
from copy import replace
from typing import Any

import pytest

from jwt_authorizer.answers import AnswerSettings, CachedBy, HttpApiResponse, iam_policy, simple_response
from jwt_authorizer.authorize import Authorizer, Outcome, authorize
from jwt_authorizer.cached_decisions import cache_warnings
from jwt_authorizer.claim_conditions import parse_claim, parse_condition
from jwt_authorizer.contexts import Challenge, rejection_context
from jwt_authorizer.errors import AuthorizerError, DecisionError, ErrorCode, TokenError
from jwt_authorizer.events import EventKind
from jwt_authorizer.policies import Statement
from jwt_authorizer.rules import Allow, Deny, Route, compile_rules
from jwt_authorizer_devkit.mint import Defect
from tests.factories import (
    NOW,
    SCOPE,
    Event,
    FakeKeys,
    authorizer,
    http_api_v2_event,
    parsed_keys,
    principal,
    request,
    rest_request_event,
    rest_token_event,
    token,
)


def decide(bearer: str, core: Authorizer, now: float = NOW) -> Outcome:
    outcome = authorize(rest_token_event(bearer), core, now)
    assert outcome.answer is not None
    return outcome


def refused(bearer: str, core: Authorizer, now: float = NOW) -> ErrorCode | None:
    """Ask with a token that is refused, or about which nothing can be decided: then there is no answer."""
    outcome = authorize(rest_token_event(bearer), core, now)
    assert (outcome.answer, outcome.principal, outcome.decision) == (None, None, None)
    assert outcome.result in {"reject", "error"}
    assert outcome.detail
    return outcome.reason


def test_an_algorithm_that_was_not_set_is_refused_before_any_key_is_asked_for() -> None:
    keys = FakeKeys(parsed_keys("ES256", "RS256"))
    core = authorizer(keys, algorithms=frozenset({"ES256"}))
    assert refused(token(alg="RS256"), core) is ErrorCode.UNSUPPORTED_ALGORITHM
    assert keys.asked == []


@pytest.mark.parametrize(
    "failure",
    [DecisionError(ErrorCode.KEYS_UNAVAILABLE, "out of reach"), TokenError(ErrorCode.UNKNOWN_KEY, "no such key")],
    ids=["keys_unavailable", "unknown_key"],
)
def test_a_token_that_is_over_by_its_own_word_needs_no_key_to_be_refused(failure: AuthorizerError) -> None:
    core = authorizer(FakeKeys(failure=failure))
    assert refused(token(defect=Defect.EXPIRED), core) is ErrorCode.TOKEN_EXPIRED
    assert refused(token(), core) is failure.code
    assert refused(token({"exp": "soon"}), core) is failure.code


# What is remembered.


def test_a_remembered_token_is_over_when_it_is_over() -> None:
    core, bearer = authorizer(), token()
    decide(bearer, core)
    assert decide(bearer, core, NOW + 359).token_cache == "hit"
    assert refused(bearer, core, NOW + 360) is ErrorCode.TOKEN_EXPIRED
    assert decide(bearer, core, NOW - 60).token_cache == "hit"
    assert refused(bearer, core, NOW - 61) is ErrorCode.TOKEN_NOT_YET_VALID


def test_the_least_recently_used_is_forgotten_first() -> None:
    core = authorizer(cache_size=2)
    first, second, third = (token({"jti": name}) for name in "abc")
    for bearer in (first, second, first, third):
        decide(bearer, core)
    assert [decide(bearer, core).token_cache for bearer in (first, third, second)] == ["hit", "hit", "miss"]


def test_other_keys_verify_a_remembered_token_again() -> None:
    keys = FakeKeys()
    core, bearer = authorizer(keys), token()
    decide(bearer, core)
    keys.number += 1
    assert [decide(bearer, core).token_cache for _ in range(2)] == ["miss", "hit"]
    keys.number += 1
    keys.key_set = parsed_keys("RS256")
    assert refused(bearer, core) is ErrorCode.UNKNOWN_KEY
    # Keys that are no longer to be had stop remembered tokens as well.
    keys.key_set = parsed_keys("ES256")
    decide(bearer, core)
    keys.failure = DecisionError(ErrorCode.KEYS_UNAVAILABLE, "out of reach for too long")
    assert refused(bearer, core) is ErrorCode.KEYS_UNAVAILABLE


def test_who_changes_an_answer_changes_no_later_one() -> None:
    core, bearer = authorizer(), token({"groups": ["users"]})
    for _ in range(2):
        answer: Any = authorize(http_api_v2_event(bearer), core, NOW).answer
        assert answer["context"]["claims"]["groups"] == ["users"]
        answer["context"]["claims"]["groups"].append("admins")


def test_rights_are_decided_anew_for_each_request() -> None:
    rules = compile_rules((Route(frozenset({"GET"}), "/orders/{id}"), Route(None, "/invoices", scopes=("invoices",))))
    core, bearer = authorizer(rules=rules), token()
    decisions = []
    for resource in ("GET/orders/1", "GET/invoices", "GET/orders/1"):
        outcome = authorize(rest_request_event(bearer, resource=resource), core, NOW)
        decisions.append((type(outcome.decision), outcome.token_cache))
    assert decisions == [(Allow, "miss"), (Deny, "hit"), (Allow, "hit")]


# What is logged.


def test_why_a_claim_does_not_fit_is_logged_where_it_is_not_the_caller_s_doing() -> None:
    core = authorizer(rules=compile_rules((Route(None, "/orders/{id}", claims=(parse_condition("groups", "a"),)),)))
    for members, told in (({"groups": ["b"]}, False), ({"_claim_names": {"groups": "src1"}}, True)):
        outcome = authorize(rest_request_event(token(members)), core, NOW)
        assert (outcome.result, outcome.reason) == ("deny", ErrorCode.CLAIM_MISMATCH)
        assert ("groups overage" in str(outcome.detail)) is told


def test_a_cache_that_is_said_to_be_off_is_warned_about_where_it_would_open_routes() -> None:
    def warns(kind: EventKind, source: object, settings: AnswerSettings, *, routes: bool = True) -> bool:
        read = request(kind, identitySource=source)
        return cache_warnings(read, "token", settings, routes_configured=routes) != ()

    off = AnswerSettings(cached_by=CachedBy.NOTHING)
    assert warns(EventKind.HTTP_API_V2, ["Bearer token"], off)
    assert not warns(EventKind.HTTP_API_V2, ["Bearer token"], off, routes=False)
    assert not warns(EventKind.HTTP_API_V2, ["Bearer token"], replace(off, http_api_response=HttpApiResponse.IAM))
    assert not warns(EventKind.HTTP_API_V1, "Bearer token", off)


def test_where_answers_are_cached_by_route_already_it_advises_to_cache_nothing() -> None:
    rules = compile_rules((Route(None, "/orders/{id}"),))
    core = authorizer(rules=rules, answers=AnswerSettings(cached_by=CachedBy.ROUTE))
    (warning,) = authorize(rest_request_event(token(), resource="GET/orders/1/"), core, NOW).warnings
    assert warning.endswith("Set the authorizer's TTL to 0 and JWT_CACHED_BY=nothing")


# A decision becomes the answer that its kind of event expects.


ALL, NONE = (Statement("Allow", ("*",)),), (Statement("Deny", ("*",)),)
PLAIN = AnswerSettings()
LACKS_SCOPE = Deny(ErrorCode.INSUFFICIENT_SCOPE, ("orders:admin", "orders:write"), None)


@pytest.mark.parametrize(
    ("claim", "key"),
    [("abc", "abc"), ("", None), (5, "5"), (0, "0"), (True, None), (None, None), (["abc"], None)],
    ids=str,
)
def test_a_usage_key_is_a_text_that_is_not_empty(claim: object, key: str | None) -> None:
    settings = AnswerSettings(usage_key_claim=parse_claim("plan"))
    answer = iam_policy(request(), principal({"plan": claim}), Allow(None), ALL, settings)
    assert answer.get("usageIdentifierKey") == key
    assert ("usageIdentifierKey" in answer) is (key is not None)


@pytest.mark.parametrize(
    ("decision", "error", "scope"),
    [
        (LACKS_SCOPE, "insufficient_scope", "orders:admin orders:write"),
        (Deny(ErrorCode.ROUTE_NOT_LISTED, (), None), "access_denied", ""),
        (Deny(ErrorCode.CLAIM_MISMATCH, (), None), "access_denied", ""),
    ],
    ids=["scope", "route", "claim"],
)
def test_a_refusal_says_why(decision: Deny, error: str, scope: str) -> None:
    missing = {"scope": scope, "required_scope": scope} if scope else {}
    challenge = 'Bearer error="insufficient_scope"' + (f', scope="{scope}"' if scope else "")
    context = {"error": error, "reason": decision.reason, "www_authenticate": challenge, **missing}
    assert simple_response(principal(), decision, PLAIN) == {"isAuthorized": False, "context": context}
    policy: Event = iam_policy(request(), principal(), decision, NONE, PLAIN)
    assert policy["context"] == context
    assert policy["policyDocument"]["Statement"][0]["Effect"] == "Deny"
    # One that allows other routes carries the claims and the token's own scope.
    others: Event = iam_policy(request(), principal(), decision, (Statement("Allow", ("GET/a",)), *NONE), PLAIN)
    assert others["context"] == {**others["context"], **context, "sub": "user-1", "scope": SCOPE}


def websocket_answer(padding: str) -> dict[str, object]:
    who = replace(principal(), id=padding)
    return iam_policy(request(EventKind.WEBSOCKET), who, Allow(None), ALL, PLAIN)


# Lambda's runtime sends UTF-8: two bytes for the second of these, where an escape would be six.
@pytest.mark.parametrize(("letter", "size"), [("x", 1), ("\u00e4", 2)])
def test_a_websocket_s_answer_has_8_kilobytes_as_it_is_sent(letter: str, size: int) -> None:
    room = 8192 - len(json.dumps(websocket_answer("")))
    assert websocket_answer(letter * (room // size))
    with pytest.raises(DecisionError, match=r"response_too_large: the answer has 819[34] bytes"):
        websocket_answer(letter * (room // size + 1))


BOTH, ALONE = Challenge(None, "ES256 PS256"), Challenge(None, "ES256 PS256", dpop_only=True)


@pytest.mark.parametrize(
    ("reason", "challenge", "expected"),
    [
        (ErrorCode.MISSING_TOKEN, BOTH, 'Bearer realm="api", DPoP algs="ES256 PS256"'),
        (ErrorCode.MISSING_TOKEN, ALONE, 'DPoP algs="ES256 PS256"'),
        (ErrorCode.TOKEN_EXPIRED, BOTH, 'Bearer error="invalid_token", DPoP algs="ES256 PS256"'),
        (ErrorCode.MISSING_DPOP_PROOF, ALONE, 'DPoP error="invalid_token", algs="ES256 PS256"'),
        (ErrorCode.INVALID_DPOP_PROOF, BOTH, 'DPoP error="invalid_dpop_proof", algs="ES256 PS256"'),
        (ErrorCode.REPLAYED_DPOP_PROOF, ALONE, 'DPoP error="invalid_dpop_proof", algs="ES256 PS256"'),
    ],
)
def test_a_challenge_names_the_schemes_that_are_accepted(
    reason: ErrorCode, challenge: Challenge, expected: str
) -> None:
    context = rejection_context(reason, challenge)
    assert (context["www_authenticate"], context["error"]) == (expected, "invalid_token")
