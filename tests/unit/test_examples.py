"""examples/: settings that the code accepts, rules that fit their APIs, pages that name what there is."""

import json
import re
import runpy
import time
import tomllib
from pathlib import Path
from typing import Any

import pytest

from jwt_authorizer.answers import CachedBy
from jwt_authorizer.settings import Settings, load_settings
from jwt_authorizer_devkit.described import described
from jwt_authorizer_devkit.routes.cases import parse_cases
from jwt_authorizer_devkit.routes.checking import check_rules
from jwt_authorizer_devkit.routes.trying import try_cases
from tests.cloudformation import read_template
from tests.unit.pages import EXAMPLES, ROOT, blocks

DEPLOYED = sorted(path.parent for path in EXAMPLES.glob("*/samconfig.toml"))
BY_ROUTE = [folder for folder in DEPLOYED if (folder / "rules.toml").exists()]
TEMPLATES = [path for path in sorted(EXAMPLES.rglob("*.yaml")) if "\nResources:\n" in path.read_text("utf-8")]
PARAMETERS = read_template(ROOT / "template.yaml")["Parameters"]
VARIABLES = {it.parameter: it.setting.variable for it in described()}
NOT_FOR_TOKENS = re.compile(
    r"query|header|path\b|domainName|claims|authorizer\.(?!sub|principalId|reason|required_scope)"
)


def name_of(folder: Path) -> str:
    return folder.name


def parameters(folder: Path) -> dict[str, str]:
    config = tomllib.loads((folder / "samconfig.toml").read_text("utf-8"))
    pairs = config["authorizer"]["deploy"]["parameters"].get("parameter_overrides", [])
    if not pairs:
        # They are given on the command line, since some come from another stack.
        pairs = re.findall(r"\bJwt\w+=\S+", blocks("sh", page=folder / "README.md")[0].text)
    return {key: value for key, _, value in (pair.partition("=") for pair in pairs)}


def settings(folder: Path) -> Settings:
    return load_settings(
        {VARIABLES[name]: value for name, value in parameters(folder).items() if name in VARIABLES}, folder
    )


@pytest.mark.parametrize("folder", DEPLOYED, ids=name_of)
def test_its_settings_are_parameters_of_the_template_and_the_function_starts_with_them(folder: Path) -> None:
    assert parameters(folder).keys() <= PARAMETERS.keys()
    for name, value in parameters(folder).items():
        assert re.fullmatch(PARAMETERS[name].get("AllowedPattern", ".*"), value)
        assert value in PARAMETERS[name].get("AllowedValues", [value])
    loaded = settings(folder)
    assert loaded.issuers
    assert not loaded.keys.allow_http


@pytest.mark.parametrize("folder", BY_ROUTE, ids=name_of)
def test_its_rules_say_what_its_cases_say_and_leave_nothing_out(folder: Path) -> None:
    cases = parse_cases((folder / "cases.yaml").read_text("utf-8"))
    wrong = [result for result in try_cases(settings(folder), cases, time.time()) if not result.passed]
    assert wrong == []
    assert settings(folder).answers.cached_by is CachedBy.ROUTE
    assert check_rules(settings(folder), CachedBy.ROUTE).fine


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: str(path.relative_to(EXAMPLES)))
def test_no_log_has_what_a_token_may_be_in_and_pages_of_any_origin_get_nothing(template: Path) -> None:
    text = template.read_text("utf-8")
    for written in re.findall(r"^ +Format: >-\n((?: +\S.*\n)+)", text, re.MULTILINE):
        assert not NOT_FOR_TOKENS.search(written)
    # Execution logs hold whole requests.
    assert not re.search(r"^ *(?:DataTraceEnabled|LoggingLevel):", text, re.MULTILINE)
    assert not re.search(r"Allow-?Origins?: .*\*", text)
    if "AllowCredentials" in text:
        allowed = read_template(template)["Parameters"]["AllowedOrigin"]["AllowedPattern"]
        assert not any(re.fullmatch(allowed, origin) for origin in ("*", "https://*"))


def test_the_private_network_leads_to_the_keys_alone_and_only_with_tls() -> None:
    made = read_template(EXAMPLES / "private-vpc" / "network.yaml")["Resources"]
    (allowed,) = made["S3Endpoint"]["Properties"]["PolicyDocument"]["Statement"]
    assert (allowed["Action"], allowed["Resource"]) == ("s3:GetObject", {"Fn::Sub": "${Keys.Arn}/jwks.json"})
    kinds = {resource["Type"].removeprefix("AWS::EC2::") for resource in made.values()}
    assert not kinds & {"InternetGateway", "NatGateway", "VPCGatewayAttachment", "Route", "EgressOnlyInternetGateway"}
    (way_out,) = made["AuthorizerGroup"]["Properties"]["SecurityGroupEgress"]
    assert way_out["DestinationPrefixListId"] == {"Ref": "S3PrefixListId"}
    (denied,) = made["KeysPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert (denied["Effect"], denied["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})


