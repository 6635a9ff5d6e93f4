"""The examples that are called with a token in a header: the calls that their pages list, in their order."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
import yaml
from urllib3 import BaseHTTPResponse as Reply

from demo.deployment import aws_client
from demo.stack import Stack
from jwt_authorizer_devkit.issuer import Provider, local_issuer
from tests.e2e.examples import AUTHGEAR, Example, Examples, bearer, misfits, named_token, send
from tests.e2e.user_pool import create_machine_client
from tests.integration.emulator import wait_for
from tests.unit.pages import EXAMPLES, blocks, table

type Row = dict[str, str]
COLUMNS = ("Call", "Token", "Status", "The log says")
COGNITO = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Example"
ENTRA = "https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0"
ENTRA_AUDIENCE = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
ORIGIN = "https://app.example.com"


@dataclass(frozen=True, slots=True)
class Called:
    """An example and who mints the tokens that its page names."""

    example: Example
    token: Callable[[str], str | None]


def minter(issuer: Provider, claims: dict[str, dict[str, Any]] | None = None) -> Callable[[str], str | None]:
    """Mint what a page calls a token, the same each time: API Gateway's cache is keyed by it."""

    return cache(lambda name: named_token(issuer, name, (claims or {}).get(name)))


def tokens_of_cases(name: str) -> dict[str, dict[str, Any]]:
    tokens: dict[str, dict[str, Any]] = yaml.safe_load((EXAMPLES / name / "cases.yaml").read_text("utf-8"))["tokens"]
    return tokens


@pytest.fixture(scope="module")
def rest_token(examples: Examples, stack: Stack) -> Called:
    return Called(examples.deploy("rest-token"), minter(stack.issuer))


@pytest.fixture(scope="module")
def http_api(examples: Examples, stack: Stack) -> Called:
    return Called(examples.deploy("http-api"), minter(stack.issuer))


@pytest.fixture(scope="module")
def rest_routes(examples: Examples, stack: Stack) -> Called:
    # The local AWS knows no identity sources "context.…": with a cache it would answer 401. So nothing is cached.
    example = examples.deploy("rest-routes", api={"CacheSeconds": "0"})
    return Called(example, minter(stack.issuer, tokens_of_cases("rest-routes")))


@pytest.fixture(scope="module")
def several_issuers(examples: Examples, stack: Stack) -> Iterator[Called]:
    machines = create_machine_client(stack.aws)
    with local_issuer(path="/staff/v2.0") as staff:
        keys = f'issuer = "{machines.issuer}"\njwks = "{machines.jwks_url}"'
        instead = {
            AUTHGEAR: stack.issuer.url,
            ENTRA: staff.url,
            # The pool's tokens name the issuer as on AWS; its keys are here.
            f'issuer = "{COGNITO}"': keys,
            COGNITO: machines.issuer,
            "4f2example": machines.client_id,
        }
        example = examples.deploy("several-issuers", instead=instead)
        claims = tokens_of_cases("several-issuers")
        people = minter(stack.issuer, claims)

        @cache
        def mint(name: str) -> str | None:
            if name == "machine":
                return machines.access_token()
            if name == "staff":
                said = {key: value for key, value in claims[name].items() if key not in ("iss", "aud")}
                return staff.token(said, audience=ENTRA_AUDIENCE)
            return people(name)

        yield Called(example, mint)


def rows(name: str) -> list[Any]:
    listed = table(EXAMPLES / name / "README.md", *COLUMNS)
    return [pytest.param(row, id=f"{name} {row['Call']} {row['Token']}".replace("/", " ")) for row in listed]


def check(called: Called, row: Row) -> dict[str, Any] | None:
    """Make a call; hold status and log against the page; give what the backend said."""
    reply = called.example.as_listed(row, bearer(called.token(row["Token"])))
    return reply.json() if reply.status == 200 and not row["Call"].startswith("OPTIONS") else None


@pytest.mark.parametrize("row", rows("rest-token"))
def test_the_kind_token(rest_token: Called, stack: Stack, row: Row) -> None:
    check_one_issuer(rest_token, stack, row)


@pytest.mark.parametrize("row", rows("http-api"))
def test_an_http_api(http_api: Called, stack: Stack, row: Row) -> None:
    check_one_issuer(http_api, stack, row)


