"""The revocation list and the introspection endpoint by URL, and the emptying of caches, over real HTTP."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3  # type: ignore[import-untyped]  # AWS ships no types
import pytest
from moto import mock_aws

from jwt_authorizer.answer_caches import Api, flush
from jwt_authorizer.function import create_function
from jwt_authorizer_devkit.signing import key_set
from tests.factories import AUDIENCE, ISSUER, NOW, rest_request_event, signing_key, token
from tests.integration.hostile_server import NOT_FOUND, HostileServer, answer, answer_json

if TYPE_CHECKING:
    from collections.abc import Iterator

ENVIRONMENT = {
    "JWT_ISSUER": ISSUER,
    "JWT_AUDIENCE": AUDIENCE,
    "JWT_JWKS": json.dumps(key_set((signing_key(),))),
    "JWT_ALLOW_HTTP": "true",
}
REVOKED = {"issuers": {ISSUER: {"sub": {"user-1": NOW}}}}


@pytest.fixture
def server() -> Iterator[HostileServer]:
    with HostileServer({}) as server:
        yield server


def reason(environment: dict[str, str], bearer: str) -> Any:  # noqa: ANN401 - of a log line
    lines: list[str] = []
    function = create_function(ENVIRONMENT | environment, write=lines.append, clock=lambda: NOW)
    try:
        function(rest_request_event(bearer), None)
    except Exception as error:  # noqa: BLE001 - the refusal has no type of its own
        assert str(error)  # noqa: PT017 - what counts is in the line
    return json.loads(lines[-1]).get("reason")


def test_a_list_at_a_url(server: HostileServer) -> None:
    server.behaviours["/revoked"] = answer_json(REVOKED)
    assert reason({"JWT_REVOKED": f"http://127.0.0.1:{server.port}/revoked"}, token()) == "revoked_token"
    server.behaviours["/revoked"] = NOT_FOUND
    assert reason({"JWT_REVOKED": f"http://127.0.0.1:{server.port}/revoked"}, token()) == "revocation_unavailable"


def test_an_endpoint_at_a_url_and_a_secret_in_parameter_store(
    server: HostileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    active = {"active": True, "sub": "user-1", "aud": AUDIENCE, "exp": NOW + 60}
    server.behaviours["/introspect"] = answer_json(active)
    asking = {
        "JWT_INTROSPECTION": f"http://127.0.0.1:{server.port}/introspect",
        "JWT_INTROSPECTION_CLIENT_ID": "orders-api",
        "JWT_INTROSPECTION_SECRET": "ssm:/orders-api/secret",
    }
    with mock_aws():
        boto3.client("ssm").put_parameter(Name="/orders-api/secret", Value="s3cret", Type="SecureString")
        assert reason(asking, "opaque-token") is None
        server.behaviours["/introspect"] = answer_json(active | {"exp": "soon"})
        assert reason(asking, "opaque-token") == "invalid_claim"
        boto3.client("ssm").delete_parameter(Name="/orders-api/secret")
        assert reason(asking, "opaque-token") == "introspection_unavailable"
    assert [request.split(b" ", 1)[0] for request in server.requests] == [b"POST", b"POST"]


@pytest.mark.parametrize(
    ("api", "path"),
    [
        (Api("abc", "prod", is_rest=True), "/restapis/abc/stages/prod/cache/authorizers"),
        (Api("def", "$default", is_rest=False), "/v2/apis/def/stages/%24default/cache/authorizers"),
    ],
    ids=str,
)
def test_the_caches_of_both_kinds_of_apis_are_emptied(
    server: HostileServer, monkeypatch: pytest.MonkeyPatch, api: Api, path: str
) -> None:
    server.behaviours[path] = answer(b"", status="204 No Content")
    for name, value in {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.port}",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }.items():
        monkeypatch.setenv(name, value)
    flush(api)
    assert [request.split(b" ", 2)[:2] for request in server.requests] == [[b"DELETE", path.encode()]]
