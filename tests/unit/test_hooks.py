"""Your own check: what it sees, what it may return, and that it never widens an answer."""

from __future__ import annotations

import json
import re
import sys
from asyncio import CancelledError
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

import jwt_authorizer
from jwt_authorizer import Caller, Refuse, create_function
from jwt_authorizer.answers import AnswerSettings, CachedBy, HttpApiResponse
from jwt_authorizer.claim_conditions import parse_claim, parse_condition
from jwt_authorizer.errors import ErrorCode, SettingsError, TokenError
from jwt_authorizer.events import EventKind
from jwt_authorizer.rules import Route, compile_rules
from tests.factories import (
    AUDIENCE,
    EVENTS,
    ISSUER,
    NOW,
    Event,
    Watched,
    authorizer,
    environment,
    refused,
    rest_request_event,
    token,
)
from tests.unit.pages import DOCS, blocks

if TYPE_CHECKING:
    from jwt_authorizer.hooks import Check

RULES = compile_rules((Route(None, "/orders/{id}"), Route(None, "/admin", scopes=("admin",))))
NONE_ALLOWED = compile_rules((Route(None, "/orders/{id}", scopes=("admin",)),))


def seen(event: Event, cached_by: CachedBy) -> Caller:
    callers: list[Caller] = []
    Watched(authorizer(answers=AnswerSettings(cached_by=cached_by), check=callers.append))(event)
    (caller,) = callers
    return caller


# What it sees is what API Gateway's cache distinguishes.


@pytest.mark.parametrize("cached_by", CachedBy)
@pytest.mark.parametrize(
    ("kind", "route"),
    [
        (EventKind.REST_TOKEN, None),
        (EventKind.REST_REQUEST, "GET /orders/{id}"),
        (EventKind.WEBSOCKET, "$connect"),
        (EventKind.HTTP_API_V1, "ANY /orders/{id}"),
        (EventKind.HTTP_API_V2, "GET /orders/{id}"),
    ],
)
def test_it_sees_no_more_than_the_cache_distinguishes(kind: EventKind, route: str | None, cached_by: CachedBy) -> None:
    event = EVENTS[kind](token())
    if kind is EventKind.HTTP_API_V1:
        event["requestContext"] = {"resourcePath": "/orders/{id}"}
    caller = seen(event, cached_by)
    assert (caller.id, caller.issuer, caller.tenant) == ("user-1", ISSUER, None)
    assert caller.scopes == {"orders:read", "orders:write"}
    assert caller.claims["aud"] == AUDIENCE
    assert caller.route == (None if cached_by is CachedBy.TOKEN else route)
    if cached_by is CachedBy.NOTHING:
        assert caller.request is not None
        assert caller.request.path.startswith(("/orders", "$connect"))
    else:
        assert caller.request is None


def test_it_sees_the_headers_of_an_answer_that_is_not_cached() -> None:
    event = rest_request_event(token()) | {"multiValueHeaders": {"X-Flag": ["a", "b"]}}
    event["headers"] |= {"X-Flag": "b", "Host": "api.example.com"}
    request = seen(event, CachedBy.NOTHING).request
    assert request is not None
    assert (request.method, request.headers["x-flag"], request.headers["host"]) == ("GET", "a, b", "api.example.com")
    assert "api.example.com" not in repr(request)


def test_what_it_does_to_its_copy_of_the_claims_changes_no_decision() -> None:
    def promote(caller: Caller) -> None:
        cast("dict[str, object]", caller.claims)["team"] = "admins"

    users_alone = compile_rules((Route(None, "/orders/{id}", claims=(parse_condition("team", "users"),)),))
    function = Watched(authorizer(rules=users_alone, check=promote))
    bearer = token({"team": "users"})
    for _ in range(2):
        answer = function(rest_request_event(bearer))
        assert function.line["decision"] == "allow"
        assert json.loads(answer["context"]["claims"])["team"] == "users"


# What it may return.


@pytest.mark.parametrize("kind", EVENTS)
def test_it_adds_to_the_context(kind: EventKind) -> None:
    added: dict[str, str | int | float | bool] = {"plan": "gold", "limit": 5, "ratio": 0.5, "beta": True}
    answer = Watched(authorizer(check=lambda _: added))(EVENTS[kind](token()))
    assert added.items() <= answer["context"].items()
    assert answer["context"]["sub"] == "user-1"


