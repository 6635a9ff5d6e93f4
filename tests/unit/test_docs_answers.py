"""What the docs show of the authorizer's answers is what it answers, and the backends they show can read it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Any, cast

import pytest

from jwt_authorizer.answers import AnswerSettings, iam_policy, simple_response
from jwt_authorizer.authorize import Findings
from jwt_authorizer.claims import ClaimRules, VerifiedToken, check_claims
from jwt_authorizer.errors import Reason
from jwt_authorizer.events import read_event
from jwt_authorizer.issuers.cache import FETCH_FAILURES, FETCHES, STALE_SERVED
from jwt_authorizer.log_line import Journal
from jwt_authorizer.policies import Statement
from jwt_authorizer.rules import Allow, Deny
from tests.unit.pages import DOCS, EXAMPLES, Block, blocks, read_yaml

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from jwt_authorizer.claims import Principal
    from jwt_authorizer.events import Request

ISSUER = "https://myapp.authgear.cloud"
IS_VERIFIED = "https://authgear.com/claims/user/is_verified"
ARN = "arn:aws:execute-api:eu-west-1:123456789012:abcdef1234/prod/GET/orders"
BEFORE_IT_ENDS = 1_795_480_000.0
ANSWERS = AnswerSettings(context_claims=(("is_verified", IS_VERIFIED),))
ALLOWED = (Statement("Allow", ("*",)),)
REFUSED = (Statement("Deny", ("*",)),)


def _principal() -> Principal:
    claims: dict[str, object] = {
        "iss": ISSUER,
        "sub": "user-1",
        "aud": "https://api.example.com",
        "exp": 1795487147,
        "scope": "openid orders:read",
        IS_VERIFIED: True,
    }
    return check_claims(VerifiedToken(ISSUER, claims), ClaimRules(), BEFORE_IT_ENDS)


def _rest_request() -> Request:
    return read_event({"type": "REQUEST", "methodArn": ARN})


def _rest_backend_event() -> dict[str, Any]:
    """Make what a REST API's backend gets: API Gateway hands on each value of the context as text."""
    answer = iam_policy(_rest_request(), _principal(), Allow(None), ALLOWED, ANSWERS)
    context = cast("dict[str, object]", answer["context"])
    texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in context.items()}
    return {"requestContext": {"authorizer": {"principalId": answer["principalId"], **texts}}}


def _http_backend_event() -> dict[str, Any]:
    context = simple_response(_principal(), Allow(None), ANSWERS)["context"]
    return {"requestContext": {"authorizer": {"lambda": context}}}


BACKENDS = [block for block in blocks("python") if "def handler(" in block.text]
EVENTS = [pytest.param(_rest_backend_event, id="REST"), pytest.param(_http_backend_event, id="HTTP")]


def test_the_events_shown_to_backends_are_what_the_authorizer_makes() -> None:
    shown = [json.loads(block.text) for block in blocks("json", page=DOCS / "backends.md")]
    assert shown == [_rest_backend_event(), _http_backend_event()]


@pytest.mark.parametrize("make_event", EVENTS)
@pytest.mark.parametrize("block", BACKENDS, ids=str)
def test_backends_in_python_read_them(block: Block, make_event: Callable[[], dict[str, Any]]) -> None:
    names: dict[str, Any] = {}
    exec(compile(block.text, str(block), "exec"), names)  # noqa: S102 - our own documentation
    answer = names["handler"](make_event(), None)
    assert answer["statusCode"] == 200
    assert "user-1" in answer["body"]


@pytest.mark.parametrize("block", BACKENDS, ids=str)
def test_backends_in_python_fail_on_a_route_without_an_authorizer(block: Block) -> None:
    names: dict[str, Any] = {}
    exec(compile(block.text, str(block), "exec"), names)  # noqa: S102 - our own documentation
    with pytest.raises(KeyError):
        names["handler"]({"requestContext": {}}, None)


