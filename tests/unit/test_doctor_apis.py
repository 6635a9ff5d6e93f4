"""What `doctor` finds at a deployed API: AWS's description of its authorizer against the function's settings.

Descriptions come through botocore's Stubber, which holds them to AWS's own models.
"""

import json
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml

from jwt_authorizer.settings import load_settings
from jwt_authorizer.settings.raw import read_raw
from jwt_authorizer_devkit.aws_access import NotThereError, OutOfReachError
from jwt_authorizer_devkit.doctoring import Level
from jwt_authorizer_devkit.doctoring.apis import Api, Attached, Kind, read_api
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


GOOD, NOTE, WARNING, PROBLEM = Level.GOOD, Level.NOTE, Level.WARNING, Level.PROBLEM
TOKEN, HTTP_BY_ROUTE = replace(REST, request=False), replace(HTTP, sources=(*HTTP.sources, "$context.routeKey"))
REST_BY_ROUTE = replace(REST, sources=(*REST.sources, "context.httpMethod", "context.resourcePath"))
OTHER_HEADER = replace(HTTP, sources=("$request.header.X", "$context.routeKey"))
HEADER_AND_QUERY = replace(REST, sources=("method.request.header.Authorization", "method.request.querystring.token"))
BOTH_PLACES = {"JWT_TOKEN_SOURCE": "header:Authorization,query:token"}
BY_NOTHING, BY_ROUTE = {"JWT_CACHED_BY": "nothing"}, {"JWT_CACHED_BY": "route"}
WITH_ROUTES = {"JWT_ISSUER": "", "JWT_AUDIENCE": "", "JWT_JWKS": "", "JWT_CONFIG": config("[[routes]]\npath = '/a'\n")}
BOUND = {kinds: {"JWT_BOUND_TOKENS": kinds, "JWT_CACHED_BY": "nothing"} for kinds in ("dpop", "mtls", "dpop,mtls")}


