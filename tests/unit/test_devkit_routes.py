"""Routes out of OpenAPI documents: scopes, alternatives, what takes no token, and what no rule can say."""

import json
from itertools import combinations, product
from textwrap import dedent
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jwt_authorizer.claims import Principal
from jwt_authorizer.rules import Allow, Route, compile_rules
from jwt_authorizer.settings import load_settings
from jwt_authorizer_devkit.routes.listed import Listing, combine, route_tables
from jwt_authorizer_devkit.routes.principals import typical_principals
from jwt_authorizer_devkit.routes.reading import read_routes, routes_toml
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


def api(paths: dict[str, Any], **members: object) -> Listing:
    document = {"openapi": "3.1.0", "paths": paths, "components": {"securitySchemes": SCHEMES}, **members}
    return read_routes(json.dumps(document))


def secured(*security: dict[str, list[str]]) -> Listing:
    return api({"/a": {"get": {"security": list(security)}}})


def only(listing: Listing) -> dict[str, object]:
    assert listing.problems == []
    (table,) = route_tables(listing)
    return {name: value for name, value in table.items() if name not in ("method", "path")}


@pytest.mark.parametrize(
    ("security", "rule"),
    [
        ([{"oidc": ["a", "b", "a"]}], {"scopes": ["a", "b"]}),
        *(([{scheme: []}], {}) for scheme in ("oidc", "bearer", "custom", "header")),
        ([{"elsewhere": ["a"]}], {"scopes": ["a"]}),
        ([{"oidc": ["a"]}, {"oidc": ["b"]}], {"any_scopes": ["a", "b"]}),
        ([{"oidc": ["a", "c"]}, {"oidc": ["c", "b"]}], {"scopes": ["c"], "any_scopes": ["a", "b"]}),
        ([{"oidc": ["a"]}, {"oidc": ["b", "a"]}], {"scopes": ["a"]}),
        ([{"oidc": ["a"]}, {"oauth": ["a"]}], {"scopes": ["a"]}),
        ([{"oidc": ["a"], "key": []}], {"scopes": ["a"]}),
        ([{"custom": [], "oauth": ["a"]}], {"scopes": ["a"]}),
        ([{"oidc": []}, {"oidc": ["a"]}], {}),
    ],
    ids=str,
)
def test_security_becomes_a_rule(security: list[dict[str, list[str]]], rule: dict[str, object]) -> None:
    assert only(secured(*security)) == rule


@pytest.mark.parametrize(
    ("security", "why"),
    [
        ([{"oidc": ["a", "b"]}, {"oidc": ["c", "d"]}], "its alternatives (a and b, or c and d) can't be one rule"),
        ([{"oidc": ["a"]}, {"oidc": ["b", "c"]}], "can't be one rule"),
        ([{"oidc": ["a"]}, {}], "its security is optional ({})"),
        ([{"oidc": ["a"]}, {"key": []}], "either with a token or without one"),
        ([{"oidc": ["a"]}, {"oauth": ["b"]}], "different scopes by scheme (oauth, oidc)"),
        ([{"oidc": [], "key": []}, {"oidc": ["a"]}], "some of its alternatives ask for more than a token"),
        ([{"unheard_of": []}], "unheard_of, which no security scheme describes"),
        ([{"oidc": "a"}], "the scopes of oidc are not a list of strings"),
        (["oidc"], "a security requirement of it is not a mapping"),
        ({"oidc": ["a"]}, "its security is not a list"),
    ],
    ids=str,
)
def test_what_no_rule_can_say_is_said(security: object, why: str) -> None:
    listing = api({"/a": {"get": {"security": security}}, "/b": {"get": {"security": [{"oidc": []}]}}})
    (problem,) = listing.problems
    assert problem.startswith("GET /a: ")
    assert why in problem


