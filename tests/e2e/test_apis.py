"""The deployed authorizer, called over HTTP and WebSocket, with the local issuer's tokens."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from demo.calls import Answer, Api
from demo.deployment import aws_client
from demo.scenarios import AUDIENCE, SCOPE, Attempt, attempt, attempts, tokens
from demo.tools import ROOT
from jwt_authorizer_devkit.issuer.faults import Fault, FaultKind
from tests.e2e.asking import ask

if TYPE_CHECKING:
    from demo.stack import Stack

ORDERS = "/orders"


@pytest.fixture(scope="module")
def minted(stack: Stack) -> dict[str, str | None]:
    return tokens(stack.issuer)


# In order: an attempt may count on what the one before it left in API Gateway's cache.
@pytest.mark.parametrize("what", list(attempts()), ids=lambda what: f"{what.api.name} {what.token} {what.path}")
def test_what_the_demo_shows(stack: Stack, minted: dict[str, str | None], what: Attempt) -> None:
    outcome = attempt(what, minted[what.token], stack.main.client, stack.main.log)
    assert outcome.problems == ()


def call(stack: Stack, api: Api, token: str, path: str = ORDERS) -> tuple[Answer, list[tuple[object, object]]]:
    """Call, and give the answer with the decisions and kinds of event that the function wrote down."""
    stack.main.log.new()
    answer = stack.main.client.call(api, "GET", path, {"Authorization": f"Bearer {token}"})
    return answer, [(line.get("reason") or line["decision"], line["event_kind"]) for line in stack.main.log.new()]


def good(stack: Stack, **more: object) -> str:
    return stack.issuer.token(more, audience=AUDIENCE, scope=SCOPE)


def test_a_token_authorizer(stack: Stack) -> None:
    answer, decisions = call(stack, Api.REST_TOKEN, good(stack, email="b@example.com"))
    assert (answer.status, answer.told["sub"], answer.claims["email"]) == (200, "user-1", "b@example.com")
    assert decisions == [("allow", "rest_token")]
    answer, decisions = call(stack, Api.REST_TOKEN, stack.issuer.token(audience=AUDIENCE, scope=SCOPE, defect="forged"))
    assert (answer.status, decisions) == (401, [("bad_signature", "rest_token")])
    answer, decisions = call(stack, Api.REST_TOKEN, stack.issuer.token(audience=AUDIENCE))
    assert (answer.status, decisions) == (403, [("insufficient_scope", "rest_token")])


def test_an_http_api_with_payload_1_0(stack: Stack) -> None:
    # The local AWS leaves out "version", so that the event is that of a REST API; the answer is the same.
    answer, _ = call(stack, Api.HTTP, good(stack), "/v1/orders")
    assert (answer.status, answer.told["sub"]) == (200, "user-1")
    answer, decisions = call(stack, Api.HTTP, stack.issuer.token(audience=AUDIENCE), "/v1/orders")
    assert (answer.status, decisions[0][0]) == (403, "insufficient_scope")


def test_claims_keep_their_types_where_the_api_can_carry_them(stack: Stack) -> None:
    token = good(stack, groups=["staff", "billing"], level=3, verified=True)
    for api in (Api.REST, Api.HTTP):
        answer, _ = call(stack, api, token)
        assert [answer.claims[name] for name in ("groups", "level", "verified")] == [["staff", "billing"], 3, True]


def test_a_refusal_is_cached_but_a_bad_token_is_not(stack: Stack) -> None:
    refused = stack.issuer.token(audience=AUDIENCE, scope="profile")
    assert call(stack, Api.REST, refused)[1] == [("insufficient_scope", "rest_request")]
    answer, decisions = call(stack, Api.REST, refused, "/orders/7")
    assert (answer.status, decisions) == (403, [])
    bad = stack.issuer.token(audience=AUDIENCE, defect="expired")
    for _ in range(2):
        answer, decisions = call(stack, Api.REST, bad)
        assert (answer.status, decisions) == (401, [("token_expired", "rest_request")])


def test_any_number_of_good_tokens_costs_one_fetch(stack: Stack) -> None:
    call(stack, Api.HTTP, good(stack))
    before = dict(stack.issuer.fetches)
    answers = [call(stack, Api.HTTP, good(stack))[0].status for _ in range(10)]
    assert answers == [200] * 10
    assert dict(stack.issuer.fetches) == before


def test_a_new_key_works_at_once(stack: Stack) -> None:
    call(stack, Api.HTTP, good(stack))
    stack.issuer.add_key("EdDSA")
    token = stack.issuer.token(audience=AUDIENCE, scope=SCOPE, key="EdDSA")
    answer, decisions = call(stack, Api.HTTP, token)
    assert (answer.status, decisions) == (200, [("allow", "http_api_v2")])


@pytest.mark.parametrize("defect", ["alg-none", "hmac-confusion", "tampered", "critical", "unknown-key", "opaque"])
def test_attacks_get_nowhere(stack: Stack, defect: str) -> None:
    answer, decisions = call(stack, Api.REST, stack.issuer.token(audience=AUDIENCE, scope=SCOPE, defect=defect))
    assert answer.status == 401
    assert len(decisions) == 1


def test_no_token_is_ever_written_down(stack: Stack) -> None:
    token = good(stack)
    bad = stack.issuer.token(audience=AUDIENCE, scope=SCOPE, defect="tampered")
    call(stack, Api.REST, token)
    call(stack, Api.REST, bad)
    log = stack.main.log.text()
    for part in (*token.split("."), *bad.split(".")[1:]):
        assert part not in log


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


# An issuer that is down when the function starts, as the API's clients see it.


def test_an_outage_is_a_500_that_no_cache_keeps_and_it_heals_by_itself(stack: Stack) -> None:
    issuer, authorizer = stack.issuer, stack.main
    token = issuer.token(audience=AUDIENCE, scope=SCOPE)
    issuer.misbehave("jwks", Fault(FaultKind.STATUS, 503))
    try:
        # The local AWS ends the function's process after each exception, so that the next call is a cold start.
        expired = issuer.token(audience=AUDIENCE, scope=SCOPE, defect="expired")
        assert ask(authorizer, Api.REST, expired) == (401, ["token_expired"])
        # The function starts all the same. Asked twice, since neither answer is to come from a cache.
        for _ in range(2):
            assert ask(authorizer, Api.REST, token) == (500, ["keys_unavailable"])
        # What needs no keys is refused as ever.
        assert ask(authorizer, Api.REST, expired) == (401, ["token_expired"])
    finally:
        issuer.heal()
    assert ask(authorizer, Api.REST, token) == (200, ["allow"])


# `jwt-authorizer doctor` looks at APIs that are deployed, through the AWS endpoints that they were deployed with.


def doctor(stack: Stack, *arguments: str) -> tuple[int, list[dict[str, Any]]]:
    done = subprocess.run(  # noqa: S603 - our own arguments
        [sys.executable, "-m", "jwt_authorizer_devkit.cli", "doctor", *arguments, "--json"],
        cwd=ROOT,
        env={
            "PATH": "/usr/bin:/bin",
            "AWS_ENDPOINT_URL": stack.aws.endpoint,
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
        },
        text=True,
        capture_output=True,
        timeout=60,
        check=False,
    )
    document = json.loads(done.stdout)
    return done.returncode, document.get("findings") or [document]


def test_the_demos_apis_fit_its_authorizer(stack: Stack) -> None:
    code, findings = doctor(stack, "--stack", "demo-apis")
    assert code == 0, findings
    described = " ".join(finding["said"] for finding in findings)
    for kind in ("REST API", "HTTP API", "WEBSOCKET API"):
        assert kind in described


def test_settings_that_do_not_fit_are_found(stack: Stack, tmp_path: Any) -> None:  # noqa: ANN401 - a Path
    env = tmp_path / "function.env"
    env.write_text(f"JWT_ISSUER={stack.issuer.url}\nJWT_AUDIENCE=x\nJWT_ALLOW_HTTP=true\nJWT_CACHED_BY=nothing\n")
    api_id = stack.main.client.outputs[Api.REST]
    code, findings = doctor(stack, "--api", str(api_id), "--env", str(env))
    (problem,) = [finding for finding in findings if finding["level"] == "problem"]
    assert code == 1
    assert "answers are for one request (JWT_CACHED_BY=nothing)" in problem["said"]
    assert f"--rest-api-id {api_id}" in problem["fix"]


def test_what_is_not_there_is_a_finding_or_wrong_input(stack: Stack) -> None:
    code, (answer,) = doctor(stack, "--stack", "never-deployed")
    assert (code, "There is no stack never-deployed" in answer["error"]) == (2, True)
    gateway = aws_client("apigateway", stack.aws)
    empty = gateway.create_rest_api(name="empty")["id"]
    try:
        code, (finding,) = doctor(stack, "--api", empty)
    finally:
        gateway.delete_rest_api(restApiId=empty)
    assert (code, finding["level"]) == (1, "problem")
    assert "has no routes" in finding["said"]
