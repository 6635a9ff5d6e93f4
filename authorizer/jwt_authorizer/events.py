"""Read a Lambda event as API Gateway sends it into a :class:`Request`.

Sources: API Gateway developer guide, "Input to an API Gateway Lambda authorizer" (REST and WebSocket)
and "Control access to HTTP APIs with AWS Lambda authorizers" (payload formats 1.0 and 2.0).
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING

from jwt_authorizer.errors import invalid_event
from jwt_authorizer.method_arn import Stage, read_method_arn
from jwt_authorizer.records import field, request_dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

_UNNORMALIZED = r"%(?:2[DdEe]|3[0-9]|[46][1-9A-Fa-f]|[57][0-9Aa]|5[Ff]|7[Ee])|/\.\.?(?:/|$)"
_NO_FIELDS: Mapping[str, object] = {}


class EventKind(StrEnum):
    """The kind of API that sent the event, and its payload format."""

    REST_TOKEN = "rest_token"
    REST_REQUEST = "rest_request"
    WEBSOCKET = "websocket"
    HTTP_API_V1 = "http_api_v1"
    HTTP_API_V2 = "http_api_v2"
    APPSYNC = "appsync"

    @property
    def is_http_api(self) -> bool:
        """Whether it is an HTTP API, which answers any raised error with 500."""
        return self in {EventKind.HTTP_API_V1, EventKind.HTTP_API_V2}


@request_dataclass(frozen=True, slots=True)
class Request:
    """A request to the API. Nothing in it has been verified.

    ``path`` starts with a slash and is otherwise as sent; a WebSocket's is ``$connect``. ``route_key`` is
    the route that API Gateway matched. ``identity_source`` holds the identity sources' values of an
    HTTP API, which its cache is keyed by (payload 1.0: all in one string); REST and WebSocket events lack them.
    """

    kind: EventKind
    stage: Stage
    method: str
    path: str
    route_key: str | None
    request_id: str | None
    identity_source: tuple[str, ...] = field(repr=False)
    token_field: str | None = field(repr=False)
    event: Mapping[str, object] = field(repr=False)

    @property
    def matched(self) -> str | None:
        """The path template that API Gateway matched, such as ``/orders/{id}``, if the event names it."""
        return None if self.route_key is None else self.route_key.rpartition(" ")[2]

    @property
    def has_any_method(self) -> bool:
        """Whether the API's route may be for several methods, whose answers a cache by route does not tell apart.

        Payload 2.0 shows it (``ANY``, ``$default``); with 1.0 it may be. A REST API's cache key has the method as well.
        """
        if self.kind is EventKind.HTTP_API_V2:
            return self.route_key is not None and self.route_key.startswith(("ANY ", "$"))
        return self.kind is EventKind.HTTP_API_V1

    @property
    def has_unnormalized_path(self) -> bool:
        """Return whether the path is not normalized (RFC 3986 section 6.2.2): it has escaped letters or dot segments.

        No client needs such a path, and software that normalizes it gets another one.
        """
        return re.search(_UNNORMALIZED, self.path) is not None

    def header(self, name: str) -> tuple[str, ...]:
        """Return all values of a header; names match without case (RFC 9110 section 5.1)."""
        return _values(self.event, "headers", "multiValueHeaders", name.lower(), ignore_case=True)

    def query(self, name: str) -> tuple[str, ...]:
        """Return all values of a query parameter, decoded as API Gateway decodes them; names match exactly."""
        return _values(self.event, "queryStringParameters", "multiValueQueryStringParameters", name, ignore_case=False)

    def cookie(self, name: str) -> tuple[str, ...]:
        """Return all values of a cookie, from ``Cookie`` and payload 2.0's ``cookies`` (RFC 6265 section 5.4)."""
        pairs = [pair for text in self.header("cookie") for pair in text.split(";")]
        listed = self.event.get("cookies")
        if isinstance(listed, list):
            pairs += [pair for pair in listed if isinstance(pair, str)]
        found: dict[str, None] = {}
        for pair in pairs:
            key, equals, value = pair.strip(" \t").partition("=")
            value = value[1:-1] if len(value) > 1 and value[0] == value[-1] == '"' else value
            if equals and key == name:
                found[value] = None
        return tuple(found)

    def times_sent(self, text: str) -> int:
        """Return how many headers (``Cookie`` too) and query parameters have this text as a value.

        Any of these may be an identity source of an HTTP API. Values of one name arrive joined with commas; AWS does
        not document which of them is the identity source, so all are looked at, and each name counts once.
        """
        cookies = self.event.get("cookies")
        sent = ["; ".join(item for item in cookies if isinstance(item, str))] if isinstance(cookies, list) else []
        for form in ("headers", "queryStringParameters"):
            values = self.event.get(form)
            sent += [value for value in values.values() if isinstance(value, str)] if isinstance(values, dict) else []
        return sum(f",{text}," in f",{value.replace(', ', ',')}," for value in sent)


