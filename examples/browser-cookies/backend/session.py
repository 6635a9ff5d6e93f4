# ruff: noqa: INP001 - this folder is the top of the package that Lambda gets
"""A backend for pages that keep their token in a cookie: signing in and out, and what a cookie makes necessary.

A browser sends cookies along with requests that another page has made it send. `SameSite` stops pages of other sites,
but not those of other hosts of your own site; looking at `Origin` stops both.
"""

from __future__ import annotations

import json
import os
import re
from typing import Any

type Event = dict[str, Any]

COOKIE = "__Host-session"
"""Browsers take a cookie of such a name only with `Secure`, for all paths and for this host alone (RFC 6265bis)."""
LARGEST_COOKIE = 4096
"""Bytes that browsers keep of a cookie, its name and attributes included."""
ORIGIN = os.environ["ALLOWED_ORIGIN"]

_ATTRIBUTES = "Path=/; Secure; HttpOnly; SameSite=Strict"
_LOOKS_LIKE_A_JWT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_HEADERS = {
    "Content-Type": "application/json",
    "Cache-Control": "no-store",
    # One origin by name: browsers refuse `*` together with credentials, and so should you.
    "Access-Control-Allow-Origin": ORIGIN,
    "Access-Control-Allow-Credentials": "true",
}


def handler(event: Event, _context: object) -> Event:
    """Answer what the authorizer let through."""
    if _forged(event):
        return _answer(403, {"error": "cross_origin"})
    who = event["requestContext"]["authorizer"]
    return _answer(200, {"sub": who["sub"], "did": f"{event['httpMethod']} {event['resource']}"})


def session(event: Event, _context: object) -> Event:
    """Put the page's token into a cookie that no script can read, or take it out again. Needs no token itself.

    The token is not checked here: the authorizer does that, each time it comes back.
    """
    if _forged(event):
        # Signing somebody in under another name is an attack, too.
        return _answer(403, {"error": "cross_origin"})
    if event["httpMethod"] == "DELETE":
        return _answer(200, {"signed_in": False}, f"{COOKIE}=; Max-Age=0; {_ATTRIBUTES}")
    token = _token(event.get("body"))
    cookie = f"{COOKIE}={token}; {_ATTRIBUTES}"
    if token is None or len(cookie) > LARGEST_COOKIE:
        return _answer(400, {"error": "invalid_request", "wanted": '{"token": "a JWT that fits into a cookie"}'})
    return _answer(200, {"signed_in": True}, cookie)


def _forged(event: Event) -> bool:
    """Tell whether a request that changes something may have been made by another page than ours.

    Browsers send `Origin` with each of them, and pages cannot change it (Fetch standard, "Origin header").
    """
    headers = {name.lower(): value for name, value in event["headers"].items()}
    return event["httpMethod"] not in _SAFE and headers.get("origin") != ORIGIN


def _token(body: str | None) -> str | None:
    try:
        document = json.loads(body or "")
    except ValueError:
        return None
    token = document.get("token") if isinstance(document, dict) else None
    return token if isinstance(token, str) and _LOOKS_LIKE_A_JWT.fullmatch(token) else None


def _answer(status: int, body: dict[str, object], cookie: str | None = None) -> Event:
    headers = _HEADERS if cookie is None else {**_HEADERS, "Set-Cookie": cookie}
    return {"statusCode": status, "headers": headers, "body": json.dumps(body)}
