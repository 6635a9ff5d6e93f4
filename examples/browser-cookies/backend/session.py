# ruff: noqa: INP001 - this folder is the top of the package that Lambda gets
"""A backend for pages with their token in a cookie: sign-in, sign-out, and protection against CSRF.

A browser sends cookies also with requests that another page makes. `SameSite` stops pages of other sites,
but not those of other hosts of your own site. A check of `Origin` stops both.
"""

from __future__ import annotations

import json
import os
import re
from typing import Any

type Event = dict[str, Any]

COOKIE = "__Host-session"
"""Browsers accept a cookie with this prefix only with `Secure`, for all paths and this host only (RFC 6265bis)."""
LARGEST_COOKIE = 4096
"""The largest cookie that browsers store, in bytes, with its name and attributes."""
ORIGIN = os.environ["ALLOWED_ORIGIN"]

_ATTRIBUTES = "Path=/; Secure; HttpOnly; SameSite=Strict"
_LOOKS_LIKE_A_JWT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_HEADERS = {
    "Content-Type": "application/json",
    "Cache-Control": "no-store",
    # One origin by name: browsers reject `*` together with credentials.
    "Access-Control-Allow-Origin": ORIGIN,
    "Access-Control-Allow-Credentials": "true",
}


def handler(event: Event, _context: object) -> Event:
    """Answer a request that the authorizer allowed."""
    if _forged(event):
        return _answer(403, {"error": "cross_origin"})
    who = event["requestContext"]["authorizer"]
    return _answer(200, {"sub": who["sub"], "did": f"{event['httpMethod']} {event['resource']}"})


def session(event: Event, _context: object) -> Event:
    """Set the page's token as a cookie that scripts can't read, or delete that. This route needs no token.

    The token is not checked here: the authorizer checks it with each later request.
    """
    if _forged(event):
        # Signing a user in under another name is an attack, too (login CSRF).
        return _answer(403, {"error": "cross_origin"})
    if event["httpMethod"] == "DELETE":
        return _answer(200, {"signed_in": False}, f"{COOKIE}=; Max-Age=0; {_ATTRIBUTES}")
    token = _token(event.get("body"))
    cookie = f"{COOKIE}={token}; {_ATTRIBUTES}"
    if token is None or len(cookie) > LARGEST_COOKIE:
        return _answer(400, {"error": "invalid_request", "wanted": '{"token": "a JWT that fits into a cookie"}'})
    return _answer(200, {"signed_in": True}, cookie)


def _forged(event: Event) -> bool:
    """Return whether a request that changes something may come from another page than ours.

    Browsers send `Origin` with each such request, and pages cannot change it (Fetch standard, "Origin header").
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
