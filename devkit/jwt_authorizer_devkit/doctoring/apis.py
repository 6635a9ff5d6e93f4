"""The authorizers of deployed APIs, as AWS describes them."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from jwt_authorizer_devkit.aws_access import NotThereError, about_stack, out_of_reach, variables_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jwt_authorizer_devkit.aws_access import Clients

_FUNCTION = re.compile(r"functions/(arn:[^/]+)/invocations")
_REST_TTL = 300
"""Seconds: a REST API's default."""


class Kind(StrEnum):
    """Kinds of APIs."""

    REST = "REST"
    HTTP = "HTTP"
    WEBSOCKET = "WEBSOCKET"


@dataclass(frozen=True, slots=True)
class Attached:
    """One Lambda authorizer of an API. ``sources`` are its identity sources, ``ttl`` is in seconds.

    ``default_endpoint``: whether the API can also be called at API Gateway's own domain name.
    """

    api_id: str
    kind: Kind
    authorizer_id: str
    name: str
    request: bool
    sources: tuple[str, ...]
    ttl: int
    payload: str | None
    simple: bool
    function: str
    default_endpoint: bool = True


@dataclass(frozen=True, slots=True)
class Api:
    """A deployed API: its Lambda authorizers, its routes, and the routes that anybody may call."""

    api_id: str
    kind: Kind
    attached: tuple[Attached, ...]
    routes: tuple[str, ...]
    open_routes: tuple[str, ...]


def apis_of_stack(stack: str, clients: Clients) -> tuple[str, ...]:
    """Find the APIs of a CloudFormation stack. Raises :class:`NotThereError` or :class:`OutOfReachError`."""
    found: list[str] = []
    with about_stack(stack):
        pages = clients("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack)
        for page in pages:
            found += [
                resource["PhysicalResourceId"]
                for resource in page["StackResourceSummaries"]
                if resource["ResourceType"] in ("AWS::ApiGateway::RestApi", "AWS::ApiGatewayV2::Api")
            ]
    if not found:
        raise NotThereError(f"The stack {stack} has no API of API Gateway: name the API's stack, or use --api ID.")
    return tuple(found)


def read_api(api_id: str, clients: Clients) -> Api:
    """Read an API's Lambda authorizers and routes. Raises :class:`NotThereError` or :class:`OutOfReachError`."""
    try:
        described = _v2_description(api_id, clients)
        if described is None:
            return _rest_api(api_id, clients("apigateway"))
        return _v2_api(api_id, described, clients("apigatewayv2"))
    except Exception as error:
        if type(error).__name__ == "NotFoundException":
            message = f"There is no API {api_id} in this region. To list them: `aws apigateway get-rest-apis` and "
            raise NotThereError(message + "`aws apigatewayv2 get-apis`.") from error
        raise out_of_reach(error) from error


def environment_of(function: str, clients: Clients) -> dict[str, str]:
    """Read a function's environment variables. Raises :class:`OutOfReachError`."""
    try:
        return variables_of(function, clients)
    except Exception as error:
        raise out_of_reach(error) from error


def _v2_description(api_id: str, clients: Clients) -> Mapping[str, Any] | None:
    """Describe an HTTP or WebSocket API; ``None`` if it is neither."""
    v2 = clients("apigatewayv2")
    try:
        described: Mapping[str, Any] = v2.get_api(ApiId=api_id)
    except v2.exceptions.NotFoundException:
        return None
    return described


def _listed(client: Any, operation: str, **asked: object) -> list[Mapping[str, Any]]:  # noqa: ANN401 - boto3's
    """Return the items of all pages of an operation. AWS leaves the member out if there are none."""
    pages = client.get_paginator(operation).paginate(**asked)
    return [one for page in pages for one in page.get("items", page.get("Items", ()))]


def _rest_api(api_id: str, client: Any) -> Api:  # noqa: ANN401 - boto3's
    has_default = not client.get_rest_api(restApiId=api_id).get("disableExecuteApiEndpoint", False)
    authorizers = _listed(client, "get_authorizers", restApiId=api_id)
    methods = {
        f"{method} {resource['path']}": described.get("authorizationType", "NONE")
        for resource in _listed(client, "get_resources", restApiId=api_id, embed=["methods"])
        for method, described in resource.get("resourceMethods", {}).items()
    }
    attached = tuple(
        replace(_rest(api_id, one), default_endpoint=has_default)
        for one in authorizers
        if one["type"] in ("TOKEN", "REQUEST")
    )
    return Api(api_id, Kind.REST, attached, tuple(methods), _open(methods))


def _v2_api(api_id: str, described: Mapping[str, Any], client: Any) -> Api:  # noqa: ANN401 - boto3's
    kind, has_default = Kind(described["ProtocolType"]), not described.get("DisableExecuteApiEndpoint", False)
    authorizers = _listed(client, "get_authorizers", ApiId=api_id)
    routes = {
        one["RouteKey"]: one.get("AuthorizationType", "NONE") for one in _listed(client, "get_routes", ApiId=api_id)
    }
    # Of a WebSocket API's routes, only $connect takes an authorizer.
    may_be_open = {key: value for key, value in routes.items() if kind is Kind.HTTP or key == "$connect"}
    attached = tuple(
        replace(_v2(api_id, kind, one), default_endpoint=has_default)
        for one in authorizers
        if one["AuthorizerType"] == "REQUEST"
    )
    return Api(api_id, kind, attached, tuple(routes), _open(may_be_open))


def _open(routes: Mapping[str, str]) -> tuple[str, ...]:
    """Return the routes without authorization, but not ``OPTIONS``: a browser's preflight does not carry a token."""
    return tuple(route for route, kind in routes.items() if kind == "NONE" and not route.startswith("OPTIONS "))


def _rest(api_id: str, described: Mapping[str, Any]) -> Attached:
    sources = tuple(part.strip() for part in described.get("identitySource", "").split(",") if part.strip())
    return Attached(
        api_id,
        Kind.REST,
        described["id"],
        described["name"],
        described["type"] == "REQUEST",
        sources,
        int(described.get("authorizerResultTtlInSeconds", _REST_TTL)),
        None,
        simple=False,
        function=_function(described.get("authorizerUri", "")),
    )


def _v2(api_id: str, kind: Kind, described: Mapping[str, Any]) -> Attached:
    return Attached(
        api_id,
        kind,
        described["AuthorizerId"],
        described["Name"],
        request=True,
        sources=tuple(described.get("IdentitySource") or ()),
        # A WebSocket API does not cache answers; an HTTP API does so only if configured.
        ttl=0 if kind is Kind.WEBSOCKET else int(described.get("AuthorizerResultTtlInSeconds") or 0),
        payload=described.get("AuthorizerPayloadFormatVersion"),
        simple=bool(described.get("EnableSimpleResponses")),
        function=_function(described.get("AuthorizerUri", "")),
    )


def _function(uri: str) -> str:
    match = _FUNCTION.search(uri)
    return match[1] if match else ""
