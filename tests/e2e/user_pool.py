"""A Cognito user pool of the local AWS: a provider of tokens that is not ours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from demo.deployment import aws_client
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


def _client(cognito: Any, pool_id: str, name: str) -> str:  # noqa: ANN401 - boto3's clients have no type
    created = cognito.create_user_pool_client(
        UserPoolId=pool_id, ClientName=name, ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH"]
    )
    return str(created["UserPoolClient"]["ClientId"])
