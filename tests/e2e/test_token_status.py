"""The template with Revocation=on: from a revocation or a logout to the last request that is accepted."""

import contextlib
import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from math import ceil
from urllib.parse import urlsplit

import pytest
import urllib3
from urllib3 import BaseHTTPResponse

from demo.calls import Api
from demo.deployment import aws_client
from demo.scenarios import AUDIENCE
from demo.stack import Deployed, Stack
from demo.tools import ROOT
from jwt_authorizer.function import AuthorizerFunction, create_function
from jwt_authorizer.issuers.revocation_store import RevocationStore, add_entry
from jwt_authorizer.logout import EVENT
from jwt_authorizer.revocation import read_list
from jwt_authorizer_devkit.cli.app import run
from jwt_authorizer_devkit.events import sample
from jwt_authorizer_devkit.signing import SigningKey, generate
from tests.e2e.asking import ask, make_apis, make_authorizer, post_form
from tests.e2e.cloudformation import Made, change_stack
from tests.e2e.node_tools import announced, node_environment, script
from tests.integration.hostile_server import HostileServer, answer_json

NAME = "revoking"
TTL = 1.0
"""Seconds: of the list."""
CACHED = 1.0
"""Seconds for which API Gateway replays an answer."""
CLIENT = "web-app"
WRITERS = 20


@dataclass(slots=True)
class Revoking:
    """The stack, and APIs that ask its authorizer."""

    stack: Stack
    made: Made
    deployed: Deployed
    gateway: HostileServer

    def token(self, subject: str, **claims: object) -> str:
        return self.stack.issuer.token(claims, audience=AUDIENCE, subject=subject)

    def status(self, token: str) -> int:
        return ask(self.deployed, Api.REST, token)[0]

    def last_accepted(self, token: str) -> float:
        """Call until the token is refused; return when the last call began that was accepted."""
        last = began = time.time()
        limit = began + 30
        while began < limit:
            status = self.status(token)
            if status == 401:
                return last
            assert status == 200
            last, began = began, time.time()
        pytest.fail("the token was never refused")

    def log_out(self, key: SigningKey | None = None, **change: object) -> int:
        """Send a logout token to the function's URL, as an issuer does; return the status."""
        claims = {
            "aud": CLIENT, "jti": "logout-1", "sid": "session-1", "events": {EVENT: {}}, "client_id": None, **change,
        }  # fmt: skip
        token = self.stack.issuer.token(claims, lifetime=120, key=key, header={"typ": "logout+jwt"})
        host = urlsplit(self.made.outputs["LogoutUrl"]).hostname or ""
        url = f"{self.stack.aws.endpoint}/_aws/lambda-url/{host.partition('.')[0]}/"
        return post_form(url, {"logout_token": token}).status


@pytest.fixture(scope="module")
def revoking(stack: Stack) -> Iterator[Revoking]:
    parameters = {
        "JwtIssuer": stack.issuer.url,
        "JwtAudience": AUDIENCE,
        "JwtAllowHttp": "true",
        "JwtRevokedTtlSeconds": f"{TTL:g}",
        "Revocation": "on",
        "RevocationClientIds": CLIENT,
    }
    made = make_authorizer(stack, NAME, parameters)
    deployed = make_apis(stack, made, {"CacheSeconds": f"{CACHED:g}"})
    api = deployed.client.outputs[Api.REST]
    made = change_stack(made, {"RevocationApis": f"rest:{api}/demo"})
    path = f"/restapis/{api}/stages/demo/cache/authorizers"
    # The local AWS caches answers, but has no call that empties the cache: another server takes that one.
    with HostileServer({path: answer_json({})}) as gateway:
        functions, revoker = aws_client("lambda", stack.aws), made.outputs["RevokerName"]
        variables = functions.get_function_configuration(FunctionName=revoker)["Environment"]["Variables"]
        variables |= {"AWS_ENDPOINT_URL_API_GATEWAY": f"http://127.0.0.1:{gateway.port}"}
        functions.update_function_configuration(FunctionName=revoker, Environment={"Variables": variables})
        yield Revoking(stack, made, deployed, gateway)