@pytest.mark.skipif(shutil.which("node") is None, reason="there is no node to run JavaScript with")
@pytest.mark.parametrize("make_event", EVENTS)
@pytest.mark.parametrize("block", blocks("javascript"), ids=str)
def test_backends_in_node_read_them(block: Block, make_event: Callable[[], dict[str, Any]], tmp_path: Path) -> None:
    module = tmp_path / "backend.mjs"
    call = f"console.log(JSON.stringify(await handler({json.dumps(make_event())})));"
    module.write_text(f"{block.text}\n{call}\n", "utf-8")
    ran = subprocess.run(["node", module], capture_output=True, text=True, check=True)  # noqa: S603, S607 - our own
    answer = json.loads(ran.stdout)
    assert answer["statusCode"] == 200
    assert "user-1" in answer["body"]


def test_gateway_responses_name_what_a_refusal_says() -> None:
    deny = Deny(Reason.INSUFFICIENT_SCOPE, ("orders:write",), None)
    refusal = cast("dict[str, str]", iam_policy(_rest_request(), _principal(), deny, REFUSED, ANSWERS)["context"])
    shown = _gateway_responses()["ACCESS_DENIED"]["ResponseTemplates"]["application/json"]
    filled = re.sub(r"\$context\.authorizer\.([a-z_]+)", lambda match: refusal[match[1]], shown)
    example = blocks("http", page=DOCS / "gateway-responses.md")[0].text
    assert filled == example.rpartition("\n\n")[2].strip()


def test_the_scope_of_a_refusal_that_allows_other_routes_is_what_the_token_has() -> None:
    deny = Deny(Reason.INSUFFICIENT_SCOPE, ("orders:write",), None)
    context = cast("dict[str, str]", iam_policy(_rest_request(), _principal(), deny, ALLOWED, ANSWERS)["context"])
    assert (context["scope"], context["required_scope"]) == ("openid orders:read", "orders:write")


def _gateway_responses() -> dict[str, Any]:
    (shown,) = blocks("yaml", page=DOCS / "gateway-responses.md")
    responses: dict[str, Any] = read_yaml(shown.text)["GatewayResponses"]
    return responses


def test_the_gateway_responses_shown_are_those_of_the_example() -> None:
    example = read_yaml((EXAMPLES / "rest-routes" / "template.yaml").read_text("utf-8"))
    assert _gateway_responses() == example["Resources"]["Api"]["Properties"]["GatewayResponses"]


def test_the_statement_shown_that_ends_with_its_token_is_the_one_made() -> None:
    settings = AnswerSettings(end_with_token=True)
    answer = iam_policy(_rest_request(), _principal(), Allow(None), ALLOWED, settings)
    document = cast("dict[str, Any]", answer["policyDocument"])
    assert [json.loads(block.text) for block in blocks("json", page=DOCS / "end-with-token.md")] == document[
        "Statement"
    ]


def test_the_log_line_shown_is_the_one_written() -> None:
    (shown,) = (json.loads(block.text) for block in blocks("json", page=DOCS / "errors.md"))
    lines: list[str] = []
    journal = Journal(lines.append, "jwt-authorizer")
    event = {
        "type": "REQUEST",
        "methodArn": ARN,
        "resource": "/orders/{id}",
        "requestContext": {"requestId": shown["request_id"]},
    }
    deny = Deny(Reason.INSUFFICIENT_SCOPE, ("orders:write",), shown["route"])
    findings = Findings(
        request=read_event(event),
        issuer=shown["issuer"],
        alg=shown["alg"],
        kid=shown["kid"],
        token_cache=shown["token_cache"],
        principal=_principal(),
        decision=deny,
    )
    for _ in range(2):  # the first one counts the cold start as well
        journal.decided(
            "deny",
            deny.reason,
            None,
            findings,
            now=1795487147.5,
            duration=0.0003,
            function_request_id=shown["function_request_id"],
        )
    assert shown == json.loads(lines[1])


def test_the_metrics_listed_are_those_there_are() -> None:
    page = (DOCS / "errors.md").read_text("utf-8")
    listed = re.findall(r"^\| `([A-Za-z]+)` \|", page, re.MULTILINE)
    assert listed == ["Decisions", "StartFailures", "ColdStarts", FETCHES, FETCH_FAILURES, STALE_SERVED]
