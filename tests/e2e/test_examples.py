"""The examples that are called with a token in a header: the calls that their pages list, in their order."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
import yaml
from urllib3 import BaseHTTPResponse as Reply

from demo.stack import Stack
from jwt_authorizer.tokens import BearerToken, parse
from jwt_authorizer_devkit.issuer import Provider, local_issuer
from tests.e2e.examples import AUTHGEAR, Example, Examples, bearer, misfits, named_token, rest_event, send
from tests.e2e.user_pool import create_machine_client
from tests.integration.emulator import wait_for
from tests.unit.pages import EXAMPLES, blocks, table

NAMES = ("rest-token", "http-api", "rest-routes", "several-issuers")
COGNITO = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Example"
ENTRA = "https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0"
ENTRA_AUDIENCE = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
ORIGIN = "https://app.example.com"
ROWS = [
    pytest.param(name, row, id=f"{name} {row['Call']} {row['Token']}".replace("/", " "))
    for name in NAMES
    for row in table(EXAMPLES / name / "README.md", "Call", "Token", "Status", "The log says")
]


@dataclass(frozen=True, slots=True)
class Called:
    """An example, and the tokens that its page names: the same each time, since the cache is keyed by them."""

    example: Example
    token: Callable[[str], str | None]


@pytest.fixture(scope="module")
def staff() -> Iterator[Provider]:
    with local_issuer(path="/staff/v2.0") as provider:
        yield provider


@pytest.fixture(scope="module")
def called(examples: Examples, stack: Stack, staff: Provider) -> Callable[[str], Called]:
    """Deploy an example when it is first asked for."""

    @cache
    def deployed(name: str) -> Called:
        cases = EXAMPLES / name / "cases.yaml"
        claims = yaml.safe_load(cases.read_text("utf-8"))["tokens"] if cases.exists() else {}
        people = cache(lambda kind: named_token(stack.issuer, kind, claims.get(kind)))
        if name == "several-issuers":
            return several_issuers(examples, stack.issuer, staff, people, claims["staff"])
        # The local AWS knows no identity sources "context.…": with a cache it would answer 401. So nothing is cached.
        return Called(examples.deploy(name, api={"CacheSeconds": "0"} if name == "rest-routes" else {}), people)

    return deployed


def several_issuers(
    examples: Examples, issuer: Provider, staff: Provider, people: Callable[[str], str | None], of_staff: dict[str, Any]
) -> Called:
    machines = create_machine_client(examples.aws)
    instead = {
        AUTHGEAR: issuer.url,
        ENTRA: staff.url,
        # The pool's tokens name the issuer as on AWS; its keys are here.
        f'issuer = "{COGNITO}"': f'issuer = "{machines.issuer}"\njwks = "{machines.jwks_url}"',
        COGNITO: machines.issuer,
        "4f2example": machines.client_id,
    }

    @cache
    def mint(kind: str) -> str | None:
        match kind:
            case "machine":
                return machines.access_token()
            case "staff":
                return staff.token({**of_staff, "iss": staff.url})
            case _:
                return people(kind)

    return Called(examples.deploy("several-issuers", instead=instead), mint)


@pytest.mark.parametrize(("name", "row"), ROWS)
def test_what_the_page_lists(called: Callable[[str], Called], name: str, row: dict[str, str]) -> None:
    example, token = called(name).example, called(name).token(row["Token"])
    if name == "rest-routes" and row["Token"] == "none" and row["Status"] == "401":
        # Without a cache, API Gateway asks the function even where there is no token.
        row = {**row, "The log says": "missing_token"}
    reply = example.as_listed(row, bearer(token))
    if name == "rest-token" and reply.status == 401:
        assert reply.headers["www-authenticate"] == "Bearer"
    if name == "rest-routes":  # pages of its origin may read each answer and refusal
        assert reply.headers["access-control-allow-origin"] == ORIGIN
        assert reply.status == 200 or reply.headers["access-control-expose-headers"] == "WWW-Authenticate"
    if reply.status == 200 and token is not None:
        claims, told = parse(BearerToken(token)).claims, reply.json()
        assert told == {**{key: claims.get(key, "") for key in ("iss", "sub", "scope")}, "claims": claims}


def test_an_http_api_answers_preflights_of_its_one_origin(called: Callable[[str], Called]) -> None:
    example = called("http-api").example
    asked = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization"}
    reply = example.call("OPTIONS /orders", {"Origin": ORIGIN, **asked})
    assert (reply.status, reply.headers["access-control-allow-origin"]) == (204, ORIGIN)
    assert "Authorization" in reply.headers["access-control-allow-headers"]
    reply = example.call("OPTIONS /orders", {"Origin": "https://other.example.com", **asked})
    assert "access-control-allow-origin" not in reply.headers


def test_refusals_say_what_they_are_for_as_the_page_shows(called: Callable[[str], Called]) -> None:
    example, token = called("rest-routes").example, called("rest-routes").token("writer")
    (shown,) = blocks("http", page=EXAMPLES / "rest-routes" / "README.md")
    head, _, body = shown.text.partition("\n\n")
    status, *lines = head.splitlines()
    reply = example.call("GET /admin/users", bearer(token))
    assert status == f"HTTP/1.1 {reply.status} Forbidden"
    # The local AWS leaves out what comes from the context, or as it stands; API Gateway takes it from the answer.
    context = example.answer(rest_event("GET/admin/users", token))["context"]
    mapped = example.mapped_headers("ACCESS_DENIED", context)
    for name, _, value in (line.partition(": ") for line in lines):
        assert (reply.headers | mapped)[name] == value
    said = re.sub(r"\$context\.authorizer\.(\w+)", lambda name: context[name[1]], reply.data.decode())
    assert said == body.strip()


@pytest.mark.parametrize("name", NAMES)
def test_the_api_fits_the_authorizers_settings(called: Callable[[str], Called], name: str) -> None:
    # As deployed by the page, not as the local AWS needs it.
    assert misfits(called(name).example, cached_for=300 if name == "rest-routes" else None) == []


# examples/appsync: real GraphQL over HTTP. The local AWS asks the authorizer, and refuses where that refuses.


FIELDS = table(EXAMPLES / "appsync" / "README.md", "Scopes of the token", "Status", "Denied", "The log says")
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
    answer = example.answer({"authorizationToken": f"Bearer {token}", "requestContext": context})
    assert 0 < answer["ttlOverride"] <= 300
    # On a busy machine the local AWS writes the log a moment after it has answered.
    wait_for(lambda: bool(example.log.new()), 5)
    return list(answer["deniedFields"])


@pytest.mark.parametrize("row", FIELDS, ids=lambda row: row["Scopes of the token"])
def test_which_fields_the_page_lists(example: Example, stack: Stack, row: dict[str, str]) -> None:
    issuer, kind = stack.issuer, row["Scopes of the token"]
    scope = None if kind.startswith("(") or kind == "none" else kind
    token = str(named_token(issuer, kind.strip("()").replace("none", "no scope"), scope=scope))
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
    assert allowed == {"data": {"cancelOrder": {"state": "canceled"}}}
    refused = ask(example, issuer.token(audience=issuer.url, scope="orders:margins"), CANCEL).json()
    assert refused["data"] == {"cancelOrder": None}
    assert refused["errors"]
