"""Routes out of OpenAPI documents: scopes, alternatives, what takes no token, and what no rule can say."""

import json
from itertools import combinations, product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jwt_authorizer.rules import Allow, Route, compile_rules
from jwt_authorizer.settings import load_settings
from jwt_authorizer_devkit.routes.listed import Listing, combine, route_tables
from jwt_authorizer_devkit.routes.principals import typical_principals
from jwt_authorizer_devkit.routes.reading import read_routes, routes_toml
from tests.properties.apis import principal
from tests.unit.pages import ROOT

SCHEMES = {
    "oidc": {"type": "openIdConnect", "openIdConnectUrl": "https://i.example.com/.well-known/openid-configuration"},
    "oauth": {"type": "oauth2", "flows": {}},
    "bearer": {"type": "http", "scheme": "Bearer"},
    "basic": {"type": "http", "scheme": "basic"},
    "key": {"type": "apiKey", "name": "x-api-key", "in": "header"},
    "custom": {"type": "apiKey", "name": "Auth", "in": "header", "x-amazon-apigateway-authtype": "custom"},
    "signed": {"type": "apiKey", "name": "Authorization", "in": "header", "x-amazon-apigateway-authtype": "awsSigv4"},
    "header": {"type": "apiKey", "name": "authorization", "in": "header"},
    "elsewhere": {"$ref": "#/components/securitySchemes/oauth"},
}
SECURE = {"get": {"security": [{"oidc": ["s"]}]}}


def api(paths: dict[str, Any], **members: object) -> Listing:
    """List the routes of an OpenAPI document that has one more route, so that it is not without any."""
    document = {"openapi": "3.1.0", "paths": {**paths, "/secure": SECURE}, "components": {"securitySchemes": SCHEMES}}
    return read_routes(json.dumps(document | members))


def tables(listing: Listing) -> list[dict[str, object]]:
    assert listing.problems == []
    return [table for table in route_tables(listing) if table["path"] != "/secure"]


@pytest.mark.parametrize(
    ("security", "rule"),
    [
        ([{"oidc": ["a", "b", "a"]}], {"scopes": ["a", "b"]}),
        *(([{scheme: []}], {}) for scheme in ("oidc", "bearer", "custom", "header")),
        ([{"elsewhere": ["a"]}], {"scopes": ["a"]}),
        ([{"oidc": ["a", "c"]}, {"oidc": ["c", "b"]}], {"scopes": ["c"], "any_scopes": ["a", "b"]}),
        ([{"oidc": ["a"]}, {"oauth": ["a"]}], {"scopes": ["a"]}),
        ([{"oidc": ["a"], "key": []}], {"scopes": ["a"]}),
        # No token is taken: left out, and named.
        ([], None),
        *(([{scheme: []}], None) for scheme in ("key", "basic", "signed")),
    ],
    ids=str,
)
def test_security_becomes_a_rule(security: list[dict[str, list[str]]], rule: dict[str, object] | None) -> None:
    listing = api({"/a": {"get": {"security": security}}})
    assert tables(listing) == ([] if rule is None else [{"method": "GET", "path": "/a", **rule}])
    assert list(listing.without_token) == (["GET /a"] if rule is None else [])
    assert ("#   GET /a (" in routes_toml(listing, "api.yaml")) is (rule is None)


@pytest.mark.parametrize(
    ("security", "why"),
    [
        ([{"oidc": ["a", "b"]}, {"oidc": ["c", "d"]}], "its alternatives (a and b, or c and d) can't be one rule"),
        ([{"oidc": ["a"]}, {}], "its security is optional ({})"),
        ([{"oidc": ["a"]}, {"key": []}], "with or without a token"),
        ([{"oidc": ["a"]}, {"oauth": ["b"]}], "different scopes by scheme (oauth, oidc)"),
        ([{"oidc": [], "key": []}, {"oidc": ["a"]}], "some of its alternatives need more than a token"),
        ([{"unheard_of": []}], "unheard_of, which no security scheme describes"),
        ([{"oidc": "a"}], "the scopes of oidc are not a list of strings"),
        (["oidc"], "a security requirement is not a mapping"),
        ({"oidc": ["a"]}, "its security is not a list"),
    ],
    ids=str,
)
def test_what_no_rule_can_say_is_said(security: object, why: str) -> None:
    (problem,) = api({"/a": {"get": {"security": security}}}).problems
    assert problem.startswith("GET /a: ")
    assert why in problem


