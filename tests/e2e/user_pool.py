"""A Cognito user pool of the local AWS, whose tokens are for machines: a provider of tokens that is not ours."""

from dataclasses import dataclass

import urllib3

from demo.deployment import aws_client
from demo.local_aws import LocalAws
from demo.tools import REGION
from tests.e2e.asking import post_form


@dataclass(frozen=True, slots=True)
class MachineClient:
    """A program's client of a pool of its own, which may ask for ``orders/import``."""

    aws: LocalAws
    pool_id: str
    client_id: str
    secret: str

    @property
    def issuer(self) -> str:
        return f"https://cognito-idp.{REGION}.amazonaws.com/{self.pool_id}"

    @property
    def jwks_url(self) -> str:
        return f"{self.aws.endpoint}/{self.pool_id}/.well-known/jwks.json"

    def access_token(self) -> str:
        """Ask for a token with the client's credentials, as the program would."""
        headers = urllib3.make_headers(basic_auth=f"{self.client_id}:{self.secret}")
        form = {"grant_type": "client_credentials", "scope": "orders/import"}
        url = f"{self.aws.endpoint}/oauth2/token"
        return str(post_form(url, form, headers).json()["access_token"])


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
    return MachineClient(aws, pool_id, client["ClientId"], client["ClientSecret"])
