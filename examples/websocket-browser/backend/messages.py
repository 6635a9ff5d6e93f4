# ruff: noqa: INP001 - this folder is the top of the package that Lambda gets
"""A backend for a WebSocket API for web pages: it chooses the subprotocol, and knows the sender of each message.

A page offers two subprotocols: the one that it uses, and its token. API Gateway passes on what this function chooses
at `$connect`. Without a choice, the browser closes the connection.
"""

from __future__ import annotations

import json
import time
from typing import Any

type Event = dict[str, Any]

PROTOCOL = "chat.v1"


def handler(event: Event, _context: object) -> Event:
    """Answer each route. The event of `$connect` contains the token: do not log it."""
    context = event["requestContext"]
    if context["eventType"] == "CONNECT":
        return _choose(event["headers"])
    if context["eventType"] == "DISCONNECT":
        return {"statusCode": 200}
    who = context["authorizer"]
    # `exp` is when the token expires, in seconds since 1970. In a WebSocket API's context all values are strings.
    if float(who["exp"]) <= time.time():
        return _answer({"error": "token_expired"})
    return _answer({"from": who["sub"], "said": event.get("body") or ""})


def _choose(headers: dict[str, str]) -> Event:
    """Choose our subprotocol, and never the last one, which is the token (RFC 6455 section 4.2.2)."""
    offered = next((value for name, value in headers.items() if name.lower() == "sec-websocket-protocol"), "")
    if PROTOCOL not in [each.strip() for each in offered.split(",")][:-1]:
        return {"statusCode": 400}
    return {"statusCode": 200, "headers": {"Sec-WebSocket-Protocol": PROTOCOL}}


def _answer(body: dict[str, object]) -> Event:
    return {"statusCode": 200, "body": json.dumps(body)}
