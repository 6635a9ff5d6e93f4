"""examples/: settings that the code accepts, rules that fit their APIs, pages that name what there is."""

import importlib.util
import json
import re
import time
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from jwt_authorizer.answers import CachedBy
from jwt_authorizer.settings import Settings, load_settings
from jwt_authorizer_devkit.described import described
from jwt_authorizer_devkit.routes.cases import parse_cases
from jwt_authorizer_devkit.routes.checking import check_rules
from jwt_authorizer_devkit.routes.listed import route_tables
from jwt_authorizer_devkit.routes.reading import read_routes
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


def config(folder: Path) -> dict[str, Any]:
    return tomllib.loads((folder / "samconfig.toml").read_text("utf-8"))


def parameters(folder: Path) -> dict[str, str]:
    pairs = config(folder)["authorizer"]["deploy"]["parameters"].get("parameter_overrides", [])
    if not pairs:
        # They are given on the command line, since some come from another stack.
        pairs = re.findall(r"\bJwt\w+=\S+", blocks("sh", page=folder / "README.md")[0].text)
    return {key: value for key, _, value in (pair.partition("=") for pair in pairs)}


def settings(folder: Path) -> Settings:
    return load_settings(
        {VARIABLES[name]: value for name, value in parameters(folder).items() if name in VARIABLES}, folder
    )


def routes(listed: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """Give method and path of each route."""
    for route in listed:
        method = route.get("method", "*")
        for each in [method] if isinstance(method, str) else method:
            yield each, route["path"]


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
def test_its_rules_list_the_routes_of_its_api(folder: Path) -> None:
    listing = read_routes((folder / "template.yaml").read_text("utf-8"))
    assert not listing.problems
    document = tomllib.loads((folder / "rules.toml").read_text("utf-8"))
    assert sorted(routes(document["routes"])) == sorted(routes(route_tables(listing)))


@pytest.mark.parametrize("folder", BY_ROUTE, ids=name_of)
def test_its_rules_say_what_its_cases_say_and_leave_nothing_out(folder: Path) -> None:
    cases = parse_cases((folder / "cases.yaml").read_text("utf-8"))
    wrong = [result for result in try_cases(settings(folder), cases, time.time()) if not result.passed]
    assert wrong == []
    assert settings(folder).answers.cached_by is CachedBy.ROUTE
    assert check_rules(settings(folder), CachedBy.ROUTE).fine


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: str(path.relative_to(EXAMPLES)))
def test_no_log_is_told_what_a_token_may_be_in(template: Path) -> None:
    text = template.read_text("utf-8")
    for written in re.findall(r"^ +Format: >-\n((?: +\S.*\n)+)", text, re.MULTILINE):
        assert not NOT_FOR_TOKENS.search(written)
    # Execution logs hold whole requests.
    assert not re.search(r"^ *(?:DataTraceEnabled|LoggingLevel):", text, re.MULTILINE)


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: str(path.relative_to(EXAMPLES)))
def test_pages_of_any_origin_are_allowed_nothing_with_credentials(template: Path) -> None:
    text = template.read_text("utf-8")
    assert not re.search(r"Allow-?Origins?: .*\*", text)
    if "AllowCredentials" in text:
        parameter = read_template(template)["Parameters"]["AllowedOrigin"]
        assert not re.fullmatch(parameter["AllowedPattern"], "https://*")
        assert not re.fullmatch(parameter["AllowedPattern"], "*")
        assert re.fullmatch(parameter["AllowedPattern"], parameter["Default"])


