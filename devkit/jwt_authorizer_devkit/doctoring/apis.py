"""The authorizers of deployed APIs, as AWS describes them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from jwt_authorizer_devkit.aws_access import remedy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    type Clients = Callable[[str], Any]

_FUNCTION = re.compile(r"functions/(arn:[^/]+)/invocations")
_REST_TTL = 300
"""Seconds that a REST API caches where nothing is said."""


class Kind(StrEnum):
    """Kinds of APIs."""

    REST = "REST"
    HTTP = "HTTP"
    WEBSOCKET = "WEBSOCKET"


class OutOfReachError(Exception):
    """AWS did not tell; the message says why, and what would help."""


@dataclass(frozen=True, slots=True)
class Attached:
    """One Lambda authorizer of an API. ``sources`` are its identity sources, ``ttl`` the seconds it is cached for."""

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


def apis_of_stack(stack: str, clients: Clients) -> tuple[str, ...]:
    """Find the APIs of a CloudFormation stack. Raises :class:`OutOfReachError`."""
    found: list[str] = []
    try:
        pages = clients("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack)
        for page in pages:
            found += [
                resource["PhysicalResourceId"]
                for resource in page["StackResourceSummaries"]
                if resource["ResourceType"] in ("AWS::ApiGateway::RestApi", "AWS::ApiGatewayV2::Api")
            ]
    except Exception as error:
        raise _out_of_reach(error) from error
    if not found:
        message = f"The stack {stack} has no API: name the API's own stack, or --api ID."
        raise OutOfReachError(message)
    return tuple(found)


def authorizers_of(api_id: str, clients: Clients) -> tuple[Attached, ...]:
    """Read the Lambda authorizers of an API. Raises :class:`OutOfReachError`."""
    try:
        kind = _kind(api_id, clients)
        if kind is Kind.REST:
            listed = clients("apigateway").get_authorizers(restApiId=api_id)["items"]
            return tuple(_rest(api_id, one) for one in listed if one["type"] in ("TOKEN", "REQUEST"))
        listed = clients("apigatewayv2").get_authorizers(ApiId=api_id)["Items"]
        return tuple(_v2(api_id, kind, one) for one in listed if one["AuthorizerType"] == "REQUEST")
    except Exception as error:
        raise _out_of_reach(error) from error


def environment_of(function: str, clients: Clients) -> dict[str, str]:
    """Read a function's environment variables. Raises :class:`OutOfReachError`."""
    try:
        described = clients("lambda").get_function_configuration(FunctionName=function)
    except Exception as error:
        raise _out_of_reach(error) from error
    variables: dict[str, str] = described.get("Environment", {}).get("Variables", {})
    return dict(variables)


def _kind(api_id: str, clients: Clients) -> Kind:
    v2 = clients("apigatewayv2")
    try:
        return Kind(v2.get_api(ApiId=api_id)["ProtocolType"])
    except v2.exceptions.NotFoundException:
        return Kind.REST


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
        # A WebSocket API keeps no answers; an HTTP API does only where it was told to.
        ttl=0 if kind is Kind.WEBSOCKET else int(described.get("AuthorizerResultTtlInSeconds") or 0),
        payload=described.get("AuthorizerPayloadFormatVersion"),
        simple=bool(described.get("EnableSimpleResponses")),
        function=_function(described.get("AuthorizerUri", "")),
    )


def _function(uri: str) -> str:
    match = _FUNCTION.search(uri)
    return match[1] if match else ""


def _out_of_reach(error: Exception) -> OutOfReachError:
    fix = remedy(type(error).__name__)
    return OutOfReachError(f"AWS did not tell: {str(error).rstrip('.')}.{f' {fix}' if fix else ''}")
