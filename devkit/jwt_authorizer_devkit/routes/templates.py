"""Read routes and scopes from a SAM or CloudFormation template.

AWS SAM specification: ``Api`` and ``HttpApi`` events, ``ApiAuth``, ``HttpApiAuth``; CloudFormation:
``AWS::ApiGatewayV2::Route``, ``AWS::ApiGateway::Method``. API Gateway accepts a token that has **one** of a
route's ``AuthorizationScopes``, so they become ``any_scopes``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jwt_authorizer.rules.model import ANY_METHOD, CONNECT, DEFAULT
from jwt_authorizer_devkit.routes.documents import function_of, mapping
from jwt_authorizer_devkit.routes.listed import Listing, Need, name
from jwt_authorizer_devkit.routes.openapi import read_openapi
from jwt_authorizer_devkit.routes.resources import resource_path

if TYPE_CHECKING:
    from jwt_authorizer_devkit.routes.documents import Mapping

_EVENT_APIS = {"Api": ("RestApiId", "ServerlessRestApi", "Api"), "HttpApi": ("ApiId", "ServerlessHttpApi", "HttpApi")}
_WITH_BODY = {
    "AWS::Serverless::Api": ("DefinitionBody", "DefinitionUri"),
    "AWS::Serverless::HttpApi": ("DefinitionBody", "DefinitionUri"),
    "AWS::ApiGateway::RestApi": ("Body", "BodyS3Location"),
    "AWS::ApiGatewayV2::Api": ("Body", "BodyS3Location"),
}
_ELSEWHERE = ("AWS::Serverless::Application", "AWS::CloudFormation::Stack")
_NO_TOKEN = ("NONE", "AWS_IAM")


def read_template(template: Mapping, api: str | None = None) -> Listing:
    """Return the routes of one API of a template. ``api`` is its logical id, needed if there are several APIs."""
    reader = _Reader(template)
    for logical_id, resource in mapping(template.get("Resources")).items():
        reader.read_resource(str(logical_id), mapping(resource))
    apis = {name: listing for name, listing in reader.apis.items() if listing.routes or listing.problems}
    if api is None and len(apis) == 1:
        api = next(iter(apis))
    chosen = reader.apis.get(api or "", Listing())
    if api is None and len(apis) > 1:
        chosen.problems.append(f"it has several APIs with routes that take a token: choose one of {', '.join(apis)}")
    elif api is not None and api not in reader.apis:
        chosen.problems.append(f"it has no API {api}; it has {', '.join(reader.apis) or 'none'}")
    chosen.problems += reader.everywhere.problems
    chosen.notes += reader.everywhere.notes
    return chosen


class _Reader:
    def __init__(self, template: Mapping) -> None:
        self.resources = mapping(template.get("Resources"))
        self.globals = mapping(template.get("Globals"))
        self.apis: dict[str, Listing] = {}
        self.everywhere = Listing()

    def read_resource(self, logical_id: str, resource: Mapping) -> None:
        kind, properties = resource.get("Type"), mapping(resource.get("Properties"))
        if logical_id.startswith("Fn::"):
            self.everywhere.problems.append(f"{logical_id}: only CloudFormation knows its result; expand it first")
        elif kind in ("AWS::Serverless::Function", "AWS::Serverless::StateMachine"):
            for event_id, event in mapping(properties.get("Events")).items():
                self._read_event(f"{logical_id}.{event_id}", mapping(event))
        elif kind == "AWS::ApiGatewayV2::Route":
            self._read_route(logical_id, properties)
        elif kind == "AWS::ApiGateway::Method":
            self._read_method(logical_id, properties)
        elif kind in _WITH_BODY:
            self._read_body(logical_id, str(kind), properties)
        elif kind in _ELSEWHERE:
            self.everywhere.notes.append(f"{logical_id}: its routes, if any, are in another template")

    def _api(self, value: object, implicit: str) -> tuple[str, Listing]:
        only = next(iter(mapping(value).values()), value)
        logical_id = str(only[0] if isinstance(only, list) and only else only or implicit)
        return logical_id, self.apis.setdefault(logical_id, Listing())

    def _read_event(self, label: str, event: Mapping) -> None:
        kind, properties = str(event.get("Type")), mapping(event.get("Properties"))
        if kind not in _EVENT_APIS:
            return
        key, implicit, in_globals = _EVENT_APIS[kind]
        api_id, listing = self._api(properties.get(key), implicit)
        api = mapping(mapping(self.resources.get(api_id)).get("Properties"))
        shared = {**mapping(mapping(self.globals.get(in_globals)).get("Auth")), **mapping(api.get("Auth"))}
        auth = mapping(properties.get("Auth"))
        path, method = properties.get("Path"), properties.get("Method", ANY_METHOD)
        if path is None and kind == "HttpApi":
            path = DEFAULT
        if not isinstance(path, str) or not isinstance(method, str):
            listing.problems.append(f"{label}: its path or method is not written out ({_how(path)}, {_how(method)})")
            return
        method = ANY_METHOD if path == DEFAULT or method.lower() in ("any", ANY_METHOD) else method.upper()
        path = DEFAULT if path == f"/{DEFAULT}" else path
        authorizer = auth.get("Authorizer", shared.get("DefaultAuthorizer"))
        if (
            method == "OPTIONS"
            and "Authorizer" not in auth
            and shared.get("AddDefaultAuthorizerToCorsPreflight") is False
        ):
            authorizer = None
        if function_of(authorizer) or not isinstance(authorizer, str | None):
            listing.problems.append(f"{label}: which authorizer it has is not written out ({_how(authorizer)})")
            return
        if authorizer is None or authorizer in _NO_TOKEN:
            listing.without_token[name(method, path)] = authorizer or "no authorizer"
            return
        described = mapping(mapping(shared.get("Authorizers")).get(authorizer))
        self._add(listing, label, method, path, auth.get("AuthorizationScopes", described.get("AuthorizationScopes")))

    def _read_route(self, label: str, properties: Mapping) -> None:
        _, listing = self._api(properties.get("ApiId"), label)
        key = properties.get("RouteKey")
        if not isinstance(key, str):
            listing.problems.append(f"{label}: its RouteKey is not written out ({_how(key)})")
            return
        method, space, path = key.partition(" ")
        if not space and key not in (CONNECT, DEFAULT):
            listing.notes.append(f"{label}: {key} is a WebSocket's message route, which has no authorizer")
            return
        method, path = (ANY_METHOD if method == "ANY" else method, path) if space else (ANY_METHOD, key)
        self._read_authorization(listing, label, method, path, properties)

    def _read_method(self, label: str, properties: Mapping) -> None:
        _, listing = self._api(properties.get("RestApiId"), label)
        method, path = properties.get("HttpMethod"), resource_path(self.resources, properties.get("ResourceId"))
        if not isinstance(method, str) or path is None:
            listing.problems.append(f"{label}: its method or its resource's path is not written out in this template")
            return
        self._read_authorization(listing, label, ANY_METHOD if method == "ANY" else method, path, properties)

    def _read_authorization(self, listing: Listing, label: str, method: str, path: str, properties: Mapping) -> None:
        kind = properties.get("AuthorizationType", "NONE")
        if not isinstance(kind, str):
            listing.problems.append(f"{label}: its AuthorizationType is not written out ({_how(kind)})")
        elif kind in _NO_TOKEN:
            listing.without_token[name(method, path)] = kind
        else:
            self._add(listing, label, method, path, properties.get("AuthorizationScopes"))

    def _read_body(self, logical_id: str, kind: str, properties: Mapping) -> None:
        inline, elsewhere = _WITH_BODY[kind]
        _, listing = self._api(logical_id, logical_id)
        if elsewhere in properties:
            listing.problems.append(
                f"{logical_id}: its routes are in the document of {elsewhere}: give that one instead"
            )
        body = properties.get(inline)
        if body is None:
            return
        if function_of(body):
            listing.problems.append(f"{logical_id}: its {inline} is a {function_of(body)}: give that document instead")
            return
        in_globals = mapping(mapping(self.globals.get(kind.rpartition(":")[2])).get("Auth"))
        auth = {**in_globals, **mapping(properties.get("Auth"))}
        found = read_openapi(mapping(body), default_authorizer=auth.get("DefaultAuthorizer") not in (None, *_NO_TOKEN))
        for (path, method), need in found.routes.items():
            listing.add(method, path, need)
        listing.without_token |= found.without_token
        listing.problems += found.problems
        listing.notes += found.notes

    @staticmethod
    def _add(listing: Listing, label: str, method: str, path: str, scopes: object) -> None:
        if scopes is not None and (not isinstance(scopes, list) or not all(isinstance(scope, str) for scope in scopes)):
            listing.problems.append(f"{label}: its AuthorizationScopes are not written out ({_how(scopes)})")
            return
        wanted = tuple(dict.fromkeys(scopes or ()))
        listing.add(method, path, Need(scopes=wanted) if len(wanted) < 2 else Need(any_scopes=wanted))  # noqa: PLR2004 - one of one is all


def _how(value: object) -> str:
    return function_of(value) or ("missing" if value is None else type(value).__name__)