@pytest.mark.parametrize(
    ("attached", "known", "level", "said", "fix"),
    [
        *((fits, {}, GOOD, "matches the settings", "") for fits in (REST, HTTP, SOCKET, TOKEN)),
        (
            REST,
            BY_NOTHING,
            PROBLEM,
            "for one request (JWT_CACHED_BY=nothing), but it caches them for 300 s.",
            "value=0",
        ),
        (
            HTTP,
            BY_NOTHING,
            PROBLEM,
            "for 300 s: once allowed, a token is allowed on every route",
            "--authorizer-result-ttl-in-seconds 0",
        ),
        (HTTP_BY_ROUTE, BY_NOTHING, PROBLEM, "for 300 s.", "--authorizer-result-ttl-in-seconds 0"),
        (REST, BY_ROUTE, PROBLEM, "not keyed by", "context.httpMethod,context.resourcePath"),
        (HTTP, BY_ROUTE, PROBLEM, "not keyed by", "'$context.routeKey'"),
        (TOKEN, BY_ROUTE, PROBLEM, "type TOKEN", "JWT_CACHED_BY=token"),
        (HTTP, WITH_ROUTES, PROBLEM, "unsafe_cache", "'$request.header.Authorization' '$context.routeKey'"),
        (HTTP_BY_ROUTE, WITH_ROUTES, GOOD, "matches the settings", ""),
        (replace(HTTP, simple=False), {}, PROBLEM, "expects iam", "JWT_HTTP_API_RESPONSE=iam"),
        (HTTP, {"JWT_HTTP_API_RESPONSE": "iam"}, PROBLEM, "expects simple", "JWT_HTTP_API_RESPONSE=simple"),
        (replace(HTTP, payload="1.0"), {}, PROBLEM, "payload format 1.0", "-payload-format-version 2.0"),
        (REST, {"JWT_TOKEN_SOURCE": "cookie:session"}, PROBLEM, "another's answer", "header.Cookie"),
        (SOCKET, {"JWT_TOKEN_SOURCE": "query:token"}, WARNING, "the function reads", "route.request.querystring.token"),
        (replace(TOKEN, sources=("method.request.header.X",)), {}, PROBLEM, "passes on", "JWT_TOKEN_SOURCE=header:X"),
        # No fix takes the route out of a cache's key.
        (OTHER_HEADER, {}, PROBLEM, "another's", "Authorization' '$request.header.X' '$context.routeKey'"),
        (
            replace(OTHER_HEADER, ttl=0),
            {},
            WARNING,
            "the function reads",
            "'$request.header.Authorization' '$context.routeKey'",
        ),
        (HEADER_AND_QUERY, BOTH_PLACES, WARNING, "gets a 401", 'value="method.request.header.Authorization"'),
        (replace(REST, ttl=0), {}, NOTE, "nothing is cached", "JWT_CACHED_BY=nothing"),
        (replace(REST, ttl=3600), {}, NOTE, "after its token has expired", "value=300"),
        (REST_BY_ROUTE, {}, NOTE, "keyed by the route", "JWT_CACHED_BY=route"),
        (replace(REST, ttl=0, default_endpoint=False), BOUND["dpop,mtls"], GOOD, "matches the settings", ""),
        (replace(REST, ttl=0), BOUND["dpop"], GOOD, "matches the settings", ""),
        # API Gateway's cache would replay an answer to whoever stole the token.
        (replace(REST, ttl=1), BOUND["dpop"], PROBLEM, "it caches them for 1 s", "value=0"),
        (replace(HTTP, ttl=0), BOUND["mtls"], PROBLEM, "default endpoint", ""),
        (SOCKET, BOUND["mtls"], WARNING, "WebSocket APIs do not have mutual TLS", ""),
        (
            replace(TOKEN, ttl=0),
            BOUND["dpop,mtls"],
            PROBLEM,
            "bound token (dpop or mtls) ends with 500",
            "type REQUEST",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_both_sides_have_to_mean_the_same(
    attached: Attached, known: dict[str, str], level: Level, said: str, fix: str
) -> None:
    findings = examine_attached(attached, load_settings(environment(**known), Path.cwd()))
    worst = max(findings, key=lambda finding: list(Level).index(finding.level))
    assert worst.level is level
    assert said in worst.said
    assert fix in (worst.fix or "")
    assert level is not GOOD or worst.fix is None


def stubbed(*answers: tuple[str, str, object, dict[str, object]]) -> Any:  # noqa: ANN401 - boto3's
    """Make AWS clients that answer so: service, operation, the answer (or an error's code), and what is asked."""
    credentials = {"aws_access_key_id": "x", "aws_secret_access_key": "x", "region_name": "eu-west-1"}
    stubs = {name: stubber(make_client(name, **credentials)) for name in ("apigateway", "apigatewayv2")}
    for service, operation, answer, asked in answers:
        if isinstance(answer, str):
            stubs[service].add_client_error(operation, answer)
        else:
            stubs[service].add_response(operation, answer, asked)
        stubs[service].activate()
    return lambda service: stubs[service].client


def rest_api(about: dict[str, Any], authorizers: list[dict[str, str]], resources: list[dict[str, Any]]) -> Api:
    # AWS leaves out the members that would be empty.
    asked: dict[str, object] = {"restApiId": "rest123"}
    clients = stubbed(
        ("apigatewayv2", "get_api", "NotFoundException", {}),
        ("apigateway", "get_rest_api", about, asked),
        ("apigateway", "get_authorizers", {"items": authorizers} if authorizers else {}, asked),
        ("apigateway", "get_resources", {"items": resources} if resources else {}, asked | {"embed": ["methods"]}),
    )
    return read_api("rest123", clients)


def test_a_rest_api_as_aws_describes_it() -> None:
    described = {"id": "auth1", "name": "jwt", "type": "REQUEST", "authorizerUri": URI}
    described |= {"identitySource": "method.request.header.Authorization, context.httpMethod, context.resourcePath"}
    pool = {"id": "c", "name": "pool", "type": "COGNITO_USER_POOLS"}
    kinds = {"GET": "CUSTOM", "OPTIONS": "NONE", "PUT": "NONE"}
    methods = {method: {"authorizationType": kind} for method, kind in kinds.items()}
    resources: list[dict[str, Any]] = [{"path": "/"}, {"path": "/orders", "resourceMethods": methods}]
    api = rest_api({"disableExecuteApiEndpoint": True}, [described, pool], resources)
    assert api.attached == (replace(REST_BY_ROUTE, default_endpoint=False),)
    assert api.routes == ("GET /orders", "OPTIONS /orders", "PUT /orders")
    assert api.open_routes == ("PUT /orders",)


def test_an_api_without_routes_or_authorizers_is_a_finding() -> None:
    empty = rest_api({}, [], [])
    (finding,) = examine_routes(empty)
    assert (finding.level, "has no routes" in finding.said) == (PROBLEM, True)
    (finding,) = examine_routes(replace(empty, routes=("GET /",)))
    assert (finding.level, "no Lambda authorizer" in finding.said) == (NOTE, True)


@pytest.mark.parametrize(("code", "error"), [("NotFoundException", NotThereError), ("AccessDenied", OutOfReachError)])
def test_an_api_that_is_not_there_is_told_from_one_that_cannot_be_read(code: str, error: type[Exception]) -> None:
    missing = ("apigatewayv2", "get_api", "NotFoundException", dict[str, object]())
    with pytest.raises(error):
        read_api("gone", stubbed(missing, ("apigateway", "get_rest_api", code, {})))


@pytest.mark.parametrize(("protocol", "ttl"), [("HTTP", 120), ("WEBSOCKET", 0)])
def test_an_http_or_websocket_api_as_aws_describes_it(protocol: str, ttl: int) -> None:
    api = {"ProtocolType": protocol, "Name": "n", "RouteSelectionExpression": "x", "DisableExecuteApiEndpoint": True}
    described = {
        "AuthorizerId": "auth1",
        "Name": "jwt",
        "AuthorizerType": "REQUEST",
        "AuthorizerUri": URI,
        "IdentitySource": list(HTTP.sources),
        "AuthorizerPayloadFormatVersion": "2.0",
        "EnableSimpleResponses": True,
        "AuthorizerResultTtlInSeconds": 120,
    }
    other = {"AuthorizerId": "a2", "Name": "native", "AuthorizerType": "JWT"}
    routes = [{"RouteKey": "$connect"}, {"RouteKey": "say", "AuthorizationType": "NONE"}]
    clients = stubbed(
        ("apigatewayv2", "get_api", api, {"ApiId": "h1"}),
        ("apigatewayv2", "get_authorizers", {"Items": [described, other]}, {"ApiId": "h1"}),
        ("apigatewayv2", "get_routes", {"Items": routes}, {"ApiId": "h1"}),
    )
    read = read_api("h1", clients)
    assert read.attached == (replace(HTTP, api_id="h1", kind=Kind(protocol), ttl=ttl, default_endpoint=False),)
    assert read.open_routes == (("$connect", "say") if protocol == "HTTP" else ("$connect",))


def test_routes_without_an_authorizer_are_named() -> None:
    routes = tuple(f"GET /{number}" for number in range(7))
    (finding,) = examine_routes(Api("x", Kind.REST, (REST,), routes, routes))
    assert "GET /0, GET /1, GET /2, GET /3, GET /4 and 2 more" in finding.said
    assert list(examine_routes(Api("x", Kind.REST, (REST,), routes, ()))) == []


# `doctor` says where an API's own JWT authorizer would do, and writes it: as AWS's own models take it.


MODELS = import_module("botocore.session").get_session()
VALIDATOR = import_module("botocore.validate").ParamValidator()
PLAIN = {"JWT_ISSUER": ISSUER, "JWT_AUDIENCE": AUDIENCE}
HTTP_NEED, REST_NEED = ["AWS::ApiGatewayV2::Authorizer"], ["AWS::ApiGateway::Authorizer"]
BOTH = HTTP_NEED + REST_NEED
NONE: list[str] = []


def with_routes(routes: str, issuers: int = 1) -> dict[str, str]:
    tables = [f"[[issuers]]\nissuer = '{ISSUER}/{number}'\naudience = '{AUDIENCE}'\n" for number in range(issuers)]
    return {"JWT_CONFIG": "".join(tables) + routes}


def lower(value: Any) -> Any:  # noqa: ANN401 - any YAML
    """Write names as the API of REST APIs has them: CloudFormation's begin with a capital."""
    if isinstance(value, dict):
        return {name[0].lower() + name[1:]: lower(inner) for name, inner in value.items()}
    return [lower(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize(
    ("settings", "enough"),
    [
        (PLAIN, BOTH),
        (PLAIN | {"JWT_REQUIRED_SCOPES": "read", "JWT_LEEWAY_SECONDS": "5", "JWT_CONTEXT_CLAIMS": "email"}, BOTH),
        (PLAIN | {"JWT_REQUIRED_SCOPES": "read write"}, NONE),
        (PLAIN | {"JWT_REQUIRED_CLAIMS": '{"token_use": "access"}', "JWT_REQUIRED_SCOPES": "read"}, REST_NEED),
        (PLAIN | {"JWT_REQUIRED_CLAIMS": '{"verified": true}'}, NONE),
        (PLAIN | {"JWT_ALGORITHMS": "ES256"}, REST_NEED),
        (PLAIN | {"JWT_ALGORITHMS": "EdDSA,PS256"}, NONE),
        (PLAIN | {"JWT_TOKEN_SOURCE": "query:token"}, HTTP_NEED),
        (PLAIN | {"JWT_TOKEN_SOURCE": "cookie:session"}, NONE),
        (PLAIN | {"JWT_TOKEN_SOURCE": "header:Authorization,cookie:session"}, NONE),
        # A client's id alone would accept its ID tokens, unless each route needs a scope.
        ({"JWT_ISSUER": ISSUER, "JWT_CLIENT_ID": AUDIENCE}, NONE),
        ({"JWT_ISSUER": ISSUER, "JWT_CLIENT_ID": AUDIENCE, "JWT_REQUIRED_SCOPES": "read"}, HTTP_NEED),
        (PLAIN | {"JWT_CLIENT_ID": "app"}, NONE),
        # What neither has at all: this is every setting that is not named in the module.
        (PLAIN | {"JWT_TOKEN_TYPES": "at+jwt"}, NONE),
        (with_routes("[[routes]]\nmethod = 'GET'\npath = '/a'\nscopes = ['read']\n"), BOTH),
        (with_routes("[[fields]]\nfield = 'Query.a'\nscopes = ['read']\n"), NONE),
        (with_routes("[[routes]]\npath = '/a'\nany_scopes = ['read', 'write']\n", issuers=2), REST_NEED),
        (with_routes("[[routes]]\npath = '/a'\nscopes = ['a']\nany_scopes = ['read', 'write']\n"), NONE),
        (with_routes("[[routes]]\npath = '/a'\nclaims = { tier = 'paid' }\n"), NONE),
        (with_routes("[[routes]]\npath = '$connect'\n"), NONE),
    ],
    ids=range(20),
)
def test_where_an_apis_own_authorizer_would_do_it_is_written_as_aws_takes_it(
    settings: dict[str, str], enough: list[str]
) -> None:
    found = examine_need(load_settings(settings, Path.cwd()), read_raw(settings, Path.cwd()))
    kinds = []
    for text in (finding.fix or "" for finding in found):
        resource = yaml.safe_load(text.replace("!Ref ", ""))["JwtAuthorizer"]
        kinds.append(resource["Type"])
        rest = kinds[-1] in REST_NEED
        asked = lower(resource["Properties"]) if rest else resource["Properties"]
        model = MODELS.get_service_model("apigateway" if rest else "apigatewayv2")
        shape = model.operation_model("CreateAuthorizer").input_shape
        assert asked.keys() <= shape.members.keys()
        assert not VALIDATOR.validate(asked, shape).has_errors()
        configured = json.dumps(resource)
        assert all(value in configured for value in (ISSUER, AUDIENCE))
        assert ("access" in configured) is ("JWT_REQUIRED_CLAIMS" in settings)
        assert ('AuthorizationScopes: ["read"' in text) is ("read" in str(settings))
    assert kinds == enough


def test_for_a_deployed_api_only_its_own_kind_is_looked_at() -> None:
    settings, raw = load_settings(PLAIN, Path.cwd()), read_raw(PLAIN, Path.cwd())
    assert [len(list(examine_need(settings, raw, (kind,)))) for kind in ("HTTP", "REST", "WEBSOCKET")] == [1, 1, 0]
