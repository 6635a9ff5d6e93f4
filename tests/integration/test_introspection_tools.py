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

    def __init__(self, server: HostileServer, folder: Path) -> None:
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

    def reason(self, bearer: str, **settings: str) -> Any:  # noqa: ANN401 - of a log line
        """Have the function decide; return why not."""
        lines: list[str] = []
        function = create_function(self.settings | settings, write=lines.append, clock=lambda: NOW)
        with suppress(Exception):  # a refusal has no type of its own
            function(rest_request_event(bearer), None)
        return json.loads(lines[-1]).get("reason")


@pytest.fixture
def endpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Endpoint]:
    with HostileServer({}) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.port}")
        for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "DEFAULT_REGION"):
            monkeypatch.setenv(f"AWS_{name}", "eu-west-1")
        yield Endpoint(server, tmp_path)


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Any]:
    code = run([*arguments, "--json"])
    return code, json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    ("answered", "code", "shown"),
    [
        (
            {"active": True, "aud": "another-api", "sub": "user-1", "exp": 1e10, "ext": {"email": "a@example.com"}},
            1,
            {
                "active": "True",
                "aud": "another-api",
                "sub": "a string of 6",
                "exp": "10000000000.0",
                "ext": "an object of 1",
            },
        ),
        ({"active": False}, 1, {"error": "inactive_token: the issuer says that the token is not active"}),
    ],
    ids=["active", "inactive"],
)
def test_explain_shows_the_answer_and_neither_token_nor_secret_nor_person(
    endpoint: Endpoint, capsys: pytest.CaptureFixture[str], answered: object, code: int, shown: dict[str, str]
) -> None:
    endpoint.server.behaviors["/introspect"] = answer_json(answered)
    arguments = ("explain", OPAQUE, "--env", str(endpoint.env), "--introspect")
    explained = told(capsys, *arguments)
    assert (explained[0], explained[1]["introspection"]) == (code, shown)
    run(list(arguments))
    text = capsys.readouterr().out
    assert all(value in text for value in shown.values())
    assert not [it for it in (OPAQUE, SECRET) if it in text + json.dumps(explained)]
    assert not [it for it in ("user-1", "a@example.com") if it in json.dumps(explained[1]["introspection"])]


def test_an_opaque_token_is_explained_by_what_the_issuer_says(
    endpoint: Endpoint, capsys: pytest.CaptureFixture[str]
) -> None:
    active = {"active": True, "aud": AUDIENCE, "sub": "user-1", "exp": 1e10}
    endpoint.server.behaviors["/introspect"] = answer_json(active)
    code, explained = told(capsys, "explain", OPAQUE, "--env", str(endpoint.env))
    assert (code, explained["reason"]) == (0, None)
    assert [verdict["holds"] for verdict in explained["claims"] if verdict["claim"] == "aud"] == [True]
    endpoint.server.behaviors["/introspect"] = answer_json({**active, "aud": "another"})
    code, explained = told(capsys, "explain", OPAQUE, "--env", str(endpoint.env))
    assert (code, explained["reason"]) == (1, "invalid_audience")
    assert [verdict["holds"] for verdict in explained["claims"] if verdict["claim"] == "aud"] == [False]
    endpoint.server.behaviors["/introspect"] = INACTIVE
    code, explained = told(capsys, "explain", OPAQUE, "--env", str(endpoint.env))
    assert (code, explained["reason"]) == (1, "inactive_token")


def test_explain_says_what_is_missing(endpoint: Endpoint, capsys: pytest.CaptureFixture[str]) -> None:
    endpoint.env.write_text(f"JWT_ISSUER={endpoint.url}\nJWT_AUDIENCE={AUDIENCE}\nJWT_ALLOW_HTTP=true\n")
    code, explained = told(capsys, "explain", token(), "--env", str(endpoint.env), "--introspect")
    assert (code, "JWT_INTROSPECTION" in explained["error"]) == (2, True)


@pytest.mark.parametrize(
    ("behavior", "level", "said"),
    [
        (INACTIVE, "good", "accepts this API's credentials"),
        (answer(b"", status="401 Unauthorized"), "problem", "credentials"),
        (answer_json({"active": True}), "problem", "made-up"),
        (NOT_FOUND, "problem", "404"),
    ],
    ids=["good", "wrong secret", "accepts all", "gone"],
)
def test_doctor_tries_the_credentials_with_a_made_up_token(
    endpoint: Endpoint, capsys: pytest.CaptureFixture[str], behavior: Behavior, level: str, said: str
) -> None:
    endpoint.server.behaviors["/introspect"] = behavior
    _, told_all = told(capsys, "doctor", "--env", str(endpoint.env))
    found = [it for it in told_all["findings"] if it["topic"] == "introspection"]
    assert [found[0]["level"], "are not signed" in found[0]["said"]] == ["note", True]
    assert [found[1]["level"], said in found[1]["said"], SECRET in json.dumps(found)] == [level, True, False]


def test_doctor_names_the_algorithms_of_signed_answers(endpoint: Endpoint, capsys: pytest.CaptureFixture[str]) -> None:
    offered = {"introspection_signing_alg_values_supported": ["ES256", "none", "HS256"]}
    endpoint.server.behaviors[DISCOVERY] = answer_json(endpoint.metadata | offered)
    _, told_all = told(capsys, "doctor", "--env", str(endpoint.env))
    found = [it["said"] for it in told_all["findings"] if it["topic"] == "introspection"]
    assert ["signed with ES256." in found[0], "although its metadata offers one" in found[1]] == [True, True]


# The function itself, with what it asks over real HTTP.


def test_a_list_at_a_url(endpoint: Endpoint) -> None:
    revoked, bearer = f"{endpoint.url}/revoked", token({"iss": endpoint.url})
    endpoint.server.behaviors["/revoked"] = answer_json({"issuers": {endpoint.url: {"sub": {"user-1": NOW}}}})
    assert endpoint.reason(bearer, JWT_REVOKED=revoked) == "revoked_token"
    endpoint.server.behaviors["/revoked"] = NOT_FOUND
    assert endpoint.reason(bearer, JWT_REVOKED=revoked) == "revocation_unavailable"


def test_an_endpoint_at_a_url_and_a_secret_in_parameter_store(endpoint: Endpoint) -> None:
    at_a_url = {"JWT_INTROSPECTION": f"{endpoint.url}/introspect"}
    active = {"active": True, "sub": "user-1", "aud": AUDIENCE, "exp": NOW + 60}
    endpoint.server.behaviors["/introspect"] = answer_json(active)
    assert endpoint.reason(OPAQUE, **at_a_url) is None
    endpoint.server.behaviors["/introspect"] = answer_json(active | {"exp": "soon"})
    assert endpoint.reason(OPAQUE, **at_a_url) == "invalid_claim"
    endpoint.server.behaviors["/"] = NOT_FOUND
    assert endpoint.reason(OPAQUE, **at_a_url) == "introspection_unavailable"
    assert endpoint.server.asked.count("/introspect") == 2


@pytest.mark.parametrize(
    ("api", "path"),
    [
        ("rest:abc/prod", "/restapis/abc/stages/prod/cache/authorizers"),
        ("http:def/$default", "/v2/apis/def/stages/%24default/cache/authorizers"),
    ],
    ids=str,
)
def test_the_caches_of_both_kinds_of_apis_are_emptied(endpoint: Endpoint, api: str, path: str) -> None:
    endpoint.server.behaviors[path] = answer(b"", status="204 No Content")
    flush(api)
    assert [request.split(b" ", 2)[:2] for request in endpoint.server.requests] == [[b"DELETE", path.encode()]]