# ---------------------------------------------------------------------------------------------------------------
# The backends of examples/: who may call has been decided before; this is what they add to it.


PAGE = "https://app.example.com"
META = "io.modelcontextprotocol/"
MODERN = "2026-07-28"
WHO = {"sub": "alice", "scope": "mcp:tools", "claims": '{"sub": "alice", "client_id": "agent-7"}'}


def backend(monkeypatch: pytest.MonkeyPatch, path: str, **environment: str) -> dict[str, Any]:
    """Load a backend as Lambda does, with its environment."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return runpy.run_path(str(EXAMPLES / path))


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    return backend(monkeypatch, "browser-cookies/backend/session.py", ALLOWED_ORIGIN=PAGE)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    return backend(monkeypatch, "mcp-server/backend/mcp_server.py", RESOURCE="https://mcp.example.com/mcp")


# --- browser-cookies


@pytest.mark.parametrize(
    "body",
    [
        None,
        "[]",
        '{"token": 7}',
        '{"token": "a.b.c; Domain=example.com"}',
        '{"token": "a.b.c\\r\\nSet-Cookie: x=y"}',
        json.dumps({"token": "a.b." + "c" * 4096}),
    ],
)
def test_what_is_no_token_does_not_get_into_a_cookie(session: dict[str, Any], body: str | None) -> None:
    answer = session["session"]({"httpMethod": "POST", "headers": {"Origin": PAGE}, "body": body}, None)
    assert answer["statusCode"] == 400
    assert "Set-Cookie" not in answer["headers"]


@pytest.mark.parametrize("origin", ["http://app.example.com", f"{PAGE}.evil.example", "null", ""])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_other_pages_change_nothing(session: dict[str, Any], method: str, origin: str) -> None:
    event = {"httpMethod": method, "headers": {"origin": origin}, "body": '{"token": "a.b.c"}'}
    # Unlike Authorization, a cookie does not keep shared caches from storing the answer (RFC 9111 section 3.5).
    for answer in (session["handler"](event, None), session["session"](event, None)):
        assert (answer["statusCode"], answer["headers"]["Cache-Control"]) == (403, "no-store")


# --- websocket-browser


@pytest.mark.parametrize(
    ("header", "offered", "chosen"),
    [
        ("sec-websocket-protocol", "other,chat.v1,a.b.c", "chat.v1"),
        ("Sec-WebSocket-Protocol", "chat.v2, a.b.c", None),
        ("Sec-WebSocket-Protocol", "a.b.c, chat.v1", None),  # the last one was read as the token
        ("Accept", "chat.v1, a.b.c", None),
    ],
)
def test_the_subprotocol_that_is_chosen_is_never_the_token(
    monkeypatch: pytest.MonkeyPatch, header: str, offered: str, chosen: str | None
) -> None:
    messages = backend(monkeypatch, "websocket-browser/backend/messages.py")
    event = {"requestContext": {"eventType": "CONNECT"}, "headers": {header: offered}}
    answer = messages["handler"](event, None)
    assert answer.get("headers") == (chosen and {"Sec-WebSocket-Protocol": chosen})
    assert answer["statusCode"] == (200 if chosen else 400)


# --- mcp-server


def test_nobody_else_is_given_what_a_caller_was_told(server: dict[str, Any]) -> None:
    meta = {META + "protocolVersion": MODERN, META + "clientCapabilities": {}}
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": meta}}
    headers = {"MCP-Protocol-Version": MODERN, "Mcp-Method": "tools/list"}
    asked = {"httpMethod": "POST", "headers": headers, "body": json.dumps(message)}
    answer = server["handler"]({**asked, "requestContext": {"authorizer": WHO}}, None)
    assert answer["headers"]["Cache-Control"] == "no-store"
    assert json.loads(answer["body"])["result"]["cacheScope"] == "private"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("{", -32700),
        ("[]", -32600),
        ('{"jsonrpc": "2.0", "id": 1}', -32600),
        ('{"jsonrpc": "2.0", "method": "tools/list", "id": true}', -32600),
        ('{"jsonrpc": "2.0", "method": "tools/list", "id": 1, "params": {"_meta": 7}}', -32602),
    ],
)
def test_what_is_no_request_is_refused(server: dict[str, Any], body: str, code: int) -> None:
    event = {"httpMethod": "POST", "headers": {}, "body": body, "requestContext": {"authorizer": WHO}}
    answer = server["handler"](event, None)
    assert (answer["statusCode"], json.loads(answer["body"])["error"]["code"]) == (400, code)


@pytest.mark.parametrize(("headers", "status"), [({}, 202), ({"Origin": "https://mcp.example.com"}, 403)])
def test_pages_may_not_call(server: dict[str, Any], headers: dict[str, str], status: int) -> None:
    message = '{"jsonrpc": "2.0", "method": "notifications/initialized"}'
    answer = server["handler"]({"httpMethod": "POST", "headers": headers, "body": message}, None)
    assert (answer["statusCode"], answer["headers"]["Cache-Control"]) == (status, "no-store")
