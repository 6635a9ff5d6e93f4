"""Opaque tokens of npm's oidc-provider, with the client's secrets in Parameter Store and Secrets Manager."""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import urllib3
from urllib3 import BaseHTTPResponse

from demo.deployment import aws_client
from demo.stack import Stack
from demo.tools import ROOT
from jwt_authorizer.function import AuthorizerFunction, create_function
from jwt_authorizer_devkit.events import sample
from jwt_authorizer_devkit.signing import generate
from tests.e2e.asking import post_form
from tests.e2e.node_tools import announced, node_environment, script

pytestmark = pytest.mark.usefixtures("at_the_local_aws")

API = "https://api.example.com"
CLIENT, SECRET = "orders-client", "s3cret/+ of:this test"
KEY = generate("ES256", "orders-api")
METHODS = ("client_secret_basic", "client_secret_post", "private_key_jwt")
PARAMETER, SECRET_NAME = "/orders-api/introspection", "orders-api-key"


@dataclass(frozen=True, slots=True)
class Issuer:
    """A running oidc-provider; ``signs``: its answers are signed (RFC 9701)."""

    url: str
    signs: bool

    def post(self, path: str, **form: str) -> BaseHTTPResponse:
        form |= {"client_id": CLIENT, "client_secret": SECRET}
        answer = post_form(self.url + path, form)
        assert answer.status == 200
        return answer

    def token(self) -> str:
        answer = self.post("/token", grant_type="client_credentials", scope="orders:read")
        return str(answer.json()["access_token"])

    def function(self, method: str, secret: str) -> AuthorizerFunction:
        return create_function(
            {
                "JWT_ISSUER": self.url,
                "JWT_AUDIENCE": API,
                "JWT_ALLOW_HTTP": "true",
                "JWT_REQUIRED_SCOPES": "orders:read",
                "JWT_PRINCIPAL_CLAIM": "sub, client_id",
                "JWT_INTROSPECTION": "discovery",
                "JWT_INTROSPECTION_CLIENT_ID": f"orders api:{method}",
                "JWT_INTROSPECTION_AUTH": method,
                "JWT_INTROSPECTION_SECRET": secret,
                "JWT_INTROSPECTION_CACHE_SECONDS": "0",
            },
            write=lambda _: None,
        )


@pytest.fixture(scope="module", params=["plain", "signed"])
def issuer(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Issuer]:
    folder = tmp_path_factory.mktemp("oidc-provider")
    command = script(ROOT / "tests" / "e2e" / "oidc-provider" / "introspection.mjs", folder, "oidc-provider")
    command += [API, SECRET, json.dumps(KEY.public_jwk()), str(request.param)]
    with announced(command, node_environment(folder)) as url:
        yield Issuer(url, request.param == "signed")


@pytest.fixture(autouse=True)
def _secrets(stack: Stack) -> None:
    """Put the secrets where AWS has them."""
    ssm, manager = aws_client("ssm", stack.aws), aws_client("secretsmanager", stack.aws)
    ssm.put_parameter(Name=PARAMETER, Value=SECRET, Type="SecureString", Overwrite=True)
    with contextlib.suppress(manager.exceptions.ResourceExistsException):
        manager.create_secret(Name=SECRET_NAME, SecretString=KEY.private_pem().decode())


@pytest.mark.parametrize("method", METHODS)
def test_an_opaque_token_is_accepted_until_the_issuer_revokes_it(issuer: Issuer, method: str) -> None:
    metadata = urllib3.request("GET", f"{issuer.url}/.well-known/openid-configuration").json()
    listed = metadata.get("introspection_signing_alg_values_supported", [])
    assert ("ES256" in listed) is issuer.signs
    place = f"secretsmanager:{SECRET_NAME}" if method == "private_key_jwt" else f"ssm:{PARAMETER}"
    function = issuer.function(method, place)
    token = issuer.token()
    assert "." not in token
    event = sample("rest-request", token)
    assert function(event, None)["principalId"] == CLIENT
    issuer.post("/token/revocation", token=token)
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        function(event, None)
