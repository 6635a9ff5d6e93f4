# ruff: noqa: INP001 - this folder is the top of the package that Lambda gets
"""A backend behind the authorizer. It answers with the authorizer's context."""

import json


def handler(event: dict[str, object], _: object) -> dict[str, object]:
    """Answer requests of REST, HTTP and WebSocket APIs. All have the authorizer's context in the same member."""
    context = event["requestContext"]
    assert isinstance(context, dict)  # noqa: S101 - API Gateway always sends one
    told = {"authorizer": context.get("authorizer"), "route": context.get("routeKey") or context.get("resourcePath")}
    return {"statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": json.dumps(told)}
