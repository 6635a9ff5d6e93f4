"""Make the event that an API would send for a bare token."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from jwt_authorizer.rules.model import ANY_METHOD, CONNECT, HTTP_METHODS
from jwt_authorizer.rules.templates import Variable, parse_template
from jwt_authorizer.tokens import TokenLocation

if TYPE_CHECKING:
    from jwt_authorizer.rules import Resource, Rules
    from jwt_authorizer.tokens import TokenSource

_ARN = "arn:aws:execute-api:eu-west-1:123456789012:abcdef1234/prod/"
_SAMPLES = ("1", "x7", "some-value")


class ApiKind(StrEnum):
    """The kinds of API an event can be made for."""

    REST = "rest"
    REST_TOKEN = "rest-token"
    WEBSOCKET = "websocket"
    HTTP = "http"
    HTTP_V1 = "http-1.0"
    APPSYNC = "appsync"


def event_for(  # noqa: PLR0913 - what a request is
    token: str,
    source: TokenSource,
    kind: ApiKind,
    method: str,
    path: str,
    *,
    proof: str | None = None,
    domain: str | None = None,
) -> dict[str, object]:
    """Make the event of a request with this token in ``source``.

    ``path`` starts with a slash. The event is of an API whose cache is keyed by the route, so that only the settings
    decide. ``proof`` is a DPoP proof that is sent with the token, and ``domain`` the host of the URL that was called.
    AppSync's event has only the token.
    """
    value = f"{'Bearer' if proof is None else 'DPoP'} {token}" if source.has_scheme else token
    headers, cookies, query = {"accept": "*/*"} | ({} if proof is None else {"dpop": proof}), "", {}
    called: dict[str, object] = {} if domain is None else {"domainName": domain, "path": path}
    match source.location:
        case TokenLocation.HEADER:
            headers[source.name] = value
        case TokenLocation.COOKIE:
            headers["cookie"] = cookies = f"{source.name}={value}"
        case TokenLocation.QUERY:
            query[source.name] = value
    resource = f"{method}{path}"
    shared: dict[str, object] = {"headers": headers, "queryStringParameters": query}
    match kind:
        case ApiKind.REST_TOKEN:
            return {"type": "TOKEN", "methodArn": _ARN + resource, "authorizationToken": value}
        case ApiKind.WEBSOCKET:
            context = {"routeKey": CONNECT, "connectionId": "explained", "eventType": "CONNECT", **called}
            return {"type": "REQUEST", "methodArn": _ARN + CONNECT, "requestContext": context, **shared}
        case ApiKind.REST:
            return {"type": "REQUEST", "methodArn": _ARN + resource, "path": path, "requestContext": called, **shared}
        case ApiKind.HTTP_V1:
            versioned: dict[str, object] = {"version": "1.0", "type": "REQUEST", "methodArn": _ARN + resource}
            return {**versioned, "identitySource": value, "requestContext": called, **shared}
        case ApiKind.APPSYNC:
            asked: dict[str, object] = {"queryString": "query Explained { __typename }", "operationName": "Explained"}
            sender = {"apiId": "abcdefghijklmnopqrstuvwxyz", "accountId": "123456789012", "requestId": "explained"}
            context = {**sender, **asked, "variables": {}}
            return {"authorizationToken": value, "requestContext": context, "requestHeaders": headers}
        case ApiKind.HTTP:
            route_key = f"{method} {path}"
            return {
                "version": "2.0",
                "type": "REQUEST",
                "routeArn": _ARN + resource,
                "routeKey": route_key,
                "identitySource": [value, route_key],
                "rawPath": path,
                "cookies": [cookies] if cookies else [],
                "requestContext": called,
                **shared,
            }


def default_request(rules: Rules) -> tuple[str, str]:
    """Return the request to assume if none is given: the first route of the rules, or ``GET /``."""
    for resource in rules.resources:
        listed = next(iter(resource.methods))
        return sample_method(resource, listed), sample_path(rules, resource)
    return "GET", "/"


def sample_method(resource: Resource, listed: str) -> str:
    """Return a method that this rule of a resource applies to."""
    if listed != ANY_METHOD:
        return listed
    return next((method for method in HTTP_METHODS if method not in resource.methods), "GET")


def sample_path(rules: Rules, resource: Resource) -> str:
    """Return a path that matches a resource and, if possible, no more specific one."""
    paths = [_fill(resource.path, sample) for sample in _SAMPLES]
    return next((path for path in paths if rules.find(path)[:1] == (resource,)), paths[0])


def _fill(path: str, sample: str) -> str:
    parts: list[str] = []
    for segment in parse_template(path):
        match segment:
            case Variable.PARAM:
                parts.append(sample)
            case Variable.GREEDY | Variable.REST:
                parts += [sample, "more"]
            case _:
                parts.append(str(segment))
    return "/" + "/".join(parts)
