"""Introspection at the desk: what ``explain --introspect`` and ``doctor`` make of an endpoint's answers."""

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from jwt_authorizer.function import create_function
from jwt_authorizer.revoker import flush
from jwt_authorizer_devkit.cli.app import run
from tests.factories import AUDIENCE, NOW, environment, rest_request_event, token
from tests.integration.hostile_server import NOT_FOUND, Behavior, HostileServer, answer, answer_json

SECRET, OPAQUE = "s3cret-of-the-api", "opaque-token-of-a-user"
INACTIVE = answer_json({"active": False})
DISCOVERY = "/.well-known/openid-configuration"


class Endpoint:
    """An issuer over HTTP, Parameter Store with the API's secret, and the settings for both."""

    def __init__(self, server: HostileServer, folder: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.capture = capture
        self.url, self.server, self.env = f"http://127.0.0.1:{server.port}", server, folder / "function.env"
        self.metadata: dict[str, object] = {"issuer": self.url, "introspection_endpoint": f"{self.url}/introspect"}
        server.behaviors |= {
            DISCOVERY: answer_json(self.metadata),
            "/introspect": INACTIVE,
            "/": answer_json({"Parameter": {"Value": SECRET}}),  # every call to Parameter Store
        }
        self.settings = environment(
            JWT_ISSUER=self.url,
            JWT_ALLOW_HTTP="true",
            JWT_INTROSPECTION="discovery",
            JWT_INTROSPECTION_CLIENT_ID="orders-api",
            JWT_INTROSPECTION_SECRET="ssm:/orders-api",
        )
        self.env.write_text("".join(f"{name}={value}\n" for name, value in self.settings.items()))

    def printed(self, *arguments: str) -> tuple[int, str]:
        """Run a command with these settings; return its exit code and what it prints."""
        return run([*arguments, "--env", str(self.env)]), self.capture.readouterr().out

    def told(self, *arguments: str) -> tuple[int, Any]:
        code, text = self.printed(*arguments, "--json")
        return code, json.loads(text)

    def line(self, bearer: str, **settings: str) -> dict[str, Any]:
        """Have the function decide; return its log line."""
        lines: list[str] = []
        function = create_function(self.settings | settings, write=lines.append, clock=lambda: NOW)
        with suppress(Exception):  # a refusal has no type of its own
            function(rest_request_event(bearer), None)
        return dict(json.loads(lines[-1]))


@pytest.fixture
def endpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Endpoint]:
    with HostileServer({}) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.port}")
        for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "DEFAULT_REGION"):
            monkeypatch.setenv(f"AWS_{name}", "eu-west-1")
        yield Endpoint(server, tmp_path, capsys)


ACTIVE = {"active": True, "aud": AUDIENCE, "sub": "user-1", "exp": 1e10, "ext": {"email": "a@example.com"}}
ABOUT = {"active": "True", "sub": "a string of 6", "exp": "10000000000.0", "ext": "an object of 1"}
NOT_ACTIVE = {"error": "inactive_token: the issuer says that the token is not active"}


@pytest.mark.parametrize(
    ("answered", "reason", "shown"),
    [
        (ACTIVE, None, ABOUT | {"aud": AUDIENCE}),
        (ACTIVE | {"aud": "another"}, "invalid_audience", ABOUT | {"aud": "another"}),
        ({"active": False}, "inactive_token", NOT_ACTIVE),
    ],
    ids=str,
)
def test_an_opaque_token_is_explained_by_what_the_issuer_says_without_secrets_and_persons(
    endpoint: Endpoint, answered: object, reason: str | None, shown: dict[str, str]
) -> None:
    endpoint.server.behaviors["/introspect"] = answer_json(answered)
    code, explained = endpoint.told("explain", OPAQUE)
    assert (code, explained["reason"]) == (0 if reason is None else 1, reason)
    held = [verdict["holds"] for verdict in explained["claims"] if verdict["claim"] == "aud"]
    assert held == ([reason is None] if "aud" in shown else [])
    code, explained = endpoint.told("explain", OPAQUE, "--introspect")
    assert (explained["reason"], explained["introspection"]) == (reason, shown)
    assert not [it for it in ("user-1", "a@example.com") if it in json.dumps(explained["introspection"])]
    text = endpoint.printed("explain", OPAQUE, "--introspect")[1]
    assert all(value in text for value in shown.values())
    assert not [it for it in (OPAQUE, SECRET) if it in text + json.dumps(explained)]


