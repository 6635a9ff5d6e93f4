"""The deployed authorizer, called over HTTP and WebSocket, with the local issuer's tokens."""

import itertools
import json
from pathlib import Path

import pytest

from demo.calls import Api
from demo.scenarios import AUDIENCE, SCOPE, Attempt, attempt, attempts, tokens
from demo.stack import Stack
from jwt_authorizer_devkit.cli.app import run
from tests.e2e.asking import ask


@pytest.fixture(scope="module")
def minted(stack: Stack) -> dict[str, str | None]:
    return tokens(stack.issuer)


# In order: an attempt may count on what the one before it left in API Gateway's cache.
@pytest.mark.parametrize("what", list(attempts()), ids=lambda what: f"{what.api.name} {what.token} {what.path}")
def test_what_the_demo_shows(stack: Stack, minted: dict[str, str | None], what: Attempt) -> None:
    outcome = attempt(what, minted[what.token], stack.main.client, stack.main.log)
    assert outcome.problems == ()


def test_an_http_api_with_payload_1_0(stack: Stack) -> None:
    # The local AWS leaves out "version", so that the event is that of a REST API; the answer is the same.
    assert ask(stack.main, Api.HTTP, stack.issuer.token(audience=AUDIENCE, scope=SCOPE), "/v1/orders")[0] == 200
    unscoped = stack.issuer.token(audience=AUDIENCE)
    assert ask(stack.main, Api.HTTP, unscoped, "/v1/orders") == (403, ["insufficient_scope"])


# What the demo's rules say about each request, by the token's scope.
VERDICTS = {
    "orders:read": {("GET", "/orders"): 200, ("GET", "/orders/7"): 200, ("DELETE", "/orders/7"): 403},
    "orders:write": {("GET", "/orders"): 403, ("GET", "/orders/7"): 403, ("DELETE", "/orders/7"): 200},
    "orders:read orders:write": {("GET", "/orders"): 200, ("GET", "/orders/7"): 200, ("DELETE", "/orders/7"): 200},
}


@pytest.mark.parametrize("scope", VERDICTS)
@pytest.mark.parametrize("api", [Api.REST, Api.HTTP])
def test_whatever_is_asked_first_each_request_gets_its_own_verdict(stack: Stack, api: Api, scope: str) -> None:
    verdicts = VERDICTS[scope]
    for order in itertools.permutations(verdicts):
        # A token of its own for each order, since API Gateway caches by token.
        headers = {"Authorization": f"Bearer {stack.issuer.token(audience=AUDIENCE, scope=scope)}"}
        stack.main.log.new()
        statuses = {(method, path): stack.main.client.call(api, method, path, headers).status for method, path in order}
        assert statuses == verdicts, f"asked in the order {order}"
        # A REST API's policy is cached for all routes, an HTTP API's answer for each route.
        assert len(stack.main.log.new()) == (1 if api is Api.REST else len(order))


# `jwt-authorizer doctor` looks at APIs that are deployed, through the AWS endpoints that they were deployed with.


@pytest.mark.usefixtures("at_the_local_aws")
def test_doctor_looks_at_deployed_apis(stack: Stack, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor", "--stack", "demo-apis", "--json"]) == 0
    described = " ".join(finding["said"] for finding in json.loads(capsys.readouterr().out)["findings"])
    assert all(kind in described for kind in ("REST API", "HTTP API", "WEBSOCKET API"))

    env = tmp_path / "function.env"
    env.write_text(f"JWT_ISSUER={stack.issuer.url}\nJWT_AUDIENCE=x\nJWT_ALLOW_HTTP=true\nJWT_CACHED_BY=nothing\n")
    api_id = str(stack.main.client.outputs[Api.REST])
    assert run(["doctor", "--api", api_id, "--env", str(env), "--json"]) == 1
    findings = json.loads(capsys.readouterr().out)["findings"]
    (problem,) = [finding for finding in findings if finding["level"] == "problem"]
    assert "JWT_CACHED_BY=nothing" in problem["said"]
    assert f"--rest-api-id {api_id}" in problem["fix"]

    for name, said in (("demo-authorizer", "has no API of API Gateway"), ("gone", "There is no stack gone")):
        assert run(["doctor", "--stack", name]) == 2
        assert said in capsys.readouterr().err
