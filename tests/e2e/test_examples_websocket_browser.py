"""examples/websocket-browser: its page in a real Chromium, before the deployed API.

The local AWS accepts a connection without the subprotocol that `$connect` chose, and a browser closes such a one. The
relay between them adds the header that the deployed backend answers; all else goes through as it comes.
"""

from __future__ import annotations

import contextlib
import json
from threading import Thread
from typing import TYPE_CHECKING

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.sync.server import ServerConnection, serve
from websockets.typing import Subprotocol

from demo.deployment import aws_client
from demo.local_aws import HOST
from tests.e2e.chromium import Page, chromium, open_page
from tests.e2e.examples import Example, Examples, misfits
from tests.unit.pages import EXAMPLES, table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from websockets.http11 import Request, Response

    from demo.stack import Stack

FOLDER = EXAMPLES / "websocket-browser"
ROWS = table(FOLDER / "README.md", "Offered", "Token", "The page sees", "The log says")
HEADER = "Sec-WebSocket-Protocol"
CONNECT = """
document.getElementById("log").textContent = "";
var fields = document.getElementById("connect").elements;
[fields.url.value, fields.token.value] = %s;
document.getElementById("connect").requestSubmit();
"""
SAY = """
document.getElementById("say").elements.text.value = %s;
document.getElementById("say").requestSubmit();
"""
LINES = """new Promise((resolve) => {
  const lines = () => document.getElementById("log").textContent.trim().split("\\n").filter(Boolean);
  const look = () => lines().length >= %d ? resolve(lines()) : setTimeout(look, 20);
  look();
})"""


@pytest.fixture(scope="module")
def example(examples: Examples) -> Example:
    return examples.deploy("websocket-browser")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    program = chromium()
    if program is None:
        pytest.skip("no Chromium on this machine: on Debian, `apt-get install chromium-headless-shell`")
    with open_page(program, (FOLDER / "page.html").as_uri(), tmp_path_factory.mktemp("chromium")) as opened:
        yield opened


@pytest.fixture(scope="module")
def relay(example: Example) -> Iterator[str]:
    """Stand between a browser and the local AWS; give the address."""
    opened: dict[ServerConnection, ClientConnection] = {}

    def ask(browser: ServerConnection, request: Request) -> Response | None:
        offered = [Subprotocol(each.strip()) for each in request.headers.get(HEADER, "").split(",")]
        address = f"ws://{HOST}:{example.aws.port}{example.path()}"
        try:
            opened[browser] = connect(address, proxy=None, subprotocols=offered, open_timeout=60)
        except InvalidStatus as error:
            return browser.respond(error.response.status_code, "")
        return None

    def choose(_browser: ServerConnection, offered: Sequence[Subprotocol]) -> Subprotocol | None:
        event = {"requestContext": {"eventType": "CONNECT"}, "headers": {HEADER: ", ".join(offered)}}
        function = example.api.resources()["Chat"]
        invoked = aws_client("lambda", example.aws).invoke(FunctionName=function, Payload=json.dumps(event))
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


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["Token"])
def test_what_the_page_lists(example: Example, stack: Stack, page: Page, relay: str, row: dict[str, str]) -> None:
    issuer, kind = stack.issuer, row["Token"]
    defect = {"expired": "expired", "wrong audience": "wrong-audience"}.get(kind)
    lifetime = 3600 if kind == "long-lived" else 300
    token = issuer.token(audience=issuer.url, subject="alice", lifetime=lifetime, defect=defect)
    example.log.new()
    page.run(CONNECT % json.dumps([relay, token]))
    assert page.run(LINES % 1) == [row["The page sees"]]
    assert example.said() == row["The log says"]
    if row["The log says"] == "allow":
        page.run(SAY % json.dumps("hello"))
        _, said = page.run(LINES % 2)
        assert json.loads(said.removeprefix("< ")) == {"from": "alice", "said": "hello"}


def test_a_browser_closes_a_connection_for_which_nothing_was_chosen(example: Example, stack: Stack, page: Page) -> None:
    # Why there is a relay. When this fails, the local AWS passes the choice on, and there need be none.
    token = stack.issuer.token(audience=stack.issuer.url, lifetime=300)
    page.run(CONNECT % json.dumps([f"ws://{HOST}:{example.aws.port}{example.path()}", token]))
    assert page.run(LINES % 1) == ["closed"]


def test_the_api_fits_the_authorizers_settings(example: Example) -> None:
    assert misfits(example) == []
