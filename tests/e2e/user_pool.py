"""A Cognito user pool of the local AWS: a provider of tokens that is not ours."""

from __future__ import annotations

import base64
import http.client
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from demo.deployment import aws_client
from demo.local_aws import HOST
from demo.tools import REGION

if TYPE_CHECKING:
    from demo.local_aws import LocalAws

_PASSWORD = "Correct-horse-1"


@dataclass(frozen=True, slots=True)
class UserPool:
    """A pool with one user and two clients, the second of which the API does not accept."""

    aws: LocalAws
    pool_id: str
    client_id: str
    other_client_id: str
    subject: str

    @property
    def issuer(self) -> str:
        return f"https://cognito-idp.{REGION}.amazonaws.com/{self.pool_id}"

    @property
    def jwks_url(self) -> str:
        return f"{self.aws.endpoint}/{self.pool_id}/.well-known/jwks.json"

    def sign_in(self, client_id: str | None = None) -> tuple[str, str]:
        """Give an access token and an ID token."""
        answer = aws_client("cognito-idp", self.aws).initiate_auth(
            ClientId=client_id or self.client_id,
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": "alice", "PASSWORD": _PASSWORD},
        )["AuthenticationResult"]
        return answer["AccessToken"], answer["IdToken"]


def create_user_pool(aws: LocalAws) -> UserPool:
    cognito = aws_client("cognito-idp", aws)
    pool_id = cognito.create_user_pool(PoolName="demo")["UserPool"]["Id"]
    cognito.admin_create_user(UserPoolId=pool_id, Username="alice", MessageAction="SUPPRESS")
    cognito.admin_set_user_password(UserPoolId=pool_id, Username="alice", Password=_PASSWORD, Permanent=True)
    attributes = cognito.admin_get_user(UserPoolId=pool_id, Username="alice")["UserAttributes"]
    subject = next(attribute["Value"] for attribute in attributes if attribute["Name"] == "sub")
    return UserPool(aws, pool_id, _client(cognito, pool_id, "api"), _client(cognito, pool_id, "other"), subject)


@dataclass(frozen=True, slots=True)
class MachineClient:
    """A program's client of a pool of its own, which may ask for ``orders/import``."""

    pool: UserPool
    secret: str

    def access_token(self) -> str:
        """Ask for a token with the client's credentials, as the program would."""
        form = {"grant_type": "client_credentials", "scope": "orders/import"}
        given = base64.b64encode(f"{self.pool.client_id}:{self.secret}".encode()).decode()
        headers = {"Authorization": f"Basic {given}", "Content-Type": "application/x-www-form-urlencoded"}
        connection = http.client.HTTPConnection(HOST, self.pool.aws.port, timeout=30)
        try:
            connection.request("POST", "/oauth2/token", urlencode(form), headers)
            return str(json.loads(connection.getresponse().read())["access_token"])
        finally:
            connection.close()


def create_machine_client(aws: LocalAws) -> MachineClient:
    cognito = aws_client("cognito-idp", aws)
    pool_id = cognito.create_user_pool(PoolName="machines")["UserPool"]["Id"]
    scopes = [{"ScopeName": "import", "ScopeDescription": "Hand in orders"}]
    cognito.create_resource_server(UserPoolId=pool_id, Identifier="orders", Name="orders", Scopes=scopes)
    client = cognito.create_user_pool_client(
        UserPoolId=pool_id,
        ClientName="importer",
        GenerateSecret=True,
        AllowedOAuthFlows=["client_credentials"],
        AllowedOAuthFlowsUserPoolClient=True,
        AllowedOAuthScopes=["orders/import"],
    )["UserPoolClient"]
    return MachineClient(UserPool(aws, pool_id, client["ClientId"], "", ""), client["ClientSecret"])


def _client(cognito: Any, pool_id: str, name: str) -> str:  # noqa: ANN401 - boto3's clients have no type
    created = cognito.create_user_pool_client(
        UserPoolId=pool_id, ClientName=name, ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH"]
    )
    return str(created["UserPoolClient"]["ClientId"])