SIGNED = {"introspection_signing_alg_values_supported": ["ES256", "none", "HS256"]}


@pytest.mark.parametrize(
    ("behavior", "more", "said"),
    [
        (INACTIVE, {}, [("note", "are not signed"), ("good", "accepts this API's credentials")]),
        (answer(b"", status="401 No"), {}, [("note", "are not signed"), ("problem", "credentials")]),
        (answer_json({"active": True}), {}, [("note", "are not signed"), ("problem", "made-up")]),
        (INACTIVE, SIGNED, [("note", "signed with ES256."), ("problem", "although its metadata offers one")]),
    ],
    ids=["good", "wrong secret", "accepts all", "signs nothing"],
)
def test_doctor_tries_the_credentials_with_a_made_up_token(
    endpoint: Endpoint, behavior: Behavior, more: dict[str, object], said: list[tuple[str, str]]
) -> None:
    endpoint.server.behaviors |= {"/introspect": behavior, DISCOVERY: answer_json(endpoint.metadata | more)}
    found = [it for it in endpoint.told("doctor")[1]["findings"] if it["topic"] == "introspection"]
    assert SECRET not in json.dumps(found)
    for finding, (level, text) in zip(found, said, strict=True):
        assert (finding["level"], text in finding["said"]) == (level, True), finding


# The function itself, with what it asks over real HTTP.


def test_a_list_at_a_url_and_one_that_cannot_be_read_which_never_stops_start_up(endpoint: Endpoint) -> None:
    revoked, bearer = f"{endpoint.url}/revoked", token({"iss": endpoint.url})
    endpoint.server.behaviors["/revoked"] = answer_json({"issuers": {endpoint.url: {"sub": {"user-1": NOW}}}})
    line = endpoint.line(bearer, JWT_REVOKED=revoked)
    assert (line["reason"], line["RevocationListReads"]) == ("revoked_token", 1)
    for behavior in (NOT_FOUND, answer_json([])):
        endpoint.server.behaviors["/revoked"] = behavior
        line = endpoint.line(bearer, JWT_REVOKED=revoked)
        assert (line["reason"], line["RevocationListFailures"]) == ("revocation_unavailable", 1)


def test_an_endpoint_at_a_url_and_a_secret_in_parameter_store(endpoint: Endpoint) -> None:
    at_a_url = {"JWT_INTROSPECTION": f"{endpoint.url}/introspect"}
    active = {"active": True, "sub": "user-1", "aud": AUDIENCE, "exp": NOW + 60}
    for answered, secret, reason in (
        (active, answer_json({"Parameter": {"Value": SECRET}}), None),
        (active | {"exp": "soon"}, answer_json({"Parameter": {"Value": SECRET}}), "invalid_claim"),
        (active, NOT_FOUND, "introspection_unavailable"),
    ):
        endpoint.server.behaviors |= {"/introspect": answer_json(answered), "/": secret}
        assert endpoint.line(OPAQUE, **at_a_url).get("reason") == reason
    assert endpoint.server.asked.count("/introspect") == 2


def test_the_caches_of_both_kinds_of_apis_are_emptied(endpoint: Endpoint) -> None:
    rest, http = "/restapis/abc/stages/prod/cache/authorizers", "/v2/apis/def/stages/%24default/cache/authorizers"
    endpoint.server.behaviors |= dict.fromkeys((rest, http), answer(b"", status="204 No Content"))
    for api in ("rest:abc/prod", "http:def/$default"):
        flush(api)
    asked = [request.split(b" ", 2)[:2] for request in endpoint.server.requests]
    assert asked == [[b"DELETE", rest.encode()], [b"DELETE", http.encode()]]