@pytest.mark.parametrize("security", [[], [{"key": []}], [{"basic": []}], [{"signed": []}]], ids=str)
def test_what_takes_no_token_is_left_out_and_said(security: list[dict[str, list[str]]]) -> None:
    listing = api({"/a": {"get": {"security": security}}, "/b": {"get": {"security": [{"oidc": []}]}}})
    assert list(listing.routes) == [("/b", "GET")]
    assert list(listing.without_token) == ["GET /a"]
    assert "#   GET /a (" in routes_toml(listing, "api.yaml")


def test_the_documents_security_is_for_operations_that_have_none_of_their_own() -> None:
    paths = {"/a": {"get": {}, "put": {"security": [{"oidc": ["b"]}]}, "delete": {"security": []}}}
    listing = api(paths, security=[{"oidc": ["a"]}])
    assert route_tables(listing) == [
        {"method": "GET", "path": "/a", "scopes": ["a"]},
        {"method": "PUT", "path": "/a", "scopes": ["b"]},
    ]


def test_methods_that_need_the_same_become_one_rule_and_any_stays_alone() -> None:
    secure = {"security": [{"oidc": ["a"]}]}
    paths = {"/a": {"get": secure, "put": secure, "x-amazon-apigateway-any-method": secure, "summary": "A"}}
    assert route_tables(api(paths)) == [
        {"method": ["GET", "PUT"], "path": "/a", "scopes": ["a"]},
        {"method": "*", "path": "/a", "scopes": ["a"]},
    ]


def test_the_catch_all_of_an_http_api_and_path_items_by_reference() -> None:
    secure = {"security": [{"oidc": ["a"]}]}
    paths = {
        "/$default": {"x-amazon-apigateway-any-method": secure},
        "/a": {"$ref": "#/components/pathItems/a~1b"},
        "x-other": {},
    }
    components = {"securitySchemes": SCHEMES, "pathItems": {"a/b": {"get": secure}}}
    listing = api(paths, components=components)
    assert listing.problems == []
    assert list(listing.routes) == [("$default", "*"), ("/a", "GET")]


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/a/", "ignores a slash at the end"),
        ("/{id}.json", "refuses the segment '{id}.json'"),
        ("/{all+}/a", "has to be the last segment"),
    ],
)
def test_paths_that_api_gateway_refuses_are_said(path: str, why: str) -> None:
    (problem,) = api({path: {"get": {"security": [{"oidc": []}]}}}).problems
    assert problem.startswith(f"{path}: ")
    assert why in problem


def test_a_document_without_paths_or_without_tokens_is_not_a_list() -> None:
    assert read_routes("openapi: 3.1.0").problems[0] == "it has no paths"
    (problem,) = api({"/a": {"get": {}}}).problems
    assert "no route in it takes a token" in problem


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
    assert [isinstance(rules.decide(_holder(held), "GET", "/a"), Allow) for held in tokens] == wanted


def _expressible(tokens: list[frozenset[str]], wanted: list[bool]) -> bool:
    """Try every rule there is over these scopes."""
    sets = [frozenset(chosen) for count in range(5) for chosen in combinations("abcd", count)]
    return any(
        [held >= needed and (not some or bool(held & some)) for held in tokens] == wanted
        for needed, some in product(sets, sets)
    )


def _holder(scopes: frozenset[str]) -> Principal:
    return Principal("u", "i", "u", " ".join(scopes), scopes, (), 2, 0, 2, {}, "{}")


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
    one = everybody["a token with a fitting /a/b only"]
    assert one.claims == {"a": {"b": [1, "x", "y"]}}
    assert isinstance(settings.rules.decide(one, "GET", "/one"), Allow)
    assert isinstance(settings.rules.decide(everybody["a token with every scope and claim"], "GET", "/one"), Allow)


# Routes out of SAM and CloudFormation templates: events, routes, methods, documents within, and several APIs.

API = """
Resources:
  Api:
    Type: AWS::Serverless::Api
    Properties:
      StageName: prod
      Auth:
        DefaultAuthorizer: Jwt
        AddDefaultAuthorizerToCorsPreflight: false
        Authorizers: {Jwt: {FunctionArn: !GetAtt Authorizer.Arn}}
  Orders:
    Type: AWS::Serverless::Function
    Properties:
      Events:
"""