def read_event(event: object) -> Request:
    """Recognize the kind of event and read the request.

    Raises :class:`DecisionError` (``invalid_event``) for what is not an API Gateway authorizer's event:
    a backend's event, or one whose parts are of the wrong type.
    """
    if not isinstance(event, dict):  # not Mapping: Lambda reads events with json, and a dict is quicker to recognize
        invalid_event("the event is not a JSON object")
    if event.get("version") == "2.0":
        return _http_api_v2(event)
    kind = event.get("type")
    if kind == "TOKEN":
        return _rest_token(event)
    if kind == "REQUEST" and "methodArn" in event:
        return _request(event)
    has_arn = "methodArn" in event or "routeArn" in event
    if kind is not None or has_arn or "queryString" not in _context(event):
        invalid_event(
            "this is not an authorizer event: expected type TOKEN or REQUEST with a methodArn, version 2.0 with a "
            "routeArn, or AppSync's requestContext with a queryString"
        )
    return _appsync(event)


def _appsync(event: Mapping[str, object]) -> Request:
    """Read an event of AppSync (its developer guide, "AWS Lambda authorization"). It has no ARN."""
    context, token = _context(event), _token_field(event) or ""
    api = context.get("apiId")
    if not isinstance(api, str):
        invalid_event("AppSync's requestContext has no apiId")
    stage, request_id = Stage("", api, ""), _text(context.get("requestId"))
    return Request(EventKind.APPSYNC, stage, "POST", "/graphql", None, request_id, (), token, event)


def _rest_token(event: Mapping[str, object]) -> Request:
    stage, method, path = read_method_arn(event.get("methodArn"))
    return Request(EventKind.REST_TOKEN, stage, method, path, None, None, (), _token_field(event), event)


def _token_field(event: Mapping[str, object]) -> str | None:
    token = event.get("authorizationToken")
    if token is not None and not isinstance(token, str):
        invalid_event("authorizationToken is not a string")
    return token


def _request(event: Mapping[str, object]) -> Request:
    stage, method, path = read_method_arn(event["methodArn"])
    context = _context(event)
    request_id = _text(context.get("requestId"))
    sources: tuple[str, ...] = ()
    if event.get("version") == "1.0":
        kind, route_key = EventKind.HTTP_API_V1, _text(context.get("resourcePath")) or _text(event.get("resource"))
        listed = _text(event.get("identitySource"))
        sources = (listed,) if listed else ()
    elif "connectionId" in context or "routeKey" in context:
        route_key = _text(context.get("routeKey")) or method
        return Request(EventKind.WEBSOCKET, stage, method, method, route_key, request_id, (), None, event)
    else:
        kind, route_key = EventKind.REST_REQUEST, _text(event.get("resource"))
    return Request(kind, stage, method, path, route_key, request_id, sources, None, event)


def _http_api_v2(event: Mapping[str, object]) -> Request:
    if "routeArn" not in event:
        invalid_event(
            "a version 2.0 event without a routeArn is a backend's event: attach this function as an authorizer"
        )
    stage, method, path = read_method_arn(event["routeArn"])
    listed = event.get("identitySource")
    # Null where the authorizer has no identity source; API Gateway then caches nothing.
    sources = tuple(value for value in listed if isinstance(value, str)) if isinstance(listed, list) else ()
    context = _context(event)
    return Request(
        EventKind.HTTP_API_V2,
        stage,
        method,
        path,
        _text(event.get("routeKey")),
        _text(context.get("requestId")),
        sources,
        None,
        event,
    )


def _context(event: Mapping[str, object]) -> Mapping[str, object]:
    context = event.get("requestContext")
    return context if isinstance(context, dict) else _NO_FIELDS


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _values(
    event: Mapping[str, object], single: str, multiple: str, name: str, *, ignore_case: bool
) -> tuple[str, ...]:
    """Read a name's values from the single- and the multi-value form, each value once.

    API Gateway repeats the last value of the multi-value form in the single-value one, so a value that is in both
    counts once. Callers reject different ones.
    """
    values: list[str] = []
    length = len(name)
    for form in (multiple, single):
        mapping = event.get(form)
        if mapping is None:
            continue
        if not isinstance(mapping, dict):
            invalid_event(f"{form} is not a JSON object")
        for key in mapping:
            # Most names are of another length, which is seen at once. Python's lower() maps a few letters outside
            # ASCII into it: they spell no header's name.
            if len(key) == length and (key == name or (ignore_case and key.isascii() and key.lower() == name)):
                value = mapping[key]
                for item in value if isinstance(value, list) else (value,):
                    if not isinstance(item, str):
                        invalid_event(f"{form} has a value that is not a string")
                    values.append(item)
    # Most often one value, in both forms. To compare a long one is quicker than to hash it.
    first = values[:1]
    return tuple(first if values == first * len(values) else dict.fromkeys(values))
