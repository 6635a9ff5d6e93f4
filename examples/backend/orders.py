# ruff: noqa: INP001 - this folder is the top of the package that Lambda gets
"""The backend of most examples. It has no token to check: it reads who calls, and answers with what it read.

docs/backends.md explains what there is to read, and has the same in other languages.
"""

from __future__ import annotations

import json
import os
from typing import Any

type Event = dict[str, Any]

_HEADERS = {"Content-Type": "application/json"}
if "ALLOWED_ORIGIN" in os.environ:
    # A page of another origin may read an answer only if it says so. A REST API leaves that to its backend.
    _HEADERS["Access-Control-Allow-Origin"] = os.environ["ALLOWED_ORIGIN"]


def caller(event: Event) -> dict[str, Any]:
    """Return what the authorizer found out, from the event of a REST or an HTTP API."""
    authorizer = event["requestContext"]["authorizer"]  # a route without an authorizer fails here, as it should
    context = authorizer.get("lambda", authorizer)  # an HTTP API puts it one level deeper
    claims = context["claims"]
    return {**context, "claims": json.loads(claims) if isinstance(claims, str) else claims}


def handler(event: Event, _context: object) -> Event:
    """Answer a call that the authorizer let through."""
    who = caller(event)
    # `sub` is unique within its issuer only: if you trust several issuers, look at both.
    answer = {"iss": who["iss"], "sub": who["sub"], "scope": who["scope"], "claims": who["claims"]}
    return {"statusCode": 200, "headers": _HEADERS, "body": json.dumps(answer)}


def health(_event: Event, _context: object) -> Event:
    """Answer a call that needs no token, such as a monitor's."""
    return {"statusCode": 200, "headers": _HEADERS, "body": '{"healthy":true}'}