def with_events(*events: str) -> Listing:
    lines = "".join(f"        E{number}: {event}\n" for number, event in enumerate(events))
    return read_routes(API + lines)


def event(properties: str) -> str:
    return f"{{Type: Api, Properties: {{RestApiId: !Ref Api, {properties}}}}}"


def tables(listing: Listing) -> list[dict[str, object]]:
    assert listing.problems == []
    return route_tables(listing)


@pytest.mark.parametrize(
    ("properties", "table"),
    [
        ("Method: get", {"method": "GET"}),
        ("Method: ANY", {"method": "*"}),
        ("Method: put, Auth: {AuthorizationScopes: [a]}", {"method": "PUT", "scopes": ["a"]}),
        ("Method: put, Auth: {AuthorizationScopes: [a, b]}", {"method": "PUT", "any_scopes": ["a", "b"]}),
    ],
)
def test_events_of_a_function_become_rules(properties: str, table: dict[str, object]) -> None:
    assert tables(with_events(event(f"Path: /a, {properties}"))) == [{"path": "/a", **table}]


@pytest.mark.parametrize("authorizer", ["NONE", "AWS_IAM"])
def test_events_without_a_token_are_left_out_and_said(authorizer: str) -> None:
    listing = with_events(
        event("Path: /a, Method: get"), event(f"Path: /b, Method: get, Auth: {{Authorizer: {authorizer}}}")
    )
    assert tables(listing) == [{"method": "GET", "path": "/a"}]
    assert listing.without_token == {"GET /b": authorizer}


@pytest.mark.parametrize(
    ("properties", "why"),
    [
        ("Path: !Sub '/${A}', Method: get", "path or method is not written out (Fn::Sub, str)"),
        ("Path: /a, Method: !Ref M", "(str, Ref)"),
        ("Path: /a, Method: get, Auth: {AuthorizationScopes: !Split [',', a]}", "AuthorizationScopes are not written"),
        ("Path: /a, Method: get, Auth: {AuthorizationScopes: [!Ref S]}", "AuthorizationScopes are not written"),
        ("Path: /a, Method: get, Auth: {Authorizer: !If [C, A, B]}", "which authorizer it has is not written out"),
    ],
)
def test_what_is_computed_is_reported(properties: str, why: str) -> None:
    (problem,) = [one for one in with_events(event(properties)).problems if "no route in it" not in one]
    assert why in problem


def test_the_same_route_with_other_scopes_is_said() -> None:
    scoped = event("Path: /a, Method: get, Auth: {AuthorizationScopes: [a]}")
    assert with_events(event("Path: /a, Method: get"), scoped).problems == [
        "GET /a is described twice, with different scopes"
    ]


def test_an_http_api_of_globals_with_scopes_of_its_authorizer_and_a_catch_all() -> None:
    listing = read_routes(
        dedent("""
        Globals:
          HttpApi:
            Auth:
              DefaultAuthorizer: Jwt
              Authorizers: {Jwt: {AuthorizationScopes: [base]}}
        Resources:
          Orders:
            Type: AWS::Serverless::Function
            Properties:
              Events:
                All: {Type: HttpApi}
                One: {Type: HttpApi, Properties: {Path: /a, Method: get, Auth: {AuthorizationScopes: [own]}}}
                Timer: {Type: Schedule, Properties: {Schedule: rate(1 day)}}
        """)
    )
    assert tables(listing) == [
        {"path": "$default", "scopes": ["base"]},
        {"method": "GET", "path": "/a", "scopes": ["own"]},
    ]


