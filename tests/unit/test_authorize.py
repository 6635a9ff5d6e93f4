"""The sentence: event, request, token, key, signature, claims, principal, decision, answer; and what is remembered."""

from collections.abc import Mapping
from typing import Any

import pytest

from jwt_authorizer.answers import AnswerSettings, CachedBy
from jwt_authorizer.authorize import Authorizer, Outcome, authorize
from jwt_authorizer.claim_conditions import parse_condition
from jwt_authorizer.claims import Principal
from jwt_authorizer.errors import AuthorizerError, DecisionError, Reason, TokenError
from jwt_authorizer.rules import Allow, Deny, Route, compile_rules
from jwt_authorizer_devkit.mint import Defect
from tests.factories import (
    NOW,
    FakeKeys,
    authorizer,
    http_api_v2_event,
    parsed_keys,
    rest_request_event,
    rest_token_event,
    token,
)


def decide(bearer: str, core: Authorizer | None = None, now: float = NOW) -> Outcome:
    outcome = authorize(rest_token_event(bearer), core or authorizer(), now)
    assert outcome.answer is not None
    return outcome


def refused(bearer: str, core: Authorizer | None = None, now: float = NOW) -> Outcome:
    """Ask with a token that is refused, or about which nothing can be decided: then there is no answer."""
    outcome = authorize(rest_token_event(bearer), core or authorizer(), now)
    assert (outcome.answer, outcome.principal, outcome.decision) == (None, None, None)
    assert outcome.result in {"reject", "error"}
    assert outcome.detail
    return outcome


def answered(outcome: Outcome) -> Mapping[str, Any]:
    assert outcome.answer is not None
    return outcome.answer


def test_an_algorithm_that_was_not_set_is_refused_before_any_key_is_asked_for() -> None:
    keys = FakeKeys(parsed_keys("ES256", "RS256"))
    assert refused(token(alg="RS256"), authorizer(keys, algorithms=frozenset({"ES256"}))).reason is (
        Reason.UNSUPPORTED_ALGORITHM
    )
    assert keys.asked == []


# Keys that cannot be had.


@pytest.mark.parametrize(
    "failure",
    [DecisionError(Reason.KEYS_UNAVAILABLE, "out of reach"), TokenError(Reason.UNKNOWN_KEY, "no such key")],
    ids=["keys_unavailable", "unknown_key"],
)
def test_a_token_that_is_over_by_its_own_word_needs_no_key_to_be_refused(failure: AuthorizerError) -> None:
    core = authorizer(FakeKeys(failure=failure))
    assert refused(token(defect=Defect.EXPIRED), core).reason is Reason.TOKEN_EXPIRED
    assert refused(token(), core).reason is failure.code
    assert refused(token({"exp": "soon"}), core).reason is failure.code


# What is remembered.


def test_a_remembered_token_is_over_when_it_is_over() -> None:
    core, bearer = authorizer(), token()
    decide(bearer, core)
    decide(bearer, core, NOW + 359)
    assert refused(bearer, core, NOW + 360).reason is Reason.TOKEN_EXPIRED


def test_a_remembered_token_is_not_good_before_its_time() -> None:
    core, bearer = authorizer(), token()
    decide(bearer, core)
    assert refused(bearer, core, NOW - 61).reason is Reason.TOKEN_NOT_YET_VALID


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
    assert decide(bearer, core).token_cache == "miss"
    assert decide(bearer, core).token_cache == "hit"
    keys.number += 1
    keys.key_set = parsed_keys("RS256")
    assert refused(bearer, core).reason is Reason.UNKNOWN_KEY


def test_when_keys_are_no_longer_to_be_had_remembered_tokens_stop_as_well() -> None:
    keys = FakeKeys()
    core, bearer = authorizer(keys), token()
    decide(bearer, core)
    keys.failure = DecisionError(Reason.KEYS_UNAVAILABLE, "out of reach for too long")
    assert refused(bearer, core).reason is Reason.KEYS_UNAVAILABLE


def test_who_changes_an_answer_changes_no_later_one() -> None:
    core, bearer = authorizer(), token({"groups": ["users"]})
    for _ in range(2):
        claims: Any = answered(authorize(http_api_v2_event(bearer), core, NOW))["context"]["claims"]
        assert claims["groups"] == ["users"]
        claims["groups"].append("admins")
    with pytest.raises(AttributeError):
        answered_principal(authorize(http_api_v2_event(bearer), core, NOW)).id = "root"  # type: ignore[misc]  # as said


def answered_principal(outcome: Outcome) -> Principal:
    assert outcome.principal is not None
    return outcome.principal


def test_rights_are_decided_anew_for_each_request() -> None:
    rules = compile_rules((Route(frozenset({"GET"}), "/orders/{id}"), Route(None, "/invoices", scopes=("invoices",))))
    core, bearer = authorizer(rules=rules), token()
    decisions = []
    for resource in ("GET/orders/1", "GET/invoices", "GET/orders/1"):
        outcome = authorize(rest_request_event(bearer, resource=resource), core, NOW)
        decisions.append((type(outcome.decision), outcome.token_cache))
    assert decisions == [(Allow, "miss"), (Deny, "hit"), (Allow, "hit")]


# Rights.


def test_why_a_claim_does_not_fit_is_logged_where_it_is_not_the_caller_s_doing() -> None:
    core = authorizer(rules=compile_rules((Route(None, "/orders/{id}", claims=(parse_condition("groups", "a"),)),)))
    for members, told in (({"groups": ["b"]}, False), ({"_claim_names": {"groups": "src1"}}, True)):
        outcome = authorize(rest_request_event(token(members)), core, NOW)
        assert (outcome.result, outcome.reason) == ("deny", Reason.CLAIM_MISMATCH)
        assert ("groups overage" in str(outcome.detail)) is told


def test_a_policy_says_what_it_had_no_room_for() -> None:
    routes = tuple(Route(None, f"/{'x' * 200}{number}") for number in range(40))
    core = authorizer(rules=compile_rules(routes))
    (warning,) = authorize(rest_request_event(token(), resource=f"GET/{'x' * 200}7"), core, NOW).warnings
    assert warning.startswith("the policy has no room for ")
    assert warning.count("/xxx") == 3
    assert "Set JWT_CACHED_BY=route" in warning


def test_where_answers_are_cached_by_route_already_it_advises_to_cache_nothing() -> None:
    rules = compile_rules((Route(None, "/orders/{id}"),))
    core = authorizer(rules=rules, answers=AnswerSettings(cached_by=CachedBy.ROUTE))
    (warning,) = authorize(rest_request_event(token(), resource="GET/orders/1/"), core, NOW).warnings
    assert warning.endswith("Set the authorizer's TTL to 0 and JWT_CACHED_BY=nothing")
