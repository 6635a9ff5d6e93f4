"""The backends of examples/: who may call has been decided before; this is what they add to it."""

from __future__ import annotations

import importlib.util
import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.pages import EXAMPLES

if TYPE_CHECKING:
    from types import ModuleType

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


def modern(server: ModuleType, method: str, version: str = MODERN, **more: Any) -> tuple[int, dict[str, Any]]:  # noqa: ANN401 - parts of a message
    meta = {META + "protocolVersion": version, META + "clientCapabilities": {}}
    message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": {"_meta": meta, **more}}
    named = {"Mcp_Name": more["name"]} if "name" in more else {}
    return post(server, message, MCP_Protocol_Version=version, Mcp_Method=method, **named)


def test_a_tool_is_called_without_any_word_before(server: ModuleType) -> None:
    status, answer = modern(server, "tools/call", name="whoami", arguments={})
    assert (status, answer["id"], answer["result"]["resultType"]) == (200, 1, "complete")
    assert answer["result"]["structuredContent"] == {"subject": "alice", "client": "agent-7", "scope": "mcp:tools"}


def test_nobody_else_is_given_what_a_caller_was_told(server: ModuleType) -> None:
    for method in ("server/discover", "tools/list"):
        assert modern(server, method)[1]["result"]["cacheScope"] == "private"
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


# --- backend
