# ruff: noqa: INP001 - this folder is the top of the package that Lambda gets
"""A backend that returns the authorizer's context."""

from __future__ import annotations

import json


def orders(event: dict[str, dict[str, object]], _context: object) -> dict[str, object]:
    """Return the context of the request's authorizer."""
    return {"statusCode": 200, "body": json.dumps({"authorizer": event["requestContext"].get("authorizer")})}
