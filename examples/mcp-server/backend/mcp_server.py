# ruff: noqa: INP001 - this folder is the top of the package that Lambda gets
"""An MCP server with one tool, over Streamable HTTP: no sessions, no streams, one response for each request.

It supports revision 2026-07-28 of the Model Context Protocol, where requests are independent, and 2025-11-25 and
2025-06-18, which begin with `initialize`. The authorizer has already checked the token. The two routes of the
metadata need no token, since clients read there where to get one (RFC 9728).
"""

from __future__ import annotations

import base64
import json
import os
import re
from typing import Any

type Json = dict[str, Any]
type Answer = tuple[int, Json | None]

RESOURCE = os.environ["RESOURCE"]
"""The URL that clients call, and the `aud` of tokens for this server (RFC 8707)."""
MODERN, LEGACY = "2026-07-28", ("2025-11-25", "2025-06-18")
SERVER = {"name": "whoami", "version": "1.0.0"}
TOOL = {
    "name": "whoami",
    "title": "Who am I?",
    "description": "Tells who the caller is, as this server's authorizer sees it.",
    "inputSchema": {"type": "object", "additionalProperties": False},
    "outputSchema": {
        "type": "object",
        "properties": {"subject": {"type": "string"}, "client": {"type": "string"}, "scope": {"type": "string"}},
        "required": ["subject", "scope"],
    },
}

# Error codes of JSON-RPC and of MCP.
PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS = -32700, -32600, -32601, -32602
HEADER_MISMATCH, UNSUPPORTED_VERSION = -32020, -32022

_META = "io.modelcontextprotocol/"


def metadata(_event: Json, _context: object) -> Json:
    """Return the metadata: the issuer of tokens for this server, and the scope to request (RFC 9728 section 2)."""
    document = {
        "resource": RESOURCE,
        "authorization_servers": [os.environ["ISSUER"]],
        "scopes_supported": [os.environ["SCOPE"]],
        "bearer_methods_supported": ["header"],
    }
    return _http(200, document, {"Cache-Control": "public, max-age=3600"})


def handler(event: Json, _context: object) -> Json:
    """Answer one message."""
    headers = {name.lower(): value for name, value in event["headers"].items()}
    if "origin" in headers:
        # Only browsers send it. If pages may call as well, list their origins here, and add CORS.
        return _http(403, _error(None, INVALID_REQUEST, "Pages may not call this server"))
    if event["httpMethod"] != "POST":
        # This server has no streams to open and no sessions to end.
        return _http(405, None, {"Allow": "POST"})
    try:
        message = json.loads(event.get("body") or "")
    except ValueError:
        return _http(400, _error(None, PARSE_ERROR, "The body is not JSON"))
    if not _is_json_rpc(message):
        return _http(400, _error(None, INVALID_REQUEST, "The body is not a JSON-RPC request"))
    if "id" not in message:
        return _http(202, None)
    return _http(*_answer(message, headers, event["requestContext"]["authorizer"]))


def _is_json_rpc(message: object) -> bool:
    if not isinstance(message, dict) or message.get("jsonrpc") != "2.0" or not isinstance(message.get("method"), str):
        return False
    number = message.get("id", 0)
    return isinstance(number, str | int) and not isinstance(number, bool)


def _answer(message: Json, headers: dict[str, str], who: Json) -> Answer:
    params = _object(message.get("params"))
    if _META + "protocolVersion" in _object(params.get("_meta")):
        return _answer_modern(message, params, headers, who)
    if message["method"] != "initialize" and headers.get("mcp-protocol-version") not in LEGACY:
        return 400, _error(message, INVALID_PARAMS, f"Missing _meta: {_META}protocolVersion. Supported: {MODERN}")
    return 200, _answer_legacy(message, params, who)


def _object(value: object) -> Json:
    return value if isinstance(value, dict) else {}


