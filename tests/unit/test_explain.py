"""What `explain` makes of a decision: the function's own answer, with what led to it."""

import json
import sys
from pathlib import Path

import pytest

from jwt_authorizer.errors import ErrorCode
from jwt_authorizer_devkit.explaining import ApiKind, Explanation, WatchedFunction, event_for, explain, watched_function
from jwt_authorizer_devkit.explaining.redaction import redacted
from jwt_authorizer_devkit.explaining.routes import Copy
from jwt_authorizer_devkit.explaining.steps import Name, Passing
from jwt_authorizer_devkit.mint import Defect
from tests.factories import (
    AUTHORIZATION,
    ISSUER,
    NOW,
    config,
    environment,
    http_api_v2_event,
    rest_token_event,
    token,
)
from tests.unit.pages import ROOT

ROUTES = """
[[routes]]
method = "GET"
path = "/orders/{id}"
scopes = ["orders:read"]

[[routes]]
method = "DELETE"
path = "/orders/{id}"
scopes = ["orders:delete"]

[[routes]]
path = "/admin/{proxy+}"
claims = { role = "admin" }
"""


def function(routes: str = "", package_root: Path = ROOT, /, **settings: str) -> WatchedFunction:
    known = {"JWT_CONFIG": config(routes)} if routes else environment()
    return watched_function(known | settings, now=NOW, package_root=package_root)


def explained(bearer: str, watched: WatchedFunction | None = None, kind: ApiKind = ApiKind.REST) -> Explanation:
    return explain(event_for(bearer, AUTHORIZATION, kind, "GET", "/orders/1"), watched or function())


STEPS: list[Name] = [name for name in Name if name is not Name.HOOK]


@pytest.mark.parametrize(
    ("defect", "step", "reason"),
    [
        (Defect.OPAQUE, Name.HEADER, ErrorCode.MALFORMED_TOKEN),
        (Defect.CRITICAL, Name.HEADER, ErrorCode.MALFORMED_TOKEN),
        (Defect.WRONG_ISSUER, Name.ISSUER, ErrorCode.UNKNOWN_ISSUER),
        (Defect.ALG_NONE, Name.ALGORITHM, ErrorCode.UNSUPPORTED_ALGORITHM),
        (Defect.HMAC_CONFUSION, Name.ALGORITHM, ErrorCode.UNSUPPORTED_ALGORITHM),
        (Defect.UNKNOWN_KEY, Name.KEY, ErrorCode.UNKNOWN_KEY),
        (Defect.FORGED, Name.SIGNATURE, ErrorCode.BAD_SIGNATURE),
        (Defect.EXPIRED, Name.CLAIMS, ErrorCode.TOKEN_EXPIRED),
        (Defect.WRONG_AUDIENCE, Name.CLAIMS, ErrorCode.INVALID_AUDIENCE),
    ],
    ids=str,
)
def test_the_step_that_fails_is_the_last_that_is_reached(defect: Defect, step: Name, reason: ErrorCode) -> None:
    explanation = explained(token(defect=defect))
    failed = [one.name for one in explanation.steps if one.outcome is Passing.FAILED]
    assert (failed, explanation.reason) == ([step], reason)
    position = STEPS.index(step)
    assert {one.outcome for one in explanation.steps[position + 1 :]} == {Passing.NOT_REACHED}
    assert explanation.client_sees == "401"
    # All else about the token is right.
    assert [verdict.holds for verdict in explanation.claims].count(False) == (step in {Name.ISSUER, Name.CLAIMS})


def test_every_claim_that_is_wrong_is_shown_not_only_the_first() -> None:
    wrong = token({"aud": "https://other.example.com", "sub": None, "exp": int(NOW) - 3600, "tier": "free"})
    watched = function(JWT_REQUIRED_CLAIMS='{"tier": "paid"}', JWT_CLIENT_ID="demo-client")
    explanation = explained(wrong, watched)
    assert explanation.reason is ErrorCode.TOKEN_EXPIRED
    held = {verdict.claim: verdict.holds for verdict in explanation.claims}
    assert held["client_id / azp"] is True
    assert [name for name, holds in held.items() if holds is False] == ["exp", "aud", "tier", "sub"]


@pytest.mark.parametrize(
    ("event", "cached_by", "copies"),
    [
        (rest_token_event(token()), "token", [Copy.SERVES, Copy.REFUSES, Copy.REFUSES]),
        (rest_token_event(token()), "route", [Copy.SERVES, Copy.ASKS, Copy.ASKS]),
        (rest_token_event(token()), "nothing", [Copy.ASKS, Copy.ASKS, Copy.ASKS]),
        (http_api_v2_event(token(), by_route=True), "token", [Copy.SERVES, Copy.ASKS, Copy.ASKS]),
    ],
    ids=["token", "route", "nothing", "simple response"],
)
def test_routes_tell_what_the_token_may_do_and_what_a_cached_copy_does(
    event: object, cached_by: str, copies: list[Copy]
) -> None:
    explanation = explain(event, function(ROUTES, JWT_CACHED_BY=cached_by))
    assert [(one.route, one.allowed, one.reason, one.decided) for one in explanation.routes] == [
        ("GET /orders/{id}", True, None, True),
        ("DELETE /orders/{id}", False, "insufficient_scope", False),
        ("* /admin/{proxy+}", False, "claim_mismatch", False),
    ]
    assert [route.copy for route in explanation.routes] == copies
    assert f"JWT_CACHED_BY={cached_by}" in explanation.cached