@pytest.mark.usefixtures("at_the_local_aws")
def test_a_revoked_user_is_refused_once_the_list_and_the_cached_answer_are_over(revoking: Revoking) -> None:
    token, other = revoking.token("alice"), revoking.token("bob")
    assert (revoking.status(token), revoking.status(other)) == (200, 200)
    assert run(["revoke", "--sub", "alice", "--stack", NAME]) == 0
    revoked = time.time()
    asked = {request.split(b"\r\n")[0] for request in revoking.gateway.requests}
    assert asked == {f"DELETE {path} HTTP/1.1".encode() for path in revoking.gateway.behaviors}
    assert revoking.last_accepted(token) <= revoked + TTL + CACHED
    assert ask(revoking.deployed, Api.REST, token) == (401, ["revoked_token"])
    assert revoking.status(other) == 200
    # The revocation's time is rounded up, and iat is in whole seconds: only the second after is later.
    time.sleep(max(0, ceil(revoked) + 1 - time.time()))
    assert revoking.status(revoking.token("alice")) == 200, "alice has signed in again"


def test_a_logout_of_the_issuer_ends_the_session_and_a_forged_one_changes_nothing(revoking: Revoking) -> None:
    token, other = revoking.token("carol", sid="session-1"), revoking.token("carol", sid="session-2")
    issuer = revoking.stack.issuer
    forger = generate("RS256", str(issuer.keys[0].kid))
    assert [revoking.log_out(forger), revoking.log_out(aud="another-app")] == [400, 400]
    assert (revoking.status(token), revoking.status(other)) == (200, 200)
    assert revoking.log_out() == 200
    ended = time.time()
    assert revoking.log_out() == 400, "a logout token is used once"
    assert revoking.last_accepted(token) <= ended + TTL + CACHED
    assert revoking.status(other) == 200


def test_writers_at_the_same_time_lose_nothing(revoking: Revoking) -> None:
    s3, bucket = aws_client("s3", revoking.stack.aws), "many-writers"
    s3.create_bucket(Bucket=bucket)
    barrier = threading.Barrier(WRITERS)

    def write(number: int) -> None:
        store = RevocationStore(bucket, "revoked.json", s3)
        barrier.wait()
        store.change(lambda content: add_entry(content, "iss", "jti", str(number), 1), now=0, keep=0)

    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(write, range(WRITERS)))
    written = read_list(s3.get_object(Bucket=bucket, Key="revoked.json")["Body"].read())
    assert written["iss"]["jti"].keys() == {str(number) for number in range(WRITERS)}


# ---------------------------------------------------------------------------------------------------------------
# Opaque tokens of npm's oidc-provider, with the client's secrets in Parameter Store and Secrets Manager.


API = "https://api.example.com"
CALLER, SECRET = "orders-client", "s3cret/+ of:this test"
KEY = generate("ES256", "orders-api")
METHODS = ("client_secret_basic", "client_secret_post", "private_key_jwt")
PARAMETER, SECRET_NAME = "/orders-api/introspection", "orders-api-key"


@dataclass(frozen=True, slots=True)
class Issuer:
    """A running oidc-provider; ``signs``: its answers are signed (RFC 9701)."""

    url: str
    signs: bool

    def post(self, path: str, **form: str) -> BaseHTTPResponse:
        form |= {"client_id": CALLER, "client_secret": SECRET}
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


@pytest.fixture
def secrets(stack: Stack, at_the_local_aws: None) -> None:
    """Put the secrets where AWS has them."""
    del at_the_local_aws
    ssm, manager = aws_client("ssm", stack.aws), aws_client("secretsmanager", stack.aws)
    ssm.put_parameter(Name=PARAMETER, Value=SECRET, Type="SecureString", Overwrite=True)
    with contextlib.suppress(manager.exceptions.ResourceExistsException):
        manager.create_secret(Name=SECRET_NAME, SecretString=KEY.private_pem().decode())


@pytest.mark.usefixtures("secrets")
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
    assert function(event, None)["principalId"] == CALLER
    issuer.post("/token/revocation", token=token)
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        function(event, None)