def _answer_modern(message: Json, params: Json, headers: dict[str, str], who: Json) -> Answer:
    """Answer a request of 2026-07-28, whose headers repeat values of its body."""
    meta, method = params["_meta"], message["method"]
    version = meta[_META + "protocolVersion"]
    mirrored = {"mcp-protocol-version": version, "mcp-method": method}
    if method == "tools/call":
        mirrored["mcp-name"] = params.get("name")
    for name, value in mirrored.items():
        if _decoded(headers.get(name)) != value:
            return 400, _error(message, HEADER_MISMATCH, f"The header {name} does not say what the body says")
    if version != MODERN:
        data = {"supported": [MODERN, *LEGACY], "requested": version}
        return 400, _error(message, UNSUPPORTED_VERSION, "Unsupported protocol version", data)
    if not isinstance(meta.get(_META + "clientCapabilities"), dict):
        return 400, _error(message, INVALID_PARAMS, f"Missing _meta: {_META}clientCapabilities")
    # Tools may depend on the caller, so the response must not be cached for others.
    cacheable: Json = {"ttlMs": 300_000, "cacheScope": "private"}
    match method:
        case "server/discover":
            result: Json = {"supportedVersions": [MODERN, *LEGACY], "capabilities": {"tools": {}}, **cacheable}
        case "tools/list":
            result = {"tools": [TOOL], **cacheable}
        case "tools/call" if params.get("name") == TOOL["name"]:
            result = _whoami(who)
        case "tools/call":
            return 200, _error(message, INVALID_PARAMS, "There is no such tool")
        case _:
            return 404, _error(message, METHOD_NOT_FOUND, "Method not found")
    return 200, _result(message, {"resultType": "complete", "_meta": {_META + "serverInfo": SERVER}, **result})


def _decoded(header: str | None) -> str | None:
    """Return the value of a header that repeats one of the body. If it is not ASCII, the header has it in base64."""
    encoded = re.fullmatch(r"=\?base64\?(.*)\?=", header or "")
    if encoded is None:
        return header
    try:
        return base64.b64decode(encoded[1], validate=True).decode()
    except ValueError:
        return None


def _answer_legacy(message: Json, params: Json, who: Json) -> Json:
    """Answer a request of an earlier revision. Nothing of `initialize` is stored, since nothing depends on it."""
    match message["method"]:
        case "initialize":
            wanted = params.get("protocolVersion")
            version = wanted if wanted in LEGACY else LEGACY[0]
            return _result(message, {"protocolVersion": version, "capabilities": {"tools": {}}, "serverInfo": SERVER})
        case "ping":
            return _result(message, {})
        case "tools/list":
            return _result(message, {"tools": [TOOL]})
        case "tools/call" if params.get("name") == TOOL["name"]:
            return _result(message, _whoami(who))
        case "tools/call":
            return _error(message, INVALID_PARAMS, "There is no such tool")
        case _:
            return _error(message, METHOD_NOT_FOUND, "Method not found")


def _whoami(who: Json) -> Json:
    claims = json.loads(who["claims"])
    told = {"subject": who["sub"], "scope": who["scope"]}
    if isinstance(claims.get("client_id"), str):
        told["client"] = claims["client_id"]
    return {"content": [{"type": "text", "text": json.dumps(told)}], "structuredContent": told, "isError": False}


def _result(message: Json, result: Json) -> Json:
    return {"jsonrpc": "2.0", "id": message["id"], "result": result}


def _error(message: Json | None, code: int, text: str, data: Json | None = None) -> Json:
    error = {"code": code, "message": text} if data is None else {"code": code, "message": text, "data": data}
    return {"jsonrpc": "2.0", **({} if message is None else {"id": message["id"]}), "error": error}


def _http(status: int, body: Json | None, headers: dict[str, str] | None = None) -> Json:
    shown = {"Content-Type": "application/json", "Cache-Control": "no-store", **(headers or {})}
    return {"statusCode": status, "headers": shown, "body": "" if body is None else json.dumps(body)}
