"""The function at the edge: what each kind of event gets for each reason there is, and what is written down."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from awslambdaric.bootstrap import update_xray_env_variable  # type: ignore[import-untyped]  # AWS ships no types

from jwt_authorizer.answers import AnswerSettings, HttpApiReject, HttpApiResponse
from jwt_authorizer.claim_conditions import parse_condition
from jwt_authorizer.claims import ClaimRules
from jwt_authorizer.errors import TRANSIENT, DecisionError, ErrorCode
from jwt_authorizer.events import EventKind
from jwt_authorizer.function import create_function
from jwt_authorizer.rules import Route, Rules, compile_rules
from jwt_authorizer_devkit.mint import Defect
from tests.factories import (
    AUDIENCE,
    EVENTS,
    ISSUER,
    NOW,
    Event,
    FakeKeys,
    Watched,
    authorizer,
    environment,
    http_api_v2_event,
    rest_request_event,
    rest_token_event,
    token,
)
from tests.security.lab import assert_silent

SIMPLE, IAM = HttpApiResponse.SIMPLE, HttpApiResponse.IAM
DENY, RAISE = HttpApiReject.DENY, HttpApiReject.RAISE


@dataclass(frozen=True, slots=True)
class Api:
    kind: EventKind
    response: HttpApiResponse = SIMPLE
    reject: HttpApiReject = DENY

    def __str__(self) -> str:
        return f"{self.kind}-{self.response}-{self.reject}"

    @property
    def raises(self) -> bool:
        return not self.kind.is_http_api or self.reject is RAISE

    @property
    def simple(self) -> bool:
        return self.kind is EventKind.HTTP_API_V2 and self.response is SIMPLE


APIS = [
    Api(EventKind.REST_TOKEN),
    Api(EventKind.REST_TOKEN, reject=RAISE),
    Api(EventKind.REST_REQUEST),
    Api(EventKind.WEBSOCKET),
    Api(EventKind.HTTP_API_V1),
    Api(EventKind.HTTP_API_V1, reject=RAISE),
    Api(EventKind.HTTP_API_V2),
    Api(EventKind.HTTP_API_V2, reject=RAISE),
    Api(EventKind.HTTP_API_V2, IAM),
    Api(EventKind.HTTP_API_V2, IAM, RAISE),
]

# One token for each reason to refuse one; all else about it is good.
REFUSED: dict[ErrorCode, str | None] = {
    ErrorCode.MISSING_TOKEN: None,
    ErrorCode.MALFORMED_TOKEN: token(defect=Defect.OPAQUE),
    ErrorCode.UNSUPPORTED_ALGORITHM: token(defect=Defect.ALG_NONE),
    ErrorCode.UNSUPPORTED_TOKEN_TYPE: token(header={"typ": "JWT"}),
    ErrorCode.UNKNOWN_ISSUER: token(defect=Defect.WRONG_ISSUER),
    ErrorCode.UNKNOWN_KEY: token(defect=Defect.UNKNOWN_KEY),
    ErrorCode.BAD_SIGNATURE: token(defect=Defect.FORGED),
    ErrorCode.TOKEN_EXPIRED: token(defect=Defect.EXPIRED),
    ErrorCode.TOKEN_NOT_YET_VALID: token(defect=Defect.NOT_YET_VALID),
    ErrorCode.TOKEN_LIFETIME_TOO_LONG: token({"exp": int(NOW) + 301}),
    ErrorCode.INVALID_AUDIENCE: token(defect=Defect.WRONG_AUDIENCE),
    ErrorCode.INVALID_CLIENT: token({"client_id": "another"}),
    ErrorCode.INVALID_CLAIM: token({"token_use": "id"}),
}
GOOD = token({"token_use": "access"})
STRICT = ClaimRules(
    audience=frozenset({AUDIENCE}),
    client_id=frozenset({"demo-client"}),
    max_lifetime=300,
    required_claims=(parse_condition("token_use", "access"),),
)
# Rules that refuse GET /orders/1 (and $connect), one set for each reason to.
FORBIDDING: dict[ErrorCode, Rules] = {
    ErrorCode.INSUFFICIENT_SCOPE: compile_rules(
        tuple(Route(None, path, scopes=("admin",)) for path in ("/orders/{id}", "$connect"))
    ),
    ErrorCode.CLAIM_MISMATCH: compile_rules(
        tuple(Route(None, path, claims=(parse_condition("team", "a"),)) for path in ("/orders/{id}", "$connect"))
    ),
    ErrorCode.ROUTE_NOT_LISTED: compile_rules((Route(None, "/invoices"),)),
}
UNDECIDED = {
    ErrorCode.KEYS_UNAVAILABLE,
    ErrorCode.INVALID_EVENT,
    ErrorCode.UNSAFE_CACHE,
    ErrorCode.RESPONSE_TOO_LARGE,
    ErrorCode.INTERNAL_ERROR,
    ErrorCode.HOOK_FAILED,
}


def function(api: Api, keys: FakeKeys | None = None, rules: Rules | None = None) -> Watched:
    core = authorizer(
        keys,
        claim_rules=STRICT,
        token_types=frozenset({"at+jwt"}),
        rules=rules,
        answers=AnswerSettings(http_api_response=api.response, http_api_reject=api.reject),
    )
    return Watched(core)


def event(api: Api, bearer: str | None) -> Event:
    if api.kind is EventKind.HTTP_API_V2:
        return http_api_v2_event(bearer, by_route=True)
    return EVENTS[api.kind](bearer)


def effect(api: Api, answer: Mapping[str, Any]) -> str:
    """Say what an answer to this kind of API does, once its form has been checked."""
    if api.simple:
        assert set(answer) == {"isAuthorized", "context"}
        return "Allow" if answer["isAuthorized"] else "Deny"
    assert set(answer) == {"principalId", "policyDocument", "context"}
    (effect,) = {statement["Effect"] for statement in answer["policyDocument"]["Statement"]}
    return str(effect)


@pytest.mark.parametrize("api", APIS, ids=str)
def test_a_good_token_is_let_in(api: Api) -> None:
    called = function(api)
    answer = called(event(api, GOOD))
    assert effect(api, answer) == "Allow"
    assert answer["context"]["sub"] == "user-1"
    assert (called.line["decision"], called.line["event_kind"]) == ("allow", api.kind)
    assert "reason" not in called.line
    assert (called.line["principal"], called.line["token_cache"]) == ("user-1", "miss")
    assert (called.line["issuer"], called.line["alg"], called.line["kid"]) == (ISSUER, "ES256", "key-1")
    assert 0 < called.line["duration_ms"] < 60_000


@pytest.mark.parametrize("reason", REFUSED)
@pytest.mark.parametrize("api", APIS, ids=str)
def test_a_refused_token(api: Api, reason: ErrorCode) -> None:
    called = function(api)
    if api.raises or reason in TRANSIENT:
        with pytest.raises(Exception, match=r"^Unauthorized$") as caught:
            called(event(api, REFUSED[reason]))
        assert caught.value.__cause__ is None
        assert caught.value.__context__ is None
    else:
        answer = called(event(api, REFUSED[reason]))
        assert effect(api, answer) == "Deny"
        challenge = 'Bearer realm="api"' if reason is ErrorCode.MISSING_TOKEN else 'Bearer error="invalid_token"'
        assert answer["context"] == {"error": "invalid_token", "reason": reason, "www_authenticate": challenge}
    assert len(called.written) == 1
    line = called.line
    assert (line["decision"], line["reason"], line["event_kind"]) == ("reject", reason, api.kind)
    assert line["detail"]
    assert "principal" not in line
    assert_silent(called.written[0], REFUSED[reason] or "")


@pytest.mark.parametrize("reason", FORBIDDING)
@pytest.mark.parametrize("api", APIS, ids=str)
def test_missing_rights(api: Api, reason: ErrorCode) -> None:
    called = function(api, rules=FORBIDDING[reason])
    answer = called(event(api, GOOD))
    context = answer["context"]
    assert context["reason"] == reason
    scope_is_missing = reason is ErrorCode.INSUFFICIENT_SCOPE
    assert context["error"] == ("insufficient_scope" if scope_is_missing else "access_denied")
    if scope_is_missing:
        assert context["required_scope"] == "admin"
    if api.simple:
        assert answer["isAuthorized"] is False
    else:
        # It may allow other routes, where a cache replays it; the one that was asked for it denies.
        assert "Deny" in {statement["Effect"] for statement in answer["policyDocument"]["Statement"]}
    assert (called.line["decision"], called.line["reason"]) == ("deny", reason)
    assert called.line["principal"] == "user-1"


def undecided(called: Watched, asked: object, reason: ErrorCode) -> DecisionError:
    with pytest.raises(DecisionError) as caught:
        called(asked)
    assert caught.value.code is reason
    assert str(caught.value) != "Unauthorized"
    assert (called.line["decision"], called.line["reason"], called.line["level"]) == ("error", reason, "ERROR")
    assert called.line["detail"] == caught.value.detail
    return caught.value


@pytest.mark.parametrize("api", APIS, ids=str)
def test_keys_that_cannot_be_had(api: Api) -> None:
    keys = FakeKeys(failure=DecisionError(ErrorCode.KEYS_UNAVAILABLE, "out of reach"))
    undecided(function(api, keys), event(api, GOOD), ErrorCode.KEYS_UNAVAILABLE)


@pytest.mark.parametrize("api", APIS, ids=str)
def test_whatever_else_goes_wrong_lets_nobody_in_and_tells_nothing(api: Api) -> None:
    error = undecided(
        function(api, FakeKeys(failure=RuntimeError("s3cret"))), event(api, GOOD), ErrorCode.INTERNAL_ERROR
    )
    assert "unexpected RuntimeError at factories.py:" in error.detail
    assert "s3cret" not in str(error)
    assert error.__context__ is None


def test_lambda_s_request_id_is_written_beside_api_gateway_s() -> None:
    class Context:
        aws_request_id = "function-7"

    called = function(APIS[0])
    called(rest_token_event(GOOD), Context())
    assert (called.line["request_id"], called.line["function_request_id"]) == ("function-7", "function-7")
    called(rest_request_event(GOOD), Context())
    assert (called.line["request_id"], called.line["function_request_id"]) == ("request-1", "function-7")
    assert called.line["token_cache"] == "hit"


def test_each_line_has_the_trace_that_lambda_s_runtime_client_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", dict(os.environ))
    called = function(APIS[0])
    update_xray_env_variable("Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0")
    called(rest_token_event(GOOD))
    assert called.line["trace_id"] == "1-5759e988-bd862e3fe1be46a994272793"
    update_xray_env_variable(None)
    called(rest_token_event(GOOD))
    assert "trace_id" not in called.line


def test_the_clock_is_asked_for_each_request() -> None:
    called = function(APIS[0])
    called(rest_token_event(GOOD))
    called.now += 360
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        called(rest_token_event(GOOD))
    assert (called.line["reason"], called.line["token_cache"]) == ("token_expired", "miss")
    assert called.line["_aws"]["Timestamp"] == (NOW + 360) * 1000


# Putting it together from the environment.

SETTINGS = environment()


def test_it_is_put_together_from_the_environment() -> None:
    lines: list[str] = []
    named = SETTINGS | {"POWERTOOLS_SERVICE_NAME": "orders", "JWT_HTTP_API_REJECT": "raise"}
    built = create_function(named, write=lines.append, clock=lambda: NOW)
    assert built(rest_token_event(token()), None)["principalId"] == "user-1"
    line = json.loads(lines[0])
    assert (line["service"], line["ColdStarts"], line["JwksFetches"]) == ("orders", 1, 1)
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        built(http_api_v2_event(None), None)
    assert json.loads(lines[1])["decision"] == "reject"
    create_function(SETTINGS, write=lines.append, clock=lambda: NOW)(rest_token_event(token()), None)
    assert json.loads(lines[2])["service"] == "jwt-authorizer"


def test_what_works_but_deserves_a_look_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    def warned(service: str, **settings: str) -> list[str]:
        create_function(SETTINGS | settings | {"POWERTOOLS_SERVICE_NAME": service}, write=len, clock=lambda: NOW)
        return [json.loads(line)["message"] for line in capsys.readouterr().out.splitlines()]

    # Powertools names its loggers by service, and each writes where the first of its name did.
    assert warned("quiet", JWT_LEEWAY_SECONDS="600") == []
    (http,) = warned("http", JWT_ALLOW_HTTP="true")
    assert http.startswith("JWT_ALLOW_HTTP is on")
    (leeway,) = warned("leeway", JWT_LEEWAY_SECONDS="601")
    assert leeway.startswith(f"JWT_LEEWAY_SECONDS is 601 for {ISSUER}")
