"""Routes out of SAM and CloudFormation templates: events, routes, methods, documents within, and several APIs."""

from __future__ import annotations

from textwrap import dedent

import pytest

from jwt_authorizer_devkit.routes.listed import Listing, route_tables
from jwt_authorizer_devkit.routes.reading import read_routes

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


def read(text: str, api: str | None = None) -> Listing:
    return read_routes(text, api)


def with_events(*events: str) -> Listing:
    lines = "".join(f"        E{number}: {event}\n" for number, event in enumerate(events))
    return read(API + lines)


def event(properties: str) -> str:
    return f"{{Type: Api, Properties: {{RestApiId: !Ref Api, {properties}}}}}"


def tables(listing: Listing) -> list[dict[str, object]]:
    assert listing.problems == []
    return route_tables(listing)


@pytest.mark.parametrize(
    ("properties", "table"),
    [
        ("Path: /a, Method: get", {"method": "GET", "path": "/a"}),
        ("Path: /a, Method: ANY", {"method": "*", "path": "/a"}),
        ("Path: /a, Method: put, Auth: {AuthorizationScopes: [a]}", {"method": "PUT", "path": "/a", "scopes": ["a"]}),
        (
            "Path: /a, Method: put, Auth: {AuthorizationScopes: [a, b]}",
            {"method": "PUT", "path": "/a", "any_scopes": ["a", "b"]},
        ),
    ],
)
def test_events_of_a_function_become_rules(properties: str, table: dict[str, object]) -> None:
    assert tables(with_events(event(properties))) == [table]


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
        ("Path: !Sub '/${A}', Method: get", "Orders.E0: its path or method is not written out (Fn::Sub, str)"),
        ("Path: /a, Method: !Ref M", "(str, Ref)"),
        ("Path: /a, Method: get, Auth: {AuthorizationScopes: !Split [',', a]}", "AuthorizationScopes are not written"),
        ("Path: /a, Method: get, Auth: {AuthorizationScopes: [!Ref S]}", "AuthorizationScopes are not written"),
        (
            "Path: /a, Method: get, Auth: {Authorizer: !If [C, A, B]}",
            "which authorizer it has is not written out (Fn::If)",
        ),
    ],
)
def test_what_is_computed_is_said(properties: str, why: str) -> None:
    (problem,) = [one for one in with_events(event(properties)).problems if "no route in it" not in one]
    assert why in problem


def test_the_same_route_with_other_scopes_is_said() -> None:
    scoped = event("Path: /a, Method: get, Auth: {AuthorizationScopes: [a]}")
    assert with_events(event("Path: /a, Method: get"), scoped).problems == [
        "GET /a is described twice, with different scopes"
    ]


def test_an_http_api_of_globals_with_scopes_of_its_authorizer_and_a_catch_all() -> None:
    listing = read(
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
    listing = read(
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
        ("RouteKey: !Ref Key", "X: its RouteKey is not written out (Ref)"),
        ("AuthorizationType: CUSTOM", "X: its RouteKey is not written out (missing)"),
        ("RouteKey: GET /a, AuthorizationType: !Ref T", "X: its AuthorizationType is not written out (Ref)"),
    ],
)
def test_what_is_computed_of_a_route_is_said(properties: str, why: str) -> None:
    text = f"Resources: {{X: {{Type: 'AWS::ApiGatewayV2::Route', Properties: {{ApiId: !Ref Api, {properties}}}}}}}"
    assert why in read(text).problems


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
    assert tables(read(REST + text)) == [{"method": "*", "path": path, "scopes": ["a"]}]


@pytest.mark.parametrize("resource", ["!ImportValue Elsewhere", "!Ref Circle", "!Ref Missing", "!GetAtt Api.Other"])
def test_a_path_that_a_template_does_not_spell_out_is_said(resource: str) -> None:
    text = method(f"HttpMethod: GET, ResourceId: {resource}, AuthorizationType: CUSTOM")
    assert "M: its method or its resource's path is not written out in this template" in read(REST + text).problems


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
    listing = read(BODY)
    assert tables(listing) == [
        {"method": "GET", "path": "/a", "scopes": ["a"]},
        {"method": "POST", "path": "/a"},
    ]
    assert listing.without_token == {"PUT /a": "no security"}


TWO = """
Resources:
  A: {Type: AWS::ApiGatewayV2::Route, Properties: {ApiId: !Ref One, RouteKey: GET /a, AuthorizationType: CUSTOM}}
  B: {Type: AWS::ApiGatewayV2::Route, Properties: {ApiId: !Ref Two, RouteKey: GET /b, AuthorizationType: CUSTOM}}
"""


def test_of_several_apis_one_has_to_be_chosen() -> None:
    assert "it has several APIs with routes that take a token: choose one of One, Two" in read(TWO).problems[0]
    assert tables(read(TWO, "Two")) == [{"method": "GET", "path": "/b"}]
    assert "it has no API Three; it has One, Two" in read(TWO, "Three").problems
