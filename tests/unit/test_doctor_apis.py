"""What `doctor` finds at a deployed API: AWS's description of its authorizer against the function's settings.

Descriptions come through botocore's Stubber, which holds them to AWS's own models.
"""

import json
import os
import sys
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml

from jwt_authorizer.settings import Settings, load_settings
from jwt_authorizer.settings.raw import read_raw
from jwt_authorizer_devkit.cli.app import main
from jwt_authorizer_devkit.doctoring import Level
from jwt_authorizer_devkit.doctoring.apis import (
    Api,
    Attached,
    Kind,
    read_api,
)
from jwt_authorizer_devkit.doctoring.attached import examine_attached, examine_routes
from jwt_authorizer_devkit.doctoring.native import examine_need
from tests.factories import AUDIENCE, ISSUER, config, environment

make_client = import_module("boto3").client
stubber = import_module("botocore.stub").Stubber
FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:authorizer"
URI = f"arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/{FUNCTION}/invocations"
REST = Attached(
    api_id="rest123",
    kind=Kind.REST,
    authorizer_id="auth1",
    name="jwt",
    request=True,
    sources=("method.request.header.Authorization",),
    ttl=300,
    payload=None,
    simple=False,
    function=FUNCTION,
)
HTTP = replace(REST, kind=Kind.HTTP, sources=("$request.header.Authorization",), payload="2.0", simple=True)
SOCKET = replace(REST, kind=Kind.WEBSOCKET, sources=("route.request.header.Authorization",), ttl=0)


def settings(**more: str) -> Settings:
    return load_settings(environment(**more), Path.cwd())


def with_routes() -> Settings:
    return load_settings({"JWT_CONFIG": config("[[routes]]\npath = '/orders'\n")}, Path.cwd())


def examined(attached: Attached, known: Settings | None = None) -> tuple[Level, str, str | None]:
    findings = examine_attached(attached, known or settings())
    worst = max(findings, key=lambda finding: list(Level).index(finding.level))
    return worst.level, worst.said, worst.fix


@pytest.mark.parametrize(
    "attached", [REST, HTTP, SOCKET, replace(REST, request=False)], ids=["rest", "http", "ws", "token"]
)
def test_what_the_templates_deploy_fits(attached: Attached) -> None:
    level, said, fix = examined(attached)
    assert (level, fix) == (Level.GOOD, None)
    assert "fits the settings" in said


