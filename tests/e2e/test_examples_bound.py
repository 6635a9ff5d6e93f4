"""examples/dpop and examples/mutual-tls, with npm's oidc-provider and dpop; one proof for two functions."""

import json
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import pytest

from demo.local_aws import HOST
from demo.stack import Stack
from demo.tools import ROOT
from jwt_authorizer.function import AuthorizerFunction, create_function
from jwt_authorizer_devkit.proofs import DpopClient
from tests.e2e.asking import aws_variables, post_form
from tests.e2e.examples import AUTHGEAR, Example, Examples, bearer, misfits, named_token, send
from tests.e2e.node_tools import announced, node_environment, script
from tests.unit.pages import EXAMPLES, blocks, table

API = "https://api.example.com"
CLIENT, SECRET = "orders-client", "a-secret-of-this-test"
DPOP_ROWS = table(EXAMPLES / "dpop" / "README.md", "Call", "Sent", "Status", "The log says")
MTLS_ROWS = table(EXAMPLES / "mutual-tls" / "README.md", "Call", "Token", "Status", "The log says")


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run npm's oidc-provider; give its URL."""
    folder = tmp_path_factory.mktemp("oidc-provider")
    command = script(ROOT / "tests" / "e2e" / "oidc-provider" / "issuer.mjs", folder, "oidc-provider")
    with announced([*command, API], node_environment(folder)) as url:
        yield url


@pytest.fixture(scope="module")
def dpop(examples: Examples, issuer: str) -> Example:
    # The local AWS's events do not say which URL was called.
    more = {"JwtDpopUrls": API, "DpopReplayTable": "on"}
    return examples.deploy("dpop", instead={AUTHGEAR: issuer}, more={**more, "JwtAudience": API})


@cache
def token_of(issuer: str, client: DpopClient | None) -> str:
    """Ask oidc-provider for a token: bound to a client's key, or not bound."""
    url = f"{issuer}/token"
    form = {"grant_type": "client_credentials", "client_id": CLIENT, "client_secret": SECRET, "scope": "orders:read"}
    headers = {} if client is None else {"DPoP": client.proof(None, "POST", url)}
    answer = post_form(url, form, headers).json()
    assert answer["token_type"] == ("Bearer" if client is None else "DPoP")
    return str(answer["access_token"])


SENDER = DpopClient()


@cache
def first_proof(token: str, path: str) -> str:
    return SENDER.proof(token, "GET", API + path)


def sent(issuer: str, what: str, path: str) -> dict[str, str]:
    """Give the headers that the example's page describes."""
    if what == "nothing":
        return {}
    token = token_of(issuer, None if what == "a token that is not bound" else SENDER)
    proof = {
        "token and proof": first_proof(token, path),
        "the same proof again": first_proof(token, path),
        "a proof of another key": DpopClient().proof(token, "GET", API + path),
        "a proof for another URL": SENDER.proof(token, "GET", f"https://www.example.com{path}"),
    }.get(what)
    scheme = "Bearer" if what in ("as Bearer", "a token that is not bound") else "DPoP"
    return {"Authorization": f"{scheme} {token}"} | ({} if proof is None else {"DPoP": proof})


@pytest.mark.parametrize("row", DPOP_ROWS, ids=lambda row: f"{row['Call']} {row['Sent']}".replace("/", " "))
def test_dpop_as_the_page_lists(dpop: Example, issuer: str, row: dict[str, str]) -> None:
    reply = dpop.as_listed(row, sent(issuer, row["Sent"], row["Call"].split(" ")[1]))
    if reply.status == 401:
        (shown,) = blocks("http", page=EXAMPLES / "dpop" / "README.md")
        assert shown.text.strip() == f"WWW-Authenticate: {reply.headers['www-authenticate']}"


def test_the_client_for_node_gets_a_token_and_calls(dpop: Example, issuer: str, tmp_path: Path) -> None:
    command = script(EXAMPLES / "dpop" / "client" / "client.mjs", tmp_path, "client")
    dpop.log.new()
    environment = node_environment(
        tmp_path,
        ISSUER=issuer,
        CLIENT_ID=CLIENT,
        CLIENT_SECRET=SECRET,
        API=API,
        CONNECT_TO=f"http://{HOST}:{dpop.aws.port}{dpop.path()}",
    )
    command += ["GET /orders", "GET /orders/7"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 - our own arguments
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [line.split(" ", 3)[:3] for line in lines] == [["200", "GET", "/orders"], ["200", "GET", "/orders/7"]]
    assert json.loads(lines[0].split(" ", 3)[3])["sub"] == CLIENT
    assert [line.get("decision") for line in dpop.log.new()] == ["allow", "allow"]


def test_the_dpop_api_fits_the_authorizer_s_settings(dpop: Example) -> None:
    assert misfits(dpop) == []
    assert misfits(dpop, cached_for=300)


def outcome(function: AuthorizerFunction, event: object) -> str:
    try:
        function(event, None)
    except Exception as error:  # noqa: BLE001 - a refusal has no type of its own
        return str(error)
    return "allow"


def test_two_functions_race_for_one_proof_and_exactly_one_wins(dpop: Example, stack: Stack) -> None:
    client = DpopClient()
    token = stack.issuer.token({"cnf": client.cnf}, audience=API)
    environment = {
        "JWT_ISSUER": stack.issuer.url,
        "JWT_AUDIENCE": API,
        "JWT_ALLOW_HTTP": "true",
        "JWT_BOUND_TOKENS": "dpop",
        "JWT_CACHED_BY": "nothing",
        "JWT_DPOP_REPLAY": f"dynamodb:{dpop.authorizer.resources()['DpopReplays']}",
        **aws_variables(stack.aws),
    }
    functions = [create_function(environment, write=lambda _: None) for _ in range(2)]
    arn = "arn:aws:execute-api:eu-west-1:123456789012:abcdef1234/prod/GET/orders"
    with ThreadPoolExecutor(2) as threads:
        for _ in range(10):
            event = client.sent({"type": "REQUEST", "methodArn": arn}, token, f"{API}/orders")
            assert sorted(threads.map(outcome, functions, [event] * 2)) == ["Unauthorized", "allow"]


@pytest.fixture(scope="module")
def mutual_tls(examples: Examples) -> Example:
    api = {
        "DomainName": "mtls.example.com",
        "CertificateArn": "arn:aws:acm:us-east-1:000000000000:certificate/11111111-2222-3333-4444-555555555555",
        "TruststoreUri": "s3://clients/authorities.pem",
    }
    return examples.deploy("mutual-tls", api=api)


@pytest.mark.parametrize("row", MTLS_ROWS, ids=lambda row: row["Token"])
def test_mutual_tls_as_the_page_lists(mutual_tls: Example, stack: Stack, row: dict[str, str]) -> None:
    bound = {"cnf": {"x5t#S256": "A" * 43}} if row["Token"] == "bound to a certificate" else {}
    token = named_token(stack.issuer, row["Token"], bound)
    api = mutual_tls.api.resources()["Api"]
    mutual_tls.log.new()
    reply = send(mutual_tls.aws, "GET", f"/_aws/execute-api/{api}/prod/orders", bearer(token))
    assert (str(reply.status), mutual_tls.said()) == (row["Status"], row["The log says"])