@pytest.mark.parametrize("response", HttpApiResponse)
@pytest.mark.parametrize("kind", EVENTS)
def test_it_refuses_everything_that_the_answer_would_grant(kind: EventKind, response: HttpApiResponse) -> None:
    answers = AnswerSettings(http_api_response=response)
    function = Watched(authorizer(answers=answers, check=lambda _: Refuse("account_suspended")))
    answer = function(EVENTS[kind](token()))
    if "isAuthorized" in answer:
        assert answer["isAuthorized"] is False
    else:
        (statement,) = answer["policyDocument"]["Statement"]
        assert (statement["Effect"], statement["Resource"][0][-2:]) == ("Deny", "/*")
    assert answer["context"] == {
        "error": "access_denied",
        "reason": "refused_by_hook",
        "hook_reason": "account_suspended",
        "www_authenticate": 'Bearer error="insufficient_scope"',
    }
    line = function.line
    assert (line["decision"], line["reason"]) == ("deny", "refused_by_hook")
    assert (line["hook_reason"], line["hook_ms"]) == ("account_suspended", 0)


def test_it_is_asked_on_each_invocation_that_would_grant_anything() -> None:
    asked: list[str] = []

    def check(caller: Caller) -> Refuse | None:
        asked.append(caller.id)
        return Refuse("no") if len(asked) == 3 else None

    function = Watched(authorizer(rules=RULES, check=check))
    bearer = token()
    function(rest_request_event(bearer))
    refused = function(rest_request_event(bearer, resource="GET/admin"))  # its policy allows the other route
    assert function.line["token_cache"] == "hit"
    assert len(asked) == 2
    assert refused["context"]["reason"] == "insufficient_scope"
    function(rest_request_event(bearer, resource="GET/admin"))
    assert function.line["reason"] == "refused_by_hook"
    grants_nothing = Watched(authorizer(rules=NONE_ALLOWED, check=check))
    grants_nothing(rest_request_event(bearer))
    assert len(asked) == 3
    assert "hook_ms" not in grants_nothing.line


def raising(error: BaseException) -> Check:
    def check(_: Caller) -> None:
        raise error

    return check


@pytest.mark.parametrize(
    ("check", "detail"),
    [
        (raising(KeyError("s3cret")), "unexpected KeyError at test_hooks.py"),
        (raising(TokenError(ErrorCode.TOKEN_EXPIRED, "mine")), "unexpected TokenError"),
        (raising(CancelledError()), "unexpected CancelledError"),
        (lambda _: True, "bool"),
        (lambda _: Refuse, "type"),
        (lambda _: Refuse("has spaces"), "unexpected ValueError"),
        (lambda _: {"scope": "admin"}, "scope"),
        (lambda _: {"mail": "b@example.com"}, "mail"),
        (lambda _: {"a b": "x"}, "context key"),
        (lambda _: {1: "x"}, "context key"),
        (lambda _: {"plan": None}, "NoneType as plan"),
        (lambda _: {"plan": ["gold"]}, "list as plan"),
        (lambda _: {"plan": float("nan")}, "float as plan"),
        (lambda _: {"plan": "\ud800"}, "str as plan"),
        (lambda _: {"plan": 2**63}, "int as plan: expected a string, a finite number of at most 64 bits"),
        (lambda _: {"plan": -(2**63) - 1}, "int as plan"),
    ],
)
def test_its_mistakes_are_500_and_never_an_allow(check: Callable[[Caller], Any], detail: str) -> None:
    answers = AnswerSettings(context_claims=(("mail", parse_claim("email")),))
    function = Watched(authorizer(answers=answers, check=check))
    with refused(ErrorCode.HOOK_FAILED):
        function(rest_request_event(token()))
    assert detail in function.line["detail"]
    assert "s3cret" not in function.written[-1]


# How it is found.

MODULES = {
    match[1]: block.text
    for block in blocks("python", page=DOCS / "hooks.md")
    if (match := re.match(r"# bundled/(\w+)\.py", block.text))
}
"""The checks and the wrapper of docs/hooks.md."""
ENVIRONMENT = environment(JWT_HOOK="hook_of_test:check")
WORKING = "from jwt_authorizer import Refuse\n\ndef check(caller):\n    return {'plan': 'gold'}\n"


@pytest.fixture
def no_traces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    for name in ("hook_of_test", *MODULES):
        monkeypatch.delitem(sys.modules, name, raising=False)