def test_a_documents_operations_become_rules() -> None:
    own = {"security": [{"oidc": ["b"]}]}
    paths = {
        # What an operation does not say, the document does; equal needs are one rule, but any method stays alone.
        "/a": {"get": {}, "put": own, "post": own, "delete": {"security": []}, "x-amazon-apigateway-any-method": own},
        "/$default": {"x-amazon-apigateway-any-method": {}},
        "/b": {"$ref": "#/components/pathItems/c~1d"},
        "x-other": {},
    }
    components = {"securitySchemes": SCHEMES, "pathItems": {"c/d": SECURE}}
    assert tables(api(paths, components=components, security=[{"oidc": ["a"]}])) == [
        {"method": "GET", "path": "/a", "scopes": ["a"]},
        {"method": ["PUT", "POST"], "path": "/a", "scopes": ["b"]},
        {"method": "*", "path": "/a", "scopes": ["b"]},
        {"path": "$default", "scopes": ["a"]},
        {"method": "GET", "path": "/b", "scopes": ["s"]},
    ]


def test_documents_without_paths_or_with_one_that_api_gateway_refuses_are_not_a_list() -> None:
    (problem,) = api({"/a/": SECURE}).problems
    assert problem.startswith("/a/: API Gateway ignores a slash at the end")
    assert read_routes("openapi: 3.1.0").problems[0] == "it has no paths"


ALTERNATIVES = st.lists(st.lists(st.sampled_from("abcd"), max_size=3).map(tuple), min_size=1, max_size=4)


@given(ALTERNATIVES)
def test_a_combined_rule_lets_in_exactly_whom_the_alternatives_let_in(alternatives: list[tuple[str, ...]]) -> None:
    tokens = [frozenset(held) for count in range(5) for held in combinations("abcd", count)]
    wanted = [any(held.issuperset(one) for one in alternatives) for held in tokens]
    try:
        need = combine(alternatives)
    except ValueError:
        assert not _expressible(tokens, wanted)
        return
    rules = compile_rules([Route(None, "/a", need.scopes, need.any_scopes)])
    assert [isinstance(rules.decide(principal(*held), "GET", "/a"), Allow) for held in tokens] == wanted


def _expressible(tokens: list[frozenset[str]], wanted: list[bool]) -> bool:
    """Try every rule there is over these scopes."""
    sets = [frozenset(chosen) for count in range(5) for chosen in combinations("abcd", count)]
    return any(
        [held >= needed and (not some or bool(held & some)) for held in tokens] == wanted
        for needed, some in product(sets, sets)
    )


def test_those_who_stand_for_everybody_hold_what_nested_conditions_ask_for() -> None:
    routes = """
        [[issuers]]
        issuer = "https://i.example.com"
        audience = "a"
        [[routes]]
        path = "/one"
        claims = { "/a/b" = { all = ["x"], like = "y*", any = 1 } }
        [[routes]]
        path = "/two"
        claims = { "/a/b/c" = "z", a = "w" }
    """
    settings = load_settings({"JWT_CONFIG": routes}, ROOT)
    everybody = dict(typical_principals(settings))
    one = everybody["a token with a matching /a/b only"]
    assert one.claims == {"a": {"b": [1, "x", "y"]}}
    assert isinstance(settings.rules.decide(one, "GET", "/one"), Allow)
    assert isinstance(settings.rules.decide(everybody["a token with every scope and claim"], "GET", "/one"), Allow)


# Routes out of SAM and CloudFormation templates: events, routes, methods and documents within.

TEMPLATE = """
Globals:
  HttpApi:
    Auth: {DefaultAuthorizer: Jwt, Authorizers: {Jwt: {AuthorizationScopes: [base]}}}
Resources:
  Api:
    Type: AWS::Serverless::Api
    Properties: {Auth: {DefaultAuthorizer: Jwt, AddDefaultAuthorizerToCorsPreflight: false}}
  Orders:
    Type: AWS::ApiGateway::Resource
    Properties: {ParentId: !GetAtt Api.RootResourceId, PathPart: orders, RestApiId: !Ref Api}
  Order: {Type: "AWS::ApiGateway::Resource", Properties: {ParentId: {Ref: Orders}, PathPart: "{id}"}}
  Circle: {Type: "AWS::ApiGateway::Resource", Properties: {ParentId: {Ref: Circle}, PathPart: a}}
"""


def resource(kind: str, properties: str) -> Listing:
    return read_routes(f"{TEMPLATE}  X: {{Type: 'AWS::{kind}', Properties: {{{properties}}}}}\n")


def events(*listed: str) -> Listing:
    named = ", ".join(f"E{number}: {{{event}}}" for number, event in enumerate(listed))
    return resource("Serverless::Function", f"Events: {{{named}}}")