def test_routes_of_apigatewayv2_become_rules() -> None:
    listing = read_routes(
        dedent("""
        Resources:
          A:
            Type: AWS::ApiGatewayV2::Route
            Properties: {ApiId: !Ref Api, RouteKey: GET /a, AuthorizationType: CUSTOM}
          B:
            Type: AWS::ApiGatewayV2::Route
            Properties: {ApiId: !Ref Api, RouteKey: ANY /b, AuthorizationType: JWT, AuthorizationScopes: [a, b]}
          C: {Type: AWS::ApiGatewayV2::Route, Properties: {ApiId: !Ref Api, RouteKey: GET /open}}
          D:
            Type: AWS::ApiGatewayV2::Route
            Properties: {ApiId: !Ref Api, RouteKey: $connect, AuthorizationType: CUSTOM}
          E: {Type: AWS::ApiGatewayV2::Route, Properties: {ApiId: !Ref Api, RouteKey: sendMessage}}
        """)
    )
    assert tables(listing) == [
        {"method": "GET", "path": "/a"},
        {"method": "*", "path": "/b", "any_scopes": ["a", "b"]},
        {"path": "$connect"},
    ]
    assert listing.without_token == {"GET /open": "NONE"}
    assert listing.notes == ["E: sendMessage is a WebSocket's message route, which has no authorizer"]


@pytest.mark.parametrize(
    ("properties", "why"),
    [
        ("RouteKey: !Ref Key", "RouteKey is not written out (Ref)"),
        ("AuthorizationType: CUSTOM", "RouteKey is not written out (missing)"),
        ("RouteKey: GET /a, AuthorizationType: !Ref T", "AuthorizationType is not written out (Ref)"),
    ],
)
def test_what_is_computed_of_a_route_is_reported(properties: str, why: str) -> None:
    text = f"Resources: {{X: {{Type: 'AWS::ApiGatewayV2::Route', Properties: {{ApiId: !Ref Api, {properties}}}}}}}"
    assert f"X: its {why}" in read_routes(text).problems


REST = """
Resources:
  Orders:
    Type: AWS::ApiGateway::Resource
    Properties: {ParentId: !GetAtt Api.RootResourceId, PathPart: orders, RestApiId: !Ref Api}
  Order:
    Type: AWS::ApiGateway::Resource
    Properties: {ParentId: {Ref: Orders}, PathPart: "{id}", RestApiId: !Ref Api}
  Circle:
    Type: AWS::ApiGateway::Resource
    Properties: {ParentId: {Ref: Circle}, PathPart: a, RestApiId: !Ref Api}
"""


def method(properties: str) -> str:
    return f"  M: {{Type: 'AWS::ApiGateway::Method', Properties: {{RestApiId: !Ref Api, {properties}}}}}\n"


@pytest.mark.parametrize(("resource", "path"), [("!Ref Order", "/orders/{id}"), ("!GetAtt Api.RootResourceId", "/")])
def test_methods_of_a_rest_api_become_rules_with_their_resources_paths(resource: str, path: str) -> None:
    text = method(f"HttpMethod: ANY, ResourceId: {resource}, AuthorizationType: CUSTOM, AuthorizationScopes: [a]")
    assert tables(read_routes(REST + text)) == [{"method": "*", "path": path, "scopes": ["a"]}]


@pytest.mark.parametrize("resource", ["!ImportValue Elsewhere", "!Ref Circle", "!Ref Missing", "!GetAtt Api.Other"])
def test_a_path_that_a_template_does_not_spell_out_is_said(resource: str) -> None:
    text = method(f"HttpMethod: GET, ResourceId: {resource}, AuthorizationType: CUSTOM")
    assert (
        "M: its method or its resource's path is not written out in this template" in read_routes(REST + text).problems
    )


BODY = """
Resources:
  Api:
    Type: AWS::Serverless::HttpApi
    Properties:
      Auth: {DefaultAuthorizer: Jwt}
      DefinitionBody:
        openapi: 3.0.1
        paths:
          /a: {get: {security: [{oauth: [a]}]}, post: {}, put: {security: []}}
        components: {securitySchemes: {oauth: {type: oauth2}}}
"""


def test_a_document_within_a_template_is_read_with_the_templates_default_authorizer() -> None:
    listing = read_routes(BODY)
    assert tables(listing) == [
        {"method": "GET", "path": "/a", "scopes": ["a"]},
        {"method": "POST", "path": "/a"},
    ]
    assert listing.without_token == {"PUT /a": "no security"}
