"""`doctor` says where an API's own JWT authorizer would do, and writes it: as AWS's own models take it."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml

from jwt_authorizer.settings import load_settings
from jwt_authorizer.settings.raw import read_raw
from jwt_authorizer_devkit.doctoring.native import examine_need
from tests.factories import AUDIENCE, ISSUER

MODELS = import_module("botocore.session").get_session()
VALIDATOR = import_module("botocore.validate").ParamValidator()
PLAIN = {"JWT_ISSUER": ISSUER, "JWT_AUDIENCE": AUDIENCE}
HTTP, REST = ["AWS::ApiGatewayV2::Authorizer"], ["AWS::ApiGateway::Authorizer"]
BOTH = HTTP + REST
NONE: list[str] = []


def needed(settings: dict[str, str]) -> list[str]:
    """Return the CloudFormation of each authorizer that would do."""
    found = examine_need(load_settings(settings, Path.cwd()), read_raw(settings, str))
    return [finding.fix or "" for finding in found]


def with_routes(routes: str, issuers: int = 1, **more: str) -> dict[str, str]:
    tables = [f"[[issuers]]\nissuer = '{ISSUER}/{number}'\naudience = '{AUDIENCE}'\n" for number in range(issuers)]
    return {"JWT_CONFIG": "".join(tables) + routes, **more}


@pytest.mark.parametrize(
    ("settings", "enough"),
    [
        (PLAIN, BOTH),
        (PLAIN | {"JWT_REQUIRED_SCOPES": "read", "JWT_LEEWAY_SECONDS": "5", "JWT_CONTEXT_CLAIMS": "email"}, BOTH),
        (PLAIN | {"JWT_REQUIRED_SCOPES": "read write"}, NONE),
        (PLAIN | {"JWT_REQUIRED_CLAIMS": '{"token_use": "access"}'}, REST),
        (PLAIN | {"JWT_REQUIRED_CLAIMS": '{"token_use": ["access"]}'}, NONE),
        (PLAIN | {"JWT_REQUIRED_CLAIMS": '{"verified": true}'}, NONE),
        (PLAIN | {"JWT_ALGORITHMS": "ES256"}, REST),
        (PLAIN | {"JWT_ALGORITHMS": "EdDSA,PS256"}, NONE),
        (PLAIN | {"JWT_TOKEN_SOURCE": "header:X-Token"}, BOTH),
        (PLAIN | {"JWT_TOKEN_SOURCE": "query:token"}, HTTP),
        (PLAIN | {"JWT_TOKEN_SOURCE": "cookie:session"}, NONE),
        (PLAIN | {"JWT_TOKEN_SOURCE": "header:Authorization,cookie:session"}, NONE),
        # A client's id alone would accept its ID tokens, unless each route needs a scope.
        ({"JWT_ISSUER": ISSUER, "JWT_CLIENT_ID": "app"}, NONE),
        ({"JWT_ISSUER": ISSUER, "JWT_CLIENT_ID": "app", "JWT_REQUIRED_SCOPES": "read"}, HTTP),
        (PLAIN | {"JWT_CLIENT_ID": "app"}, NONE),
        # What neither has at all: this is every setting that is not named in the module.
        (PLAIN | {"JWT_TOKEN_TYPES": "at+jwt"}, NONE),
        (PLAIN | {"JWT_MAX_LIFETIME_SECONDS": "60"}, NONE),
        (PLAIN | {"JWT_JWKS": "https://issuer.example.com/keys"}, NONE),
        (with_routes("[[routes]]\npath = '/a'\nscopes = ['read']\n"), BOTH),
        (with_routes("[[fields]]\nfield = 'Query.a'\nscopes = ['read']\n"), NONE),
        (with_routes("[[routes]]\npath = '/a'\nany_scopes = ['read', 'write']\n", issuers=2), REST),
        (with_routes("[[routes]]\npath = '/a'\nscopes = ['read', 'write']\n"), NONE),
        (with_routes("[[routes]]\npath = '/a'\nscopes = ['a']\nany_scopes = ['read', 'write']\n"), NONE),
        (with_routes("[[routes]]\npath = '/a'\nclaims = { tier = 'paid' }\n"), NONE),
        (with_routes("[[routes]]\npath = '$connect'\n"), NONE),
    ],
    ids=range(25),
)
def test_where_an_apis_own_authorizer_would_do(settings: dict[str, str], enough: list[str]) -> None:
    assert [yaml.safe_load(text.replace("!Ref ", ""))["JwtAuthorizer"]["Type"] for text in needed(settings)] == enough


def test_for_a_deployed_api_only_its_own_kind_is_looked_at() -> None:
    settings, raw = load_settings(PLAIN, Path.cwd()), read_raw(PLAIN, str)
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
        with_routes("[[routes]]\nmethod = 'GET'\npath = '/a'\nany_scopes = ['read', 'write']\n", issuers=2),
        with_routes("[[routes]]\nmethod = 'GET'\npath = '/a'\nscopes = ['read']\n"),
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