def test_through_the_private_networks_endpoint_only_the_keys_can_be_read() -> None:
    made = read_template(EXAMPLES / "private-vpc" / "network.yaml")["Resources"]
    (statement,) = made["S3Endpoint"]["Properties"]["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Action"]) == ("Allow", "s3:GetObject")
    assert statement["Resource"] == {"Fn::Sub": "${Keys.Arn}/jwks.json"}
    kinds = {resource["Type"].removeprefix("AWS::EC2::") for resource in made.values()}
    assert not kinds & {"InternetGateway", "NatGateway", "VPCGatewayAttachment", "Route", "EgressOnlyInternetGateway"}
    assert set(made["Keys"]["Properties"]["PublicAccessBlockConfiguration"].values()) == {True}
    group = made["AuthorizerGroup"]["Properties"]
    (way_out,) = group["SecurityGroupEgress"]
    assert (way_out["IpProtocol"], way_out["FromPort"], way_out["ToPort"]) == ("tcp", 443, 443)
    assert way_out["DestinationPrefixListId"] == {"Ref": "S3PrefixListId"}
    assert "SecurityGroupIngress" not in group


def test_the_copied_keys_are_neither_read_nor_written_without_tls() -> None:
    made = read_template(EXAMPLES / "private-vpc" / "network.yaml")["Resources"]
    policy = made["KeysPolicy"]["Properties"]
    assert policy["Bucket"] == {"Ref": "Keys"}
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert statement == {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [{"Fn::GetAtt": ["Keys", "Arn"]}, {"Fn::Sub": "${Keys.Arn}/*"}],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


# ---------------------------------------------------------------------------------------------------------------
# The backends of examples/: who may call has been decided before; this is what they add to it.


PAGE = "https://app.example.com"
META = "io.modelcontextprotocol/"
MODERN = "2026-07-28"
WHO = {"sub": "alice", "scope": "mcp:tools", "claims": '{"sub": "alice", "client_id": "agent-7"}'}


def backend(monkeypatch: pytest.MonkeyPatch, path: str, **environment: str) -> ModuleType:
    """Load a backend as Lambda does, with its environment."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    file = EXAMPLES / path
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    return backend(monkeypatch, "browser-cookies/backend/session.py", ALLOWED_ORIGIN=PAGE)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    return backend(monkeypatch, "mcp-server/backend/mcp_server.py", RESOURCE="https://mcp.example.com/mcp")


# --- browser-cookies


def sign_in(session: ModuleType, body: str | None, **headers: str) -> dict[str, Any]:
    event = {"httpMethod": "POST", "headers": {"Origin": PAGE, **headers}, "body": body}
    answer: dict[str, Any] = session.session(event, None)
    return answer


@pytest.mark.parametrize(
    "body",
    [
        None,
        "",
        "a.b.c",
        "[]",
        "{}",
        '{"token": 7}',
        '{"token": "opaque"}',
        '{"token": "a.b.c; Domain=example.com"}',
        '{"token": "a.b.c\\r\\nSet-Cookie: x=y"}',
        json.dumps({"token": "a.b." + "c" * 4096}),
    ],
)
def test_what_is_no_token_does_not_get_into_a_cookie(session: ModuleType, body: str | None) -> None:
    answer = sign_in(session, body)
    assert answer["statusCode"] == 400
    assert "Set-Cookie" not in answer["headers"]


@pytest.mark.parametrize(
    "origin", ["https://blog.example.com", "http://app.example.com", f"{PAGE}.evil.example", "null", ""]
)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_other_pages_change_nothing(session: ModuleType, method: str, origin: str) -> None:
    event = {
        "httpMethod": method,
        "resource": "/orders",
        "headers": {"origin": origin},
        "requestContext": {"authorizer": {"sub": "alice"}},
    }
    assert session.handler(event, None)["statusCode"] == 403
    assert session.session({**event, "body": '{"token": "a.b.c"}'}, None)["statusCode"] == 403


def test_no_cache_keeps_what_was_answered_to_a_cookie(session: ModuleType) -> None:
    # Unlike Authorization, a cookie does not keep shared caches from storing the answer (RFC 9111 section 3.5).
    event = {"httpMethod": "GET", "resource": "/orders", "headers": {}, "requestContext": {"authorizer": {"sub": "a"}}}
    answers = [
        session.handler(event, None),
        session.handler({**event, "httpMethod": "POST"}, None),
        sign_in(session, '{"token": "a.b.c"}'),
        sign_in(session, None),
        session.session({**event, "httpMethod": "DELETE", "headers": {"Origin": PAGE}}, None),
    ]
    assert [answer["statusCode"] for answer in answers] == [200, 403, 200, 400, 200]
    assert {answer["headers"]["Cache-Control"] for answer in answers} == {"no-store"}


# --- websocket-browser


@pytest.mark.parametrize(
    ("header", "offered", "chosen"),
    [
        ("Sec-WebSocket-Protocol", "chat.v1, a.b.c", "chat.v1"),
        ("sec-websocket-protocol", "other,chat.v1,a.b.c", "chat.v1"),
        ("Sec-WebSocket-Protocol", "chat.v2, a.b.c", None),
        ("Sec-WebSocket-Protocol", "a.b.c, chat.v1", None),  # the last one was read as the token
        ("Sec-WebSocket-Protocol", "", None),
        ("Accept", "chat.v1, a.b.c", None),
    ],
)
def test_the_subprotocol_that_is_chosen_is_never_the_token(
    monkeypatch: pytest.MonkeyPatch, header: str, offered: str, chosen: str | None
) -> None:
    messages = backend(monkeypatch, "websocket-browser/backend/messages.py")
    event = {"requestContext": {"eventType": "CONNECT"}, "headers": {header: offered}}
    answer = messages.handler(event, None)
    assert answer.get("headers") == (chosen and {"Sec-WebSocket-Protocol": chosen})
    assert answer["statusCode"] == (200 if chosen else 400)


# --- mcp-server


def post(server: ModuleType, message: object, **headers: str) -> tuple[int, dict[str, Any]]:
    body = message if isinstance(message, str) else json.dumps(message)
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    event = {"httpMethod": "POST", "headers": given, "body": body, "requestContext": {"authorizer": WHO}}
    answer = server.handler(event, None)
    return answer["statusCode"], json.loads(answer["body"] or "{}")


def test_nobody_else_is_given_what_a_caller_was_told(server: ModuleType) -> None:
    meta = {META + "protocolVersion": MODERN, META + "clientCapabilities": {}}
    for method in ("server/discover", "tools/list"):
        message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": {"_meta": meta}}
        answer = post(server, message, MCP_Protocol_Version=MODERN, Mcp_Method=method)[1]
        assert answer["result"]["cacheScope"] == "private"
    event = {"httpMethod": "GET", "headers": {}, "requestContext": {"authorizer": WHO}}
    message = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    legacy = {"MCP-Protocol-Version": "2025-11-25"}
    asked = [event, {**event, "httpMethod": "POST", "headers": legacy, "body": json.dumps(message)}]
    answers = [server.handler(each, None) for each in (*asked, {**event, "headers": {"Origin": PAGE}})]
    assert [answer["statusCode"] for answer in answers] == [405, 200, 403]
    assert {answer["headers"]["Cache-Control"] for answer in answers} == {"no-store"}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("", -32700),
        ("{", -32700),
        ("[]", -32600),
        ('{"method": "tools/list", "id": 1}', -32600),
        ('{"jsonrpc": "2.0", "id": 1}', -32600),
        ('{"jsonrpc": "2.0", "method": "tools/list", "id": null}', -32600),
        ('{"jsonrpc": "2.0", "method": "tools/list", "id": true}', -32600),
        ('{"jsonrpc": "2.0", "method": "tools/list", "id": 1}', -32602),
        ('{"jsonrpc": "2.0", "method": "tools/list", "id": 1, "params": {"_meta": 7}}', -32602),
    ],
)
def test_what_is_no_request_is_refused(server: ModuleType, body: str, code: int) -> None:
    status, answer = post(server, body)
    assert (status, answer["error"]["code"]) == (400, code)


@pytest.mark.parametrize("origin", ["https://evil.example", "https://mcp.example.com", "null", ""])
def test_pages_may_not_call(server: ModuleType, origin: str) -> None:
    message = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    assert post(server, message)[0] == 202
    assert post(server, message, Origin=origin)[0] == 403
