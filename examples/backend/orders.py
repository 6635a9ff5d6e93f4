# ruff: noqa: INP001 - this folder is the top of the package that Lambda gets
"""The backend of most examples. It checks no token: it reads the authorizer's context and returns it.

docs/backends.md lists the fields of the context, and has examples in other languages.
"""

from __future__ import annotations

import json
import os
from typing import Any

type Event = dict[str, Any]

_HEADERS = {"Content-Type": "application/json"}
if "ALLOWED_ORIGIN" in os.environ:
    # CORS: pages of this origin may read the response. With a REST API, the backend has to send this header.
    _HEADERS["Access-Control-Allow-Origin"] = os.environ["ALLOWED_ORIGIN"]


def caller(event: Event) -> dict[str, Any]:
    """Return the authorizer's context from the event of a REST or an HTTP API."""
    authorizer = event["requestContext"]["authorizer"]  # fails on a route without an authorizer, on purpose
    context = authorizer.get("lambda", authorizer)  # one level deeper in an HTTP API
    claims = context["claims"]
    return {**context, "claims": json.loads(claims) if isinstance(claims, str) else claims}


def handler(event: Event, _context: object) -> Event:
    """Answer a request that the authorizer allowed."""
    who = caller(event)
    # `sub` is unique only within its issuer: with several issuers, use both.
    answer = {"iss": who["iss"], "sub": who["sub"], "scope": who["scope"], "claims": who["claims"]}
    return {"statusCode": 200, "headers": _HEADERS, "body": json.dumps(answer)}


def health(_event: Event, _context: object) -> Event:
    """Answer a request that needs no token, such as a health check."""
    return {"statusCode": 200, "headers": _HEADERS, "body": '{"healthy":true}'}
