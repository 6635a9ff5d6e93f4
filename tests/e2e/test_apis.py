"""The deployed authorizer, called over HTTP and WebSocket, with the local issuer's tokens."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from demo.calls import Answer, Api
from demo.scenarios import AUDIENCE, SCOPE, Attempt, attempt, attempts, tokens

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
