"""examples/websocket-query: a token in the query, and who speaks on the messages that follow."""

import contextlib
import json
import time
from collections.abc import Iterator, Sequence
from threading import Thread
from urllib.parse import urlencode

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.http11 import Request, Response
from websockets.sync.client import ClientConnection, connect
from websockets.sync.server import ServerConnection, serve
from websockets.typing import Subprotocol

from demo.deployment import aws_client
from demo.local_aws import HOST
from demo.stack import Stack
from tests.e2e.chromium import Run, open_page
from tests.e2e.examples import Example, Examples, misfits, named_token
from tests.unit.pages import EXAMPLES, table

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
    example.log.new()
    try:
        with connected(example, named_token(stack.issuer, row["Token"])):
            status = SWITCHED
    except InvalidStatus as error:
        status = str(error.response.status_code)
    said = example.said()
    # The local AWS turns only a REST API's Unauthorized into 401. A missing token it refuses by itself.
    wanted = "500" if row["Status"] == "401" and row["Token"] != "none" else row["Status"]
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


def test_the_apis_fit_the_authorizers_settings(example: Example, example_of_browser: Example) -> None:
    assert misfits(example) == misfits(example_of_browser) == []


# examples/websocket-browser: its page in a real Chromium, before the deployed API.


FOLDER = EXAMPLES / "websocket-browser"
ROWS_BROWSER = table(FOLDER / "README.md", "Offered", "Token", "The page sees", "The log says")
HEADER = "Sec-WebSocket-Protocol"
SUBMIT = """new Promise((resolve) => {
  const [log, form] = [document.getElementById("log"), document.getElementById(%s)];
  log.textContent = "";
  new MutationObserver(() => resolve(log.textContent.trim())).observe(log, { childList: true });
  for (const [name, value] of Object.entries(%s)) form.elements[name].value = value;
  form.requestSubmit();
})"""
"""Fills in a form of the page and sends it; gives what the page logs then."""


@pytest.fixture(scope="module")
def example_of_browser(examples: Examples) -> Example:
    return examples.deploy("websocket-browser")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    with open_page((FOLDER / "page.html").as_uri(), tmp_path_factory.mktemp("chromium")) as on_page:
        yield on_page


@pytest.fixture(scope="module")
def relay(example_of_browser: Example) -> Iterator[str]:
    """Stand between a browser and the local AWS; give the address."""
    opened: dict[ServerConnection, ClientConnection] = {}

    def ask(browser: ServerConnection, request: Request) -> Response | None:
        offered = [Subprotocol(each.strip()) for each in request.headers.get(HEADER, "").split(",")]
        address = f"ws://{HOST}:{example_of_browser.aws.port}{example_of_browser.path()}"
        try:
            opened[browser] = connect(address, proxy=None, subprotocols=offered, open_timeout=60)
        except InvalidStatus as error:
            return browser.respond(error.response.status_code, "")
        return None

    def choose(_browser: ServerConnection, offered: Sequence[Subprotocol]) -> Subprotocol | None:
        event = {"requestContext": {"eventType": "CONNECT"}, "headers": {HEADER: ", ".join(offered)}}
        function = example_of_browser.api.resources()["Chat"]
        invoked = aws_client("lambda", example_of_browser.aws).invoke(FunctionName=function, Payload=json.dumps(event))
        chosen = json.load(invoked["Payload"])["headers"][HEADER]
        return Subprotocol(chosen)

    def pass_on(browser: ServerConnection) -> None:
        with opened.pop(browser) as api, contextlib.suppress(ConnectionClosed):
            for message in browser:
                api.send(message)
                browser.send(api.recv(30))

    with serve(pass_on, HOST, 0, process_request=ask, select_subprotocol=choose, open_timeout=60) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"ws://{HOST}:{server.socket.getsockname()[1]}"


@pytest.mark.parametrize("row", ROWS_BROWSER, ids=lambda row: row["Token"])
def test_what_the_page_lists_of_browser(
    example_of_browser: Example, stack: Stack, run: Run, relay: str, row: dict[str, str]
) -> None:
    token = named_token(stack.issuer, row["Token"])
    example_of_browser.log.new()
    connected = run(SUBMIT % ('"connect"', json.dumps({"url": relay, "token": token})))
    assert connected == row["The page sees"]
    assert example_of_browser.said() == row["The log says"]
    if row["The log says"] == "allow":
        said = run(SUBMIT % ('"say"', json.dumps({"text": "hello"})))
        assert json.loads(said.removeprefix("< ")) == {"from": "alice", "said": "hello"}