APPSYNC = event_for(token(defect=Defect.EXPIRED), AUTHORIZATION, ApiKind.APPSYNC, "GET", "/")


@pytest.mark.parametrize(
    ("event", "settings", "sees"),
    [
        (rest_token_event(None), {}, "401"),
        (http_api_v2_event(token(defect=Defect.EXPIRED)), {}, "403"),
        (http_api_v2_event(token(defect=Defect.EXPIRED)), {"JWT_HTTP_API_REJECT": "raise"}, "401 or 500"),
        (http_api_v2_event(token(defect=Defect.UNKNOWN_KEY)), {}, "500"),
        ({"version": "2.0"}, {}, "500"),
        (APPSYNC, {}, "401"),
    ],
    ids=["rest", "http", "http-raise", "http-heals", "no-event", "appsync"],
)
def test_it_tells_what_the_client_sees(event: object, settings: dict[str, str], sees: str) -> None:
    assert explain(event, function(**settings)).client_sees.startswith(sees)


@pytest.mark.parametrize(("kind", "sees"), [(ApiKind.REST, "500"), (ApiKind.APPSYNC, "an error")])
def test_keys_out_of_reach_leave_the_claims_to_look_at(kind: ApiKind, sees: str) -> None:
    explanation = explained(token(), function(JWT_JWKS="http://127.0.0.1:9", JWT_ALLOW_HTTP="true"), kind)
    assert (explanation.decision, explanation.reason) == ("error", ErrorCode.KEYS_UNAVAILABLE)
    assert explanation.client_sees.startswith(sees)
    assert any(verdict.claim == "aud" and verdict.holds for verdict in explanation.claims)
    assert not explanation.verified


def test_no_token_is_left_in_a_text() -> None:
    bearer = token()
    text = f"got {bearer} and Bearer {bearer}, {bearer[:40]}"
    assert bearer[20:60] not in redacted(text)
    assert f"({len(bearer)} characters)" in redacted(text)


# AppSync.

FIELDS = (
    ROUTES
    + """
[[fields]]
field = "Query.orders"
scopes = ["orders:read"]

[[fields]]
field = "Mutation.deleteOrder"
scopes = ["orders:delete"]

[[fields]]
field = "Order.margin"
claims = { groups = ["staff"] }
"""
)


def test_fields_take_the_place_of_routes_for_appsync() -> None:
    explanation = explained(token({"exp": NOW + 60}), function(FIELDS), ApiKind.APPSYNC)
    assert explanation.routes == ()
    assert [(one.field, one.allowed, one.reason, one.needs) for one in explanation.fields] == [
        ("Query.orders", True, None, ()),
        ("Mutation.deleteOrder", False, "insufficient_scope", ("orders:delete",)),
        ("Order.margin", False, "claim_mismatch", ("claim groups",)),
    ]
    assert explanation.answer is not None
    assert explanation.answer["deniedFields"] == [one.field for one in explanation.fields if not one.allowed]
    assert "60 s" in explanation.cached
    assert explanation.client_sees.startswith("200")


# Your own check.


@pytest.mark.parametrize(
    ("answer", "outcome", "said"),
    [
        ("{'plan': 'gold'}", Passing.PASSED, "added plan"),
        ("jwt_authorizer.Refuse('suspended')", Passing.FAILED, "suspended"),
        ("5", Passing.FAILED, "int"),
    ],
)
def test_what_your_own_check_said_is_a_step(
    answer: str, outcome: Passing, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "explained_check", raising=False)
    (tmp_path / "explained_check.py").write_text(f"import jwt_authorizer\ndef check(caller): return {answer}\n")
    watched = function("", tmp_path, JWT_HOOK="explained_check:check")
    explanation = explained(token(), watched)
    (step,) = [step for step in explanation.steps if step.name is Name.HOOK]
    assert (step.outcome, said in step.said) == (outcome, True)
    assert explanation.verified
    assert explained(token(defect=Defect.EXPIRED), watched).steps[-2].outcome is Passing.NOT_REACHED


def test_a_revoked_token_is_refused_as_the_function_does(tmp_path: Path) -> None:
    revoked = {"as_of": NOW, "issuers": {ISSUER: {"sub": {"user-1": NOW}}}}
    (tmp_path / "revoked.json").write_text(json.dumps(revoked))
    explanation = explained(token(), function("", tmp_path, JWT_REVOKED="file:revoked.json"))
    assert explanation.reason is ErrorCode.REVOKED_TOKEN
    assert explanation.advice is not None