@pytest.mark.parametrize(
    ("attached", "known", "level", "said", "fix"),
    [
        (REST, {"JWT_CACHED_BY": "nothing"}, Level.PROBLEM, "for one request", "value=0"),
        (HTTP, {"JWT_CACHED_BY": "nothing"}, Level.PROBLEM, "for one request", "--authorizer-result-ttl-in-seconds 0"),
        (REST, {"JWT_CACHED_BY": "route"}, Level.PROBLEM, "not keyed by", "context.httpMethod,context.resourcePath"),
        (HTTP, {"JWT_CACHED_BY": "route"}, Level.PROBLEM, "not keyed by", "'$context.routeKey'"),
        (replace(REST, request=False), {"JWT_CACHED_BY": "route"}, Level.PROBLEM, "type TOKEN", "JWT_CACHED_BY=token"),
        (replace(HTTP, simple=False), {}, Level.PROBLEM, "expects iam", "JWT_HTTP_API_RESPONSE=iam"),
        (HTTP, {"JWT_HTTP_API_RESPONSE": "iam"}, Level.PROBLEM, "expects simple", "JWT_HTTP_API_RESPONSE=simple"),
        (replace(HTTP, payload="1.0"), {}, Level.PROBLEM, "payload format 1.0", "-payload-format-version 2.0"),
        (REST, {"JWT_TOKEN_SOURCE": "cookie:session"}, Level.PROBLEM, "another's answer", "header.Cookie"),
        (SOCKET, {"JWT_TOKEN_SOURCE": "query:token"}, Level.WARNING, "looks in", "route.request.querystring.token"),
        (
            replace(REST, request=False, sources=("method.request.header.X-Token",)),
            {},
            Level.PROBLEM,
            "passes on method.request.header.X-Token",
            "JWT_TOKEN_SOURCE=header:X-Token",
        ),
        (
            replace(REST, sources=("method.request.header.Authorization", "method.request.querystring.token")),
            {"JWT_TOKEN_SOURCE": "header:Authorization,query:token"},
            Level.WARNING,
            "gets 401",
            'value="method.request.header.Authorization"',
        ),
        (
            replace(REST, request=False, ttl=0),
            {"JWT_BOUND_TOKENS": "dpop,mtls", "JWT_CACHED_BY": "nothing"},
            Level.PROBLEM,
            "bound token (dpop or mtls) ends with 500",
            "type REQUEST",
        ),
        (replace(REST, ttl=0), {}, Level.NOTE, "nothing is cached", "JWT_CACHED_BY=nothing"),
        (replace(REST, ttl=3600), {}, Level.NOTE, "after its token has expired", "value=300"),
        (
            replace(REST, sources=(*REST.sources, "context.httpMethod", "context.resourcePath")),
            {},
            Level.NOTE,
            "keyed by the route",
            "JWT_CACHED_BY=route",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_both_sides_have_to_mean_the_same(
    attached: Attached, known: dict[str, str], level: Level, said: str, fix: str
) -> None:
    found = examined(attached, settings(**known))
    assert found[0] is level
    assert said in found[1]
    assert fix in (found[2] or "")


def test_one_yes_for_all_routes_is_unsafe() -> None:
    level, said, fix = examined(HTTP, with_routes())
    assert (level, "unsafe_cache" in said) == (Level.PROBLEM, True)
    assert fix == (
        "aws apigatewayv2 update-authorizer --api-id rest123 --authorizer-id auth1 "
        "--identity-source '$request.header.Authorization' '$context.routeKey'"
    )
    fixed = replace(HTTP, sources=(*HTTP.sources, "$context.routeKey"))
    assert examined(fixed, with_routes())[0] is Level.GOOD


def test_with_cached_by_nothing_a_replayed_yes_opens_routes() -> None:
    level, said, _ = examined(HTTP, settings(JWT_CACHED_BY="nothing"))
    assert (level, "opens every route" in said) == (Level.PROBLEM, True)
    keyed = replace(HTTP, sources=(*HTTP.sources, "$context.routeKey"))
    assert "opens" not in examined(keyed, settings(JWT_CACHED_BY="nothing"))[1]
    assert "opens" not in examined(REST, settings(JWT_CACHED_BY="nothing"))[1]


@pytest.mark.parametrize(
    ("attached", "known", "fixed"),
    [
        (HTTP, {}, "'$request.header.Authorization' '$request.header.X' '$context.routeKey'"),
        (replace(HTTP, ttl=0), {}, "'$request.header.Authorization' '$context.routeKey'"),
    ],
    ids=["cached", "not cached"],
)
def test_no_fix_takes_the_route_out_of_a_caches_key(attached: Attached, known: dict[str, str], fixed: str) -> None:
    by_route = replace(attached, sources=("$request.header.X", "$context.routeKey"))
    assert (examined(by_route, settings(**known))[2] or "").endswith(f"--identity-source {fixed}")


@pytest.mark.parametrize(
    ("attached", "kinds", "level", "said"),
    [
        (replace(REST, default_endpoint=False), "dpop,mtls", Level.GOOD, "fits the settings"),
        (replace(HTTP, default_endpoint=False), "mtls", Level.GOOD, "fits the settings"),
        (REST, "dpop", Level.GOOD, "fits the settings"),
        (SOCKET, "dpop", Level.GOOD, "fits the settings"),
        (REST, "mtls", Level.PROBLEM, "default endpoint"),
        (HTTP, "dpop,mtls", Level.PROBLEM, "default endpoint"),
        (SOCKET, "mtls", Level.WARNING, "WebSocket APIs have no mutual TLS"),
        (replace(REST, request=False), "dpop", Level.PROBLEM, "type TOKEN"),
    ],
)
def test_what_bound_tokens_need_of_an_api(attached: Attached, kinds: str, level: Level, said: str) -> None:
    known = settings(JWT_BOUND_TOKENS=kinds, JWT_CACHED_BY="nothing")
    found = examined(replace(attached, ttl=0), known)
    assert (found[0], said in found[1]) == (level, True)
    # API Gateway's cache would replay an answer to whoever stole the token.
    assert attached.kind is Kind.WEBSOCKET or examined(replace(attached, ttl=1), known)[0] is Level.PROBLEM


class Aws:
    """AWS clients whose answers a test wrote down."""

    def __init__(self) -> None:
        self.stubs: dict[str, Any] = {}

    def answers(self, service: str) -> Any:  # noqa: ANN401 - botocore's
        if service not in self.stubs:
            credentials = {"aws_access_key_id": "x", "aws_secret_access_key": "x"}
            self.stubs[service] = stubber(make_client(service, region_name="eu-west-1", **credentials))
            self.stubs[service].activate()
        return self.stubs[service]

    def client(self, service: str) -> Any:  # noqa: ANN401 - botocore's
        return self.stubs[service].client


@pytest.fixture
def aws() -> Aws:
    return Aws()


def test_a_rest_api_as_aws_describes_it(aws: Aws) -> None:
    aws.answers("apigatewayv2").add_client_error("get_api", "NotFoundException")
    described = {
        "id": "a1",
        "name": "jwt",
        "authorizerUri": URI,
        "identitySource": "method.request.header.X, context.httpMethod",
    }
    aws.answers("apigateway").add_response(
        "get_rest_api", {"disableExecuteApiEndpoint": True}, {"restApiId": "rest123"}
    )
    aws.answers("apigateway").add_response(
        "get_authorizers",
        {"items": [{**described, "type": "REQUEST"}, {"id": "c", "name": "pool", "type": "COGNITO_USER_POOLS"}]},
        {"restApiId": "rest123"},
    )
    kinds = {"GET": "CUSTOM", "OPTIONS": "NONE", "PUT": "NONE"}
    methods = {method: {"authorizationType": kind} for method, kind in kinds.items()}
    resources = [{"path": "/"}, {"path": "/orders", "resourceMethods": methods}]
    asked = {"restApiId": "rest123", "embed": ["methods"]}
    aws.answers("apigateway").add_response("get_resources", {"items": resources}, asked)
    api = read_api("rest123", aws.client)
    sources = ("method.request.header.X", "context.httpMethod")
    assert api.attached == (replace(REST, authorizer_id="a1", sources=sources, default_endpoint=False),)
    assert api.routes == ("GET /orders", "OPTIONS /orders", "PUT /orders")
    assert api.open_routes == ("PUT /orders",)


@pytest.mark.parametrize(("protocol", "ttl"), [("HTTP", 120), ("WEBSOCKET", 0)])
def test_an_http_or_websocket_api_as_aws_describes_it(aws: Aws, protocol: str, ttl: int) -> None:
    api = {"ProtocolType": protocol, "Name": "n", "RouteSelectionExpression": "x", "DisableExecuteApiEndpoint": True}
    aws.answers("apigatewayv2").add_response("get_api", api, {"ApiId": "h1"})
    described = {
        "AuthorizerId": "a1",
        "Name": "jwt",
        "AuthorizerType": "REQUEST",
        "AuthorizerUri": URI,
        "IdentitySource": ["$context.routeKey"],
        "AuthorizerPayloadFormatVersion": "2.0",
        "EnableSimpleResponses": True,
        "AuthorizerResultTtlInSeconds": 120,
    }
    other = {"AuthorizerId": "a2", "Name": "native", "AuthorizerType": "JWT"}
    aws.answers("apigatewayv2").add_response("get_authorizers", {"Items": [described, other]}, {"ApiId": "h1"})
    routes = [{"RouteKey": "$connect"}, {"RouteKey": "say", "AuthorizationType": "NONE"}]
    aws.answers("apigatewayv2").add_response("get_routes", {"Items": routes}, {"ApiId": "h1"})
    read = read_api("h1", aws.client)
    described_as = replace(HTTP, api_id="h1", kind=Kind(protocol), authorizer_id="a1", ttl=ttl, default_endpoint=False)
    assert read.attached == (replace(described_as, sources=("$context.routeKey",)),)
    assert read.open_routes == (("$connect", "say") if protocol == "HTTP" else ("$connect",))


def test_an_api_without_routes_or_authorizers_is_a_finding(aws: Aws) -> None:
    # AWS leaves out the members that would be empty.
    aws.answers("apigatewayv2").add_client_error("get_api", "NotFoundException")
    aws.answers("apigateway").add_response("get_rest_api", {}, {"restApiId": "rest123"})
    aws.answers("apigateway").add_response("get_authorizers", {}, {"restApiId": "rest123"})
    aws.answers("apigateway").add_response("get_resources", {}, {"restApiId": "rest123", "embed": ["methods"]})
    empty = read_api("rest123", aws.client)
    (finding,) = examine_routes(empty)
    assert (finding.level, "has no routes" in finding.said) == (Level.PROBLEM, True)
    (finding,) = examine_routes(replace(empty, routes=("GET /",)))
    assert (finding.level, "no Lambda authorizer" in finding.said) == (Level.NOTE, True)


def test_routes_without_an_authorizer_are_named() -> None:
    routes = tuple(f"GET /{number}" for number in range(7))
    (finding,) = examine_routes(Api("x", Kind.REST, (REST,), routes, routes))
    assert "GET /0, GET /1, GET /2, GET /3, GET /4 and 2 more" in finding.said
    assert list(examine_routes(Api("x", Kind.REST, (REST,), routes, ()))) == []


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({}, "AWS did not answer: You must specify a region. Set AWS_REGION."),
        ({"AWS_PROFILE": "gone"}, "could not be found. Set AWS_PROFILE to one that"),
        ({"AWS_REGION": "eu-west-1"}, "Unable to locate credentials. Set AWS_PROFILE, or AWS_ACCESS_KEY_ID"),
    ],
    ids=["region", "profile", "credentials"],
)
def test_what_aws_asks_for_is_named(
    variables: dict[str, str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "to be put back: the command sets it")
    for name in list(os.environ):
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    nothing = {"AWS_CONFIG_FILE": str(tmp_path / "none"), "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none")}
    for name, value in {"AWS_EC2_METADATA_DISABLED": "true", **nothing, **variables}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "argv", ["jwt-authorizer", "doctor", "--api", "x"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 3
    assert said in " ".join(capsys.readouterr().err.split())


# `doctor` says where an API's own JWT authorizer would do, and writes it: as AWS's own models take it.


MODELS = import_module("botocore.session").get_session()
VALIDATOR = import_module("botocore.validate").ParamValidator()
PLAIN = {"JWT_ISSUER": ISSUER, "JWT_AUDIENCE": AUDIENCE}
HTTP_NEED, REST_NEED = ["AWS::ApiGatewayV2::Authorizer"], ["AWS::ApiGateway::Authorizer"]
BOTH = HTTP_NEED + REST_NEED
NONE: list[str] = []


def needed(settings: dict[str, str]) -> list[str]:
    """Return the CloudFormation of each authorizer that would do."""
    found = examine_need(load_settings(settings, Path.cwd()), read_raw(settings, Path.cwd()))
    return [finding.fix or "" for finding in found]


def with_routes_of_need(routes: str, issuers: int = 1, **more: str) -> dict[str, str]:
    tables = [f"[[issuers]]\nissuer = '{ISSUER}/{number}'\naudience = '{AUDIENCE}'\n" for number in range(issuers)]
    return {"JWT_CONFIG": "".join(tables) + routes, **more}


@pytest.mark.parametrize(
    ("settings", "enough"),
    [
        (PLAIN, BOTH),
        (PLAIN | {"JWT_REQUIRED_SCOPES": "read", "JWT_LEEWAY_SECONDS": "5", "JWT_CONTEXT_CLAIMS": "email"}, BOTH),
        (PLAIN | {"JWT_REQUIRED_SCOPES": "read write"}, NONE),
        (PLAIN | {"JWT_REQUIRED_CLAIMS": '{"token_use": "access"}'}, REST_NEED),
        (PLAIN | {"JWT_REQUIRED_CLAIMS": '{"token_use": ["access"]}'}, NONE),
        (PLAIN | {"JWT_REQUIRED_CLAIMS": '{"verified": true}'}, NONE),
        (PLAIN | {"JWT_ALGORITHMS": "ES256"}, REST_NEED),
        (PLAIN | {"JWT_ALGORITHMS": "EdDSA,PS256"}, NONE),
        (PLAIN | {"JWT_TOKEN_SOURCE": "header:X-Token"}, BOTH),
        (PLAIN | {"JWT_TOKEN_SOURCE": "query:token"}, HTTP_NEED),
        (PLAIN | {"JWT_TOKEN_SOURCE": "cookie:session"}, NONE),
        (PLAIN | {"JWT_TOKEN_SOURCE": "header:Authorization,cookie:session"}, NONE),
        # A client's id alone would accept its ID tokens, unless each route needs a scope.
        ({"JWT_ISSUER": ISSUER, "JWT_CLIENT_ID": "app"}, NONE),
        ({"JWT_ISSUER": ISSUER, "JWT_CLIENT_ID": "app", "JWT_REQUIRED_SCOPES": "read"}, HTTP_NEED),
        (PLAIN | {"JWT_CLIENT_ID": "app"}, NONE),
        # What neither has at all: this is every setting that is not named in the module.
        (PLAIN | {"JWT_TOKEN_TYPES": "at+jwt"}, NONE),
        (PLAIN | {"JWT_MAX_LIFETIME_SECONDS": "60"}, NONE),
        (PLAIN | {"JWT_JWKS": "https://issuer.example.com/keys"}, NONE),
        (with_routes_of_need("[[routes]]\npath = '/a'\nscopes = ['read']\n"), BOTH),
        (with_routes_of_need("[[fields]]\nfield = 'Query.a'\nscopes = ['read']\n"), NONE),
        (with_routes_of_need("[[routes]]\npath = '/a'\nany_scopes = ['read', 'write']\n", issuers=2), REST_NEED),
        (with_routes_of_need("[[routes]]\npath = '/a'\nscopes = ['read', 'write']\n"), NONE),
        (with_routes_of_need("[[routes]]\npath = '/a'\nscopes = ['a']\nany_scopes = ['read', 'write']\n"), NONE),
        (with_routes_of_need("[[routes]]\npath = '/a'\nclaims = { tier = 'paid' }\n"), NONE),
        (with_routes_of_need("[[routes]]\npath = '$connect'\n"), NONE),
    ],
    ids=range(25),
)
def test_where_an_apis_own_authorizer_would_do(settings: dict[str, str], enough: list[str]) -> None:
    assert [yaml.safe_load(text.replace("!Ref ", ""))["JwtAuthorizer"]["Type"] for text in needed(settings)] == enough


def test_for_a_deployed_api_only_its_own_kind_is_looked_at() -> None:
    settings, raw = load_settings(PLAIN, Path.cwd()), read_raw(PLAIN, Path.cwd())
    assert [len(list(examine_need(settings, raw, (kind,)))) for kind in ("HTTP", "REST", "WEBSOCKET")] == [1, 1, 0]


def lower(value: Any) -> Any:  # noqa: ANN401 - any YAML
    """Write names as the API of REST APIs has them: CloudFormation's begin with a capital."""
    if isinstance(value, dict):
        return {name[0].lower() + name[1:]: lower(inner) for name, inner in value.items()}
    return [lower(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize(
    "settings",
    [
        PLAIN | {"JWT_REQUIRED_CLAIMS": '{"token_use": "access"}', "JWT_REQUIRED_SCOPES": "read"},
        with_routes_of_need("[[routes]]\nmethod = 'GET'\npath = '/a'\nany_scopes = ['read', 'write']\n", issuers=2),
        with_routes_of_need("[[routes]]\nmethod = 'GET'\npath = '/a'\nscopes = ['read']\n"),
    ],
    ids=["claims", "issuers", "both"],
)
def test_what_is_written_is_what_aws_takes(settings: dict[str, str]) -> None:
    for text in needed(settings):
        resource = yaml.safe_load(text.replace("!Ref ", ""))["JwtAuthorizer"]
        rest = resource["Type"] == "AWS::ApiGateway::Authorizer"
        asked = lower(resource["Properties"]) if rest else resource["Properties"]
        model = MODELS.get_service_model("apigateway" if rest else "apigatewayv2")
        shape = model.operation_model("CreateAuthorizer").input_shape
        assert asked.keys() <= shape.members.keys()
        assert not VALIDATOR.validate(asked, shape).has_errors()
        configured = json.dumps(resource)
        assert all(value in configured for value in (ISSUER, AUDIENCE))
        assert ("access" in configured) is ("JWT_REQUIRED_CLAIMS" in settings)
        assert "AuthorizationScopes: [" in text
        assert '"read"' in text
