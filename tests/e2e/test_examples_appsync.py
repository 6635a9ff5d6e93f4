"""examples/appsync: real GraphQL over HTTP. The local AWS asks the authorizer, and refuses where that refuses.

It does not null the fields of ``deniedFields``, which it does not read at all. So these are compared as the deployed
function answers them, and no test here shows that AppSync nulls them.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from demo.deployment import aws_client
from tests.e2e.examples import Example, Examples, Reply, bearer, send
from tests.unit.pages import EXAMPLES, table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from demo.stack import Stack

ROWS = table(EXAMPLES / "appsync" / "README.md", "Scopes of the token", "Status", "Denied", "The log says")
ORDER = "{ order(id: 7) { id owner state margin } }"
CANCEL = "mutation { cancelOrder(id: 7) { state } }"


@pytest.fixture(scope="module")
def example(examples: Examples) -> Example:
    return examples.deploy("appsync")


def ask(example: Example, token: str | None, query: str) -> Reply:
    host = f"{example.api.outputs['ApiId']}.appsync-api.us-east-1.amazonaws.com"
    return send(example.aws, "POST", "/graphql", {"Host": host, **bearer(token)}, json.dumps({"query": query}))


def denied(example: Example, token: str) -> list[str]:
    """Ask the deployed function itself, as AppSync asks it."""
    context = {"apiId": example.api.outputs["ApiId"], "queryString": ORDER}
    event = {"authorizationToken": f"Bearer {token}", "requestContext": context}
    name = example.authorizer.outputs["FunctionArn"]
    answer: Mapping[str, Any] = json.loads(
        aws_client("lambda", example.aws).invoke(FunctionName=name, Payload=json.dumps(event))["Payload"].read()
    )
    assert 0 < answer["ttlOverride"] <= 300
    return list(answer["deniedFields"])


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["Scopes of the token"])
def test_what_the_page_lists(example: Example, stack: Stack, row: dict[str, str]) -> None:
    issuer, kind = stack.issuer, row["Scopes of the token"]
    defect = {"(expired)": "expired", "(forged)": "forged"}.get(kind)
    scope = None if kind.startswith("(") or kind == "none" else kind
    token = issuer.token(audience=issuer.url, subject="alice", scope=scope, defect=defect)
    example.log.new()
    reply = ask(example, None if kind == "(no token)" else token, ORDER)
    assert (str(reply.status), example.said()) == (row["Status"], row["The log says"])
    if reply.status == 401:
        assert reply.json()["errors"][0]["errorType"] == "UnauthorizedException"
        assert "data" not in reply.json()
        return
    order = reply.json()["data"]["order"]
    assert (order["owner"], order["state"]) == ("alice", "open")
    assert denied(example, token) == [name for name in row["Denied"].split() if name != "(nothing)"]


def test_what_changes_something_asks_for_the_scope_itself(example: Example, stack: Stack) -> None:
    issuer = stack.issuer
    allowed = ask(example, issuer.token(audience=issuer.url, scope="orders:write"), CANCEL).json()
    assert allowed == {"data": {"cancelOrder": {"state": "cancelled"}}}
    refused = ask(example, issuer.token(audience=issuer.url, scope="orders:margins"), CANCEL).json()
    assert refused["data"] == {"cancelOrder": None}
    assert refused["errors"]
