# ruff: noqa: INP001 - this folder is the top of the package that Lambda gets
"""A backend for a WebSocket API: it knows the sender of each message, and when the token expires.

API Gateway calls the authorizer once, at `$connect`, and passes its context to the backend with every message of that
connection. So no look-up is needed. But the token is not checked again, and a connection may outlive it.
"""

from __future__ import annotations

import json
import time
from typing import Any

type Event = dict[str, Any]


def handler(event: Event, _context: object) -> Event:
    """Answer each route: nothing for `$connect` and `$disconnect`, and each message with its sender."""
    context = event["requestContext"]
    if context["eventType"] != "MESSAGE":
        return {"statusCode": 200}
    who = context["authorizer"]
    # `exp` is when the token expires, in seconds since 1970. In a WebSocket API's context all values are strings.
    if float(who["exp"]) <= time.time():
        return _answer({"error": "token_expired"})
    return _answer({"from": who["sub"], "said": event.get("body") or ""})


def _answer(body: dict[str, object]) -> Event:
    return {"statusCode": 200, "body": json.dumps(body)}
