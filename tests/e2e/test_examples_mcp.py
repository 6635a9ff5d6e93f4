"""examples/mcp-server, by its custom domain: as its page lists, and by the client of the official MCP SDK."""

from collections.abc import Iterator
from unittest.mock import AsyncMock

import anyio
import httpx2
import pytest
from mcp import Client
from mcp.client.auth import TokenStorage
from mcp.client.auth.extensions.client_credentials import ClientCredentialsOAuthProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import OAuthToken
from mcp_types import CallToolResult
from urllib3 import BaseHTTPResponse as Reply

from demo.local_aws import HOST
from jwt_authorizer_devkit.issuer import IssuerServer, Provider
from tests.e2e.examples import AUTHGEAR, Example, Examples, bearer, misfits, rest_event, send
from tests.unit.pages import EXAMPLES, blocks, table

README = EXAMPLES / "mcp-server" / "README.md"
ROWS = table(README, "Call", "Token", "Status", "The log says")
DOMAIN = "mcp.example.com"
RESOURCE = f"https://{DOMAIN}/mcp"
SCOPE = "mcp:tools"
METADATA = "/.well-known/oauth-protected-resource"
CERTIFICATE = "arn:aws:acm:us-east-1:000000000000:certificate/11111111-2222-3333-4444-555555555555"


@pytest.fixture(scope="module")
def issuer() -> Iterator[Provider]:
    with IssuerServer(Provider(path="/agents")) as server:
        yield server.provider


@pytest.fixture(scope="module")
def example(examples: Examples, issuer: Provider) -> Example:
    api = {"Issuer": issuer.url, "CertificateArn": CERTIFICATE}
    return examples.deploy("mcp-server", instead={AUTHGEAR: issuer.url}, api=api)


def call(example: Example, request: str, token: str | None = None) -> Reply:
    method, path = request.split(" ")
    return send(example.aws, method, path, {"Host": DOMAIN, **bearer(token)})


def mapped_headers(example: Example, status: int, token: str | None) -> dict[str, str]:
    """Give the headers that API Gateway maps from the context of a 403, which the local AWS omits."""
    if status != 403:
        return {}
    return example.mapped_headers("ACCESS_DENIED", example.answer(rest_event("POST/mcp", token))["context"])


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['Call']} {row['Token']}".replace("/", " "))
def test_what_the_page_lists(example: Example, issuer: Provider, row: dict[str, str]) -> None:
    tokens = {
        "none": None,
        "good": issuer.token(audience=RESOURCE, scope=SCOPE),
        "for another server": issuer.token(audience="https://other.example.com/mcp", scope=SCOPE),
        "without the scope": issuer.token(audience=RESOURCE, scope="openid"),
    }
    example.log.new()
    reply = call(example, row["Call"], tokens[row["Token"]])
    assert (str(reply.status), example.said()) == (row["Status"], row["The log says"])
    if reply.status == 200:
        # The rest of the metadata is what the SDK's client, below, finds its way by.
        assert reply.json()["scopes_supported"] == [SCOPE]


def test_refusals_point_at_the_metadata_as_the_page_shows(example: Example, issuer: Provider) -> None:
    (shown,) = blocks("http", page=README)
    unscoped = issuer.token(audience=RESOURCE, scope="openid")
    for refusal, token in zip(shown.text.strip().split("\n\n"), (None, unscoped), strict=True):
        status, header = refusal.splitlines()
        reply = call(example, "POST /mcp", token)
        assert status.split()[1] == str(reply.status)
        headers = reply.headers | mapped_headers(example, reply.status, token)
        assert header == f"WWW-Authenticate: {headers['www-authenticate']}"


class ToLocalAws(httpx2.AsyncHTTPTransport):
    """Carries what is for the domain to where it is served on this machine, and notes all that is asked."""

    def __init__(self, example: Example) -> None:
        super().__init__()
        self._example = example
        self._aws = example.aws
        self.asked: list[tuple[str, str, int]] = []

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        url = request.url
        if url.host == DOMAIN:
            request.headers["Host"] = DOMAIN
            request.url = url.copy_with(scheme="http", host=HOST, port=self._aws.port)
        response = await super().handle_async_request(request)
        self.asked.append((request.method, url.path, response.status_code))
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        response.headers.update(mapped_headers(self._example, response.status_code, token))
        return response


def whoami(
    example: Example, issuer: Provider, mode: str = "auto", token: OAuthToken | None = None
) -> tuple[CallToolResult, list[tuple[str, str, int]]]:
    """Let the SDK's client, which knows the server's URL and a client id, call the tool; give what it asked for."""
    transport = ToLocalAws(example)
    kept = AsyncMock(TokenStorage)
    kept.get_tokens.return_value, kept.get_client_info.return_value = token, None
    provider = ClientCredentialsOAuthProvider(RESOURCE, kept, "agent-7", "secret", issuer=issuer.url)

    async def talk() -> CallToolResult:
        async with (
            httpx2.AsyncClient(transport=transport, auth=provider) as http,
            Client(streamable_http_client(RESOURCE, http_client=http), mode=mode) as client,
        ):
            listed = await client.list_tools()
            assert [tool.name for tool in listed.tools] == ["whoami"]
            return await client.call_tool("whoami", {})

    return anyio.run(talk), transport.asked


def test_the_sdks_client_finds_its_way_from_the_refusal_to_the_tool(example: Example, issuer: Provider) -> None:
    told, asked = whoami(example, issuer)
    assert told.structured_content == {"subject": "agent-7", "client": "agent-7", "scope": SCOPE}
    assert asked[:2] == [("POST", "/mcp", 401), ("GET", f"{METADATA}/mcp", 200)]
    # The issuer's own documents, until one is there; then a token, and the refused request once more.
    assert ("POST", "/agents/token", 200) in asked
    assert [(path, status) for _, path, status in asked[-3:]] == [("/mcp", 200)] * 3


def test_a_client_of_an_earlier_revision_is_served_as_well(example: Example, issuer: Provider) -> None:
    told, _ = whoami(example, issuer, mode="legacy")
    assert told.structured_content == {"subject": "agent-7", "client": "agent-7", "scope": SCOPE}


def test_a_client_whose_token_lacks_the_scope_is_told_which_and_gets_it(example: Example, issuer: Provider) -> None:
    poor = OAuthToken(access_token=issuer.token(audience=RESOURCE, scope="openid"), scope="openid")
    told, asked = whoami(example, issuer, token=poor)
    assert asked[0] == ("POST", "/mcp", 403)
    assert told.structured_content is not None
    assert set(told.structured_content["scope"].split()) == {"openid", SCOPE}


def test_the_api_fits_the_authorizers_settings(example: Example) -> None:
    assert misfits(example) == []