@pytest.mark.usefixtures("no_traces")
@pytest.mark.parametrize("folder", ["package", "package/bundled", "bundled"], ids=["top", "below", "checkout"])
def test_it_is_imported_from_the_package_s_top_or_a_checkout(folder: str, tmp_path: Path) -> None:
    (tmp_path / "package").mkdir()
    (tmp_path / folder).mkdir(parents=True, exist_ok=True)
    (tmp_path / folder / "hook_of_test.py").write_text(WORKING)
    function = create_function(ENVIRONMENT, write=len, clock=lambda: NOW, package_root=tmp_path / "package")
    context = cast("Event", function(rest_request_event(token()), None)["context"])
    assert context["plan"] == "gold"


@pytest.mark.usefixtures("no_traces")
@pytest.mark.parametrize(
    ("source", "message"),
    [
        (None, "No module named 'hook_of_test'"),
        ("import no_such_module_of_mine", "hook_of_test.py:1"),
        ("import sys\nsys.exit(3)", "unexpected SystemExit at hook_of_test.py:2"),
        ("check: int = 5", "cannot be called with one argument"),
        ("def other(caller): ...", "no attribute 'check'"),
        ("def check(caller, event): ...", "cannot be called with one argument"),
        ("async def check(caller): ...", "is async"),
    ],
)
def test_one_that_cannot_work_stops_start_up(source: str | None, message: str, tmp_path: Path) -> None:
    if source is not None:
        (tmp_path / "hook_of_test.py").write_text(source)
    with pytest.raises(SettingsError) as caught:
        create_function(ENVIRONMENT, write=len, clock=lambda: NOW, package_root=tmp_path)
    (problem,) = caught.value.problems
    assert problem.name == "JWT_HOOK"
    assert message in problem.message


def test_the_public_names_are_there_and_no_other() -> None:
    assert all(callable(getattr(jwt_authorizer, name)) for name in jwt_authorizer.__all__)
    with pytest.raises(AttributeError):
        jwt_authorizer.nothing  # noqa: B018 - that is what is tried


# ---------------------------------------------------------------------------------------------------------------
# The checks and the wrapper of docs/hooks.md, run as they stand there.


@pytest.fixture
def bundled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, aws: None, no_traces: None) -> None:
    """Lay the modules into a package, with what they ask AWS for beside it."""
    del aws, no_traces
    for name, source in MODULES.items():
        (tmp_path / f"{name}.py").write_text(source)
    sys.path.append(str(tmp_path))
    stores = {"USERS_TABLE": "users", "SUSPENDED_BUCKET": "bucket", "SUSPENDED_KEY": "suspended.json"}
    for name, value in (environment() | stores).items():
        monkeypatch.setenv(name, value)
    client("s3").put_object(Bucket="bucket", Key="suspended.json", Body=b'{"users": ["user-1"]}')
    client("dynamodb").create_table(
        TableName="users",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "user", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "user", "KeyType": "HASH"}],
    )
    client("dynamodb").put_item(TableName="users", Item={"user": {"S": "user-1"}, "tenant": {"S": "acme"}})


def client(service: str) -> Any:  # noqa: ANN401 - boto3 makes its clients' types at run time
    return import_module("boto3").client(service)


def ask(hook: str, **claims: object) -> dict[str, Any]:
    function = create_function(environment(JWT_HOOK=f"{hook}:check"), write=len, clock=lambda: NOW)
    return cast("dict[str, Any]", function(rest_request_event(token(claims)), None)["context"])


@pytest.mark.usefixtures("bundled")
@pytest.mark.parametrize(
    ("hook", "claims", "added"),
    [
        ("checks", {}, {"plan": "gold"}),
        ("checks", {"scope": "blocked"}, {"hook_reason": "account_blocked"}),
        ("plans", {"plan": "team", "groups": ["beta-testers"]}, {"requests_per_hour": 5000, "beta": True}),
        ("plans", {}, {"plan": "free", "requests_per_hour": 100, "beta": False}),
        ("plans", {"plan": "platinum"}, {"hook_reason": "unknown_plan"}),
        ("tenants", {}, {"my_tenant": "acme"}),
        ("tenants", {"sub": "user-2"}, {"hook_reason": "no_tenant"}),
        ("suspended", {}, {"hook_reason": "account_suspended"}),
    ],
)
def test_each_check_of_the_page_does_what_it_says(hook: str, claims: dict[str, Any], added: dict[str, Any]) -> None:
    assert added.items() <= ask(hook, **claims).items()


@pytest.mark.usefixtures("bundled")
def test_the_wrapper_answers_its_own_events_and_passes_others_on() -> None:
    handler = import_module("wrapped").handler
    assert handler({"type": "warm-up"}, None) == {}
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        handler(rest_request_event("x"), None)
