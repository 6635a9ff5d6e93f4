# ruff: noqa: INP001 - this folder is the top of the package that Lambda gets
"""A backend for a WebSocket API: it knows who speaks, and for how long.

API Gateway asks the authorizer once, at `$connect`, and hands what it said to the backend with every message of that
connection. So there is nothing to look up; but nobody looks at the token again either, and a connection may outlive it.
"""

from __future__ import annotations

import json
import time
from typing import Any

type Event = dict[str, Any]


def handler(event: Event, _context: object) -> Event:
    """Answer each route: `$connect` and `$disconnect` have nothing to say, a message comes back with its speaker."""
    context = event["requestContext"]
    if context["eventType"] != "MESSAGE":
        return {"statusCode": 200}
    who = context["authorizer"]
    # `exp` is when the token ends, in Unix seconds; a WebSocket API's context holds texts.
    if float(who["exp"]) <= time.time():
        return _answer({"error": "token_expired"})
    return _answer({"from": who["sub"], "said": event.get("body") or ""})


def _answer(body: dict[str, object]) -> Event:
    return {"statusCode": 200, "body": json.dumps(body)}