def check_one_issuer(called: Called, stack: Stack, row: Row) -> None:
    told = check(called, row)
    if row["Token"] == "good":
        assert told is not None
        assert (told["sub"], told["iss"], told["claims"]["client_id"]) == ("alice", stack.issuer.url, "demo-client")


@pytest.mark.parametrize("row", rows("rest-routes"))
def test_rights_by_route(rest_routes: Called, row: Row) -> None:
    # Without a cache, API Gateway asks the function even where there is no token.
    if row["Token"] == "none" and row["Status"] == "401":
        row = {**row, "The log says": "missing_token"}
    told = check(rest_routes, row)
    if told is not None:
        wanted = tokens_of_cases("rest-routes")[row["Token"]]
        assert told["scope"] == wanted["scope"]
        assert told["claims"].items() >= wanted.items()


@pytest.mark.parametrize("row", rows("several-issuers"))
def test_several_issuers(several_issuers: Called, stack: Stack, row: Row) -> None:
    told = check(several_issuers, row)
    if told is not None and row["Token"] == "person":
        assert (told["iss"], told["sub"]) == (stack.issuer.url, "alice")
    if told is not None and row["Token"] == "machine":
        assert told["iss"].startswith("https://cognito-idp.")
        assert (told["sub"], told["scope"]) == (told["claims"]["client_id"], "orders/import")


def test_each_401_of_the_kind_token_says_bearer(rest_token: Called) -> None:
    for token in ("none", "no JWT", "expired"):
        reply = rest_token.example.call("GET /orders", bearer(rest_token.token(token)))
        assert (reply.status, reply.headers["www-authenticate"]) == (401, "Bearer")


def test_an_http_api_answers_preflights_of_its_one_origin(http_api: Called) -> None:
    asked = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization"}
    reply = http_api.example.call("OPTIONS /orders", {"Origin": ORIGIN, **asked})
    assert (reply.status, reply.headers["access-control-allow-origin"]) == (204, ORIGIN)
    assert "Authorization" in reply.headers["access-control-allow-headers"]
    reply = http_api.example.call("OPTIONS /orders", {"Origin": "https://other.example.com", **asked})
    assert "access-control-allow-origin" not in reply.headers


def test_refusals_say_what_they_are_for_as_the_page_shows(rest_routes: Called) -> None:
    (shown,) = blocks("http", page=EXAMPLES / "rest-routes" / "README.md")
    head, _, body = shown.text.partition("\n\n")
    status, *lines = head.splitlines()
    token = rest_routes.token("writer")
    reply = rest_routes.example.call("GET /admin/users", bearer(token))
    assert status == f"HTTP/1.1 {reply.status} Forbidden"
    # The local AWS leaves out what comes from the context, or as it stands; API Gateway takes it from the answer.
    context = rest_routes.example.answer("GET/admin/users", token)["context"]
    mapped = rest_routes.example.mapped_headers("ACCESS_DENIED", context)
    for name, _, value in (line.partition(": ") for line in lines):
        assert (reply.headers | mapped)[name] == value
    said = re.sub(r"\$context\.authorizer\.(\w+)", lambda name: context[name[1]], reply.data.decode())
    assert said == body.strip()


def test_pages_may_read_refusals_of_a_rest_api_and_its_answers(rest_routes: Called) -> None:
    for token, status in (("none", 401), ("writer", 403), ("admin", 200)):
        reply = rest_routes.example.call("GET /admin/users", bearer(rest_routes.token(token)))
        assert (reply.status, reply.headers["access-control-allow-origin"]) == (status, ORIGIN)
        if status != 200:
            assert reply.headers["access-control-expose-headers"] == "WWW-Authenticate"


@pytest.mark.parametrize("name", ["rest_token", "http_api", "rest_routes", "several_issuers"])
def test_the_api_fits_the_authorizers_settings(request: pytest.FixtureRequest, name: str) -> None:
    called: Called = request.getfixturevalue(name)
    # As deployed by the page, not as the local AWS needs it.
    assert misfits(called.example, cached_for=300 if name == "rest_routes" else None) == []


# examples/appsync: real GraphQL over HTTP. The local AWS asks the authorizer, and refuses where that refuses.


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
    # On a busy machine the local AWS writes the log a moment after it has answered.
    wait_for(lambda: bool(example.log.new()), 5)
    return list(answer["deniedFields"])


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["Scopes of the token"])
def test_what_the_page_lists(example: Example, stack: Stack, row: dict[str, str]) -> None:
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
