"""examples/websocket-query: a token in the query, and who speaks on the messages that follow."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

from demo.deployment import aws_client
from demo.local_aws import HOST
from tests.e2e.examples import Example, Examples, misfits
from tests.unit.pages import EXAMPLES, table

if TYPE_CHECKING:
    from demo.stack import Stack

ROWS = table(EXAMPLES / "websocket-query" / "README.md", "Call", "Token", "Status", "The log says")
SWITCHED = "101"


@pytest.fixture(scope="module")
def example(examples: Examples) -> Example:
    return examples.deploy("websocket-query", api={"AccessLog": "on"})


def connected(example: Example, token: str | None) -> ClientConnection:
    query = "" if token is None else "?" + urlencode({"token": token})
    return connect(f"ws://{HOST}:{example.aws.port}{example.path()}{query}", proxy=None)


def spoken(socket: ClientConnection, text: str) -> dict[str, str]:
    socket.send(text)
    answer: dict[str, str] = json.loads(socket.recv(30))
    return answer


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["Token"])
def test_what_the_page_lists(example: Example, stack: Stack, row: dict[str, str]) -> None:
    issuer, kind = stack.issuer, row["Token"]
    defect = {"expired": "expired", "wrong audience": "wrong-audience"}.get(kind)
    lifetime = 3600 if kind == "long-lived" else 300
    token = None if kind == "none" else issuer.token(audience=issuer.url, lifetime=lifetime, defect=defect)
    example.log.new()
    try:
        with connected(example, token):
            status = SWITCHED
    except InvalidStatus as error:
        status = str(error.response.status_code)
    said = example.said()
    # The local AWS turns only a REST API's Unauthorized into 401. A missing token it refuses by itself.
    wanted = "500" if row["Status"] == "401" and kind != "none" else row["Status"]
    assert (status, said) == (wanted, row["The log says"])


def test_each_message_has_its_speaker(example: Example, stack: Stack) -> None:
    issuer = stack.issuer
    example.log.new()
    with (
        connected(example, issuer.token(audience=issuer.url, subject="alice")) as alice,
        connected(example, issuer.token(audience=issuer.url, subject="bob")) as bob,
    ):
        for _ in range(2):
            assert spoken(alice, "hello") == {"from": "alice", "said": "hello"}
            assert spoken(bob, '{"from": "alice"}') == {"from": "bob", "said": '{"from": "alice"}'}
    # The authorizer was asked once for each connection, and about no message.
    assert [line["route"] for line in example.log.new()] == ["$connect", "$connect"]


def test_nobody_is_served_whose_token_has_ended(example: Example, stack: Stack) -> None:
    issuer, now = stack.issuer, time.time()
    # The leeway for clocks that differ lets it connect, so that there is nothing to wait for.
    ended = issuer.token({"iat": now - 100, "exp": now - 10}, audience=issuer.url)
    with connected(example, ended) as socket:
        assert spoken(socket, "hello") == {"error": "token_expired"}


def test_no_log_is_told_of_the_query(example: Example) -> None:
    api = example.api.resources()["Api"]
    (stage,) = aws_client("apigatewayv2", example.aws).get_stages(ApiId=api)["Items"]
    assert set(json.loads(stage["AccessLogSettings"]["Format"]).values()) == {
        "$context.requestId",
        "$context.eventType",
        "$context.routeKey",
        "$context.connectionId",
        "$context.status",
        "$context.authorizer.principalId",
    }
    # Execution logs hold whole requests.
    assert stage["DefaultRouteSettings"].get("LoggingLevel", "OFF") == "OFF"
    assert not stage["DefaultRouteSettings"].get("DataTraceEnabled", False)


def test_the_api_fits_the_authorizers_settings(example: Example) -> None:
    assert misfits(example) == []
