"""examples/browser-cookies: a token in a cookie, called as a browser calls, and as another page's browser would."""

from functools import cache
from http.cookies import SimpleCookie

import pytest

from demo.deployment import aws_client
from demo.stack import Stack
from jwt_authorizer_devkit.issuer import Provider
from tests.e2e.examples import Example, Examples, bearer, misfits, named_token
from tests.unit.pages import EXAMPLES, table

PAGE = "https://app.example.com"
COOKIE = "__Host-session"
ROWS = table(EXAMPLES / "browser-cookies" / "README.md", "Call", "Origin", "Cookie", "Status", "The log says")
ORIGINS = {"the page's": {"Origin": PAGE}, "another": {"Origin": "https://blog.example.com"}, "none": {}}


@pytest.fixture(scope="module")
def example(examples: Examples) -> Example:
    return examples.deploy("browser-cookies")


@cache
def token(issuer: Provider, kind: str) -> str:
    """Mint a token once: the cache of API Gateway is keyed by the whole cookie."""
    return str(named_token(issuer, kind))


def cookie(issuer: Provider, kind: str) -> dict[str, str]:
    return {} if kind == "none" else {"Cookie": f"{COOKIE}={token(issuer, kind)}"}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['Call']} {row['Origin']} {row['Cookie']}".replace("/", ""))
def test_what_the_page_lists(example: Example, stack: Stack, row: dict[str, str]) -> None:
    headers = {**ORIGINS[row["Origin"]], **cookie(stack.issuer, row["Cookie"])}
    body = f'{{"token": "{token(stack.issuer, "good")}"}}' if row["Call"] == "POST /session" else None
    reply = example.as_listed(row, headers, body)
    if row["Call"].startswith("OPTIONS"):
        assert "POST" in reply.headers["access-control-allow-methods"].split(",")
        assert reply.headers["access-control-allow-headers"] == "Content-Type"
    # A page can read none of it without these, whatever the status.
    assert reply.headers["access-control-allow-origin"] == PAGE
    assert reply.headers["access-control-allow-credentials"] == "true"


def test_a_browser_signs_in_calls_and_signs_out(example: Example, stack: Stack) -> None:
    jwt = stack.issuer.token(audience=stack.issuer.url, subject="alice")
    reply = example.call("POST /session", {"Origin": PAGE}, f'{{"token": "{jwt}"}}')
    assert (reply.status, reply.json()) == (200, {"signed_in": True})
    kept = SimpleCookie(reply.headers["set-cookie"])[COOKIE]
    # What a name that starts with __Host- demands, out of reach of scripts, and not for requests of other sites.
    assert (kept["path"], kept["domain"], kept["secure"]) == ("/", "", True)
    assert (kept["httponly"], kept["samesite"]) == (True, "Strict")
    sent = {"Origin": PAGE, "Cookie": f"theme=dark; {COOKIE}={kept.value}"}
    assert example.call("GET /orders", sent).json() == {"sub": "alice", "did": "GET /orders"}
    assert example.call("POST /orders", sent).json() == {"sub": "alice", "did": "POST /orders"}
    over = SimpleCookie(example.call("DELETE /session", {"Origin": PAGE}).headers["set-cookie"])[COOKIE]
    assert (over.value, over["max-age"]) == ("", "0")


def test_a_page_may_read_every_answer_that_api_gateway_gives_by_itself(example: Example) -> None:
    # Also of those that no test can bring about: throttled, broken.
    api = example.api.resources()["Api"]
    listed = aws_client("apigateway", example.aws).get_gateway_responses(restApiId=api)["items"]
    for response in listed:
        headers = response["responseParameters"]
        assert headers["gatewayresponse.header.Access-Control-Allow-Origin"] == f"'{PAGE}'", response["responseType"]
        assert headers["gatewayresponse.header.Access-Control-Allow-Credentials"] == "'true'", response["responseType"]
    assert len(listed) > 15


def test_a_token_in_the_header_opens_nothing(example: Example, stack: Stack) -> None:
    # With the header as a second place, everybody with these cookies would get the answer of whoever called first.
    jwt = token(stack.issuer, "good")
    reply, said = example.ask("GET /orders", {"Origin": PAGE, "Cookie": "theme=dark", **bearer(jwt)})
    assert (reply.status, said) == (401, "missing_token")


def test_the_api_fits_the_authorizers_settings(example: Example) -> None:
    assert misfits(example) == []