def event(properties: str) -> str:
    return f"Type: Api, Properties: {{RestApiId: !Ref Api, {properties}}}"


def route(properties: str) -> Listing:
    return resource("ApiGatewayV2::Route", f"ApiId: !Ref Api, {properties}")


def method(properties: str) -> Listing:
    return resource("ApiGateway::Method", f"RestApiId: !Ref Api, AuthorizationType: CUSTOM, {properties}")


SCOPED = "Auth: {AuthorizationScopes: [s]}"
GET_A = "Path: /a, Method: get"


@pytest.mark.parametrize(
    ("listing", "table"),
    [
        (events(event(GET_A)), {"method": "GET", "path": "/a"}),
        (events(event("Path: /a, Method: ANY")), {"method": "*", "path": "/a"}),
        (events(event(f"Path: /a, Method: put, {SCOPED}")), {"method": "PUT", "path": "/a", "scopes": ["s"]}),
        (events("Type: HttpApi"), {"path": "$default", "scopes": ["base"]}),
        (events(f"Type: HttpApi, Properties: {{{SCOPED}}}"), {"path": "$default", "scopes": ["s"]}),
        (route("RouteKey: GET /a, AuthorizationType: CUSTOM"), {"method": "GET", "path": "/a"}),
        (route("RouteKey: $connect, AuthorizationType: JWT"), {"path": "$connect"}),
        (method("HttpMethod: ANY, ResourceId: !Ref Order"), {"method": "*", "path": "/orders/{id}"}),
        (
            method("HttpMethod: GET, ResourceId: !GetAtt Api.RootResourceId, AuthorizationScopes: [a, b]"),
            {"method": "GET", "path": "/", "any_scopes": ["a", "b"]},
        ),
    ],
    ids=range(9),
)
def test_what_a_template_deploys_becomes_a_rule(listing: Listing, table: dict[str, object]) -> None:
    assert tables(listing) == [table]


def test_what_takes_no_token_in_a_template_is_left_out_and_said() -> None:
    iam, none = (f"Path: /{name}, Method: get, Auth: {{Authorizer: {name}}}" for name in ("AWS_IAM", "NONE"))
    preflight = event("Path: /a, Method: options")
    listing = events(event(GET_A), event(iam), event(none), preflight, "Type: Schedule")
    assert tables(listing) == [{"method": "GET", "path": "/a"}]
    assert listing.without_token.keys() == {"GET /AWS_IAM", "GET /NONE", "OPTIONS /a"}
    (problem,) = route("RouteKey: GET /open").problems
    assert "no route in it takes a token" in problem


UNKNOWN_PATH = "X: its method or its resource's path is not written out in this template"


@pytest.mark.parametrize(
    ("listing", "why"),
    [
        (events(event("Path: !Sub '/${A}', Method: get")), "path or method is not written out (Fn::Sub, str)"),
        (events(event("Path: /a, Method: !Ref M")), "(str, Ref)"),
        (events(event("Path: /a, Method: get, Auth: {AuthorizationScopes: [!Ref S]}")), "Scopes are not written"),
        (events(event("Path: /a, Method: get, Auth: {Authorizer: !If [C, A, B]}")), "which authorizer it has is not"),
        (events(event(GET_A), event(f"{GET_A}, {SCOPED}")), "GET /a is described twice, with different scopes"),
        (route("AuthorizationType: CUSTOM"), "RouteKey is not written out (missing)"),
        (route("RouteKey: GET /a, AuthorizationType: !Ref T"), "AuthorizationType is not written out (Ref)"),
        (method("HttpMethod: GET, ResourceId: !ImportValue Elsewhere"), UNKNOWN_PATH),
        (method("HttpMethod: GET, ResourceId: !Ref Circle"), UNKNOWN_PATH),
    ],
    ids=range(9),
)
def test_what_is_computed_is_reported(listing: Listing, why: str) -> None:
    assert [problem for problem in listing.problems if why in problem]


def test_a_document_within_a_template_is_read_with_the_templates_default_authorizer() -> None:
    document = "paths: {/a: {get: {security: [{oauth: [a]}]}, post: {}, put: {security: []}}}"
    schemes = "components: {securitySchemes: {oauth: {type: oauth2}}}"
    listing = resource("Serverless::HttpApi", f"DefinitionBody: {{{document}, {schemes}}}")
    assert tables(listing) == [
        {"method": "GET", "path": "/a", "scopes": ["a"]},
        {"method": "POST", "path": "/a"},
    ]
    assert listing.without_token == {"PUT /a": "no security"}
