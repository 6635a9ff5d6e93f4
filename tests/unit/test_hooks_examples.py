"""The checks and the wrapper of docs/hooks.md, run as they stand there."""

from __future__ import annotations

import json
import re
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest
from moto import mock_aws

from jwt_authorizer import create_function
from jwt_authorizer.errors import DecisionError
from jwt_authorizer_devkit.signing import key_set
from tests.factories import AUDIENCE, ISSUER, NOW, rest_request_event, signing_key, token
from tests.unit.pages import DOCS, blocks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

MODULES = {
    match[1]: block.text
    for block in blocks("python", page=DOCS / "hooks.md")
    if (match := re.match(r"# bundled/(\w+)\.py", block.text))
}
SETTINGS = {"JWT_ISSUER": ISSUER, "JWT_AUDIENCE": AUDIENCE, "JWT_JWKS": json.dumps(key_set((signing_key(),)))}


def client(service: str) -> Any:  # noqa: ANN401 - boto3 makes its clients' types at run time
    return import_module("boto3").client(service)


@pytest.fixture(name="bundled", autouse=True)
def _bundled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Lay the modules into a package, with AWS beside it."""
    for name, source in MODULES.items():
        (tmp_path / f"{name}.py").write_text(source)
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        yield
    for name in MODULES:
        sys.modules.pop(name, None)


def asking(hook: str) -> Callable[[str], dict[str, Any]]:
    function = create_function(SETTINGS | {"JWT_HOOK": hook}, write=len, clock=lambda: NOW)

    def ask(bearer: str) -> dict[str, Any]:
        context = function(rest_request_event(bearer), None)["context"]
        assert isinstance(context, dict)
        return context

    return ask


def test_the_tenant_of_a_user_comes_from_a_table_and_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("USERS_TABLE", "users")
    dynamodb = client("dynamodb")
    dynamodb.create_table(
        TableName="users",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "user", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "user", "KeyType": "HASH"}],
    )
    dynamodb.put_item(TableName="users", Item={"user": {"S": "user-1"}, "tenant": {"S": "acme"}})
    ask = asking("tenants:check")
    assert ask(token())["my_tenant"] == "acme"
    assert ask(token({"sub": "user-2"}))["hook_reason"] == "no_tenant"
    dynamodb.delete_table(TableName="users")
    assert ask(token({"jti": "another"}))["my_tenant"] == "acme"
    with pytest.raises(DecisionError, match="hook_failed"):
        ask(token({"sub": "user-3"}))


def test_suspended_users_come_from_a_list_that_outlives_an_outage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUSPENDED_BUCKET", "bucket")
    monkeypatch.setenv("SUSPENDED_KEY", "suspended.json")
    ask = asking("suspended:check")
    with pytest.raises(DecisionError, match="hook_failed"):
        ask(token())
    s3 = client("s3")
    s3.create_bucket(Bucket="bucket")
    s3.put_object(Bucket="bucket", Key="suspended.json", Body=b'{"users": ["user-1"]}')
    assert ask(token())["hook_reason"] == "account_suspended"
    assert "hook_reason" not in ask(token({"sub": "user-2"}))
    monkeypatch.setattr(import_module("suspended"), "_read_again", 0.0)
    s3.put_object(Bucket="bucket", Key="suspended.json", Body=b"[]")
    assert ask(token())["hook_reason"] == "account_suspended"


def test_plan_and_limits_come_from_the_token() -> None:
    ask = asking("plans:check")
    gold = ask(token({"plan": "team", "groups": ["beta-testers"]}))
    assert (gold["plan"], gold["requests_per_hour"], gold["beta"]) == ("team", 5000, True)
    assert ask(token())["requests_per_hour"] == 100
    assert ask(token({"plan": "platinum"}))["hook_reason"] == "unknown_plan"


def test_the_first_check_refuses_and_adds() -> None:
    ask = asking("checks:check")
    assert ask(token())["plan"] == "gold"
    assert ask(token({"scope": "blocked"}))["hook_reason"] == "account_blocked"


def test_the_wrapper_answers_its_own_events_and_passes_others_on(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)
    handler = import_module("wrapped").handler
    assert handler({"type": "warm-up"}, None) == {}
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        handler(rest_request_event("x"), None)
