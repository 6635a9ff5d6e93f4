# ruff: noqa: INP001 - this folder is the top of the package that Lambda gets
"""Resolvers of a GraphQL API.

AppSync has already called the authorizer. Its context is in `identity.resolverContext`.
"""

from __future__ import annotations

from typing import Any

type Event = dict[str, Any]


def handler(event: Event, _context: object) -> dict[str, object]:
    """Resolve one field. AppSync passes the whole context of its resolver (a direct Lambda resolver)."""
    caller = event["identity"]["resolverContext"]
    order: dict[str, object] = {"id": event["arguments"]["id"], "owner": caller["sub"], "margin": 12.5}
    if event["info"]["fieldName"] != "cancelOrder":
        return {**order, "state": "open"}
    # AWS promises null for a denied field, but not that its resolver is not called. So check the scope before a change.
    if "orders:write" not in caller["scope"].split():
        message = "the token lacks the scope orders:write"
        raise PermissionError(message)
    return {**order, "state": "canceled"}
