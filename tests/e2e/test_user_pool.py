"""Tokens of a Cognito user pool: a provider that isn't ours, with the settings that its users need."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from demo.calls import Api
from tests.e2e.asking import ask, make_apis, make_authorizer
from tests.e2e.user_pool import UserPool, create_user_pool

if TYPE_CHECKING:
    from demo.stack import Deployed, Stack


@pytest.fixture(scope="module")
def pool(stack: Stack) -> UserPool:
    return create_user_pool(stack.aws)


@pytest.fixture(scope="module")
def deployed(stack: Stack, pool: UserPool) -> Deployed:
    settings = {
        "JwtIssuer": pool.issuer,
        "JwtClientId": pool.client_id,
        # The pool's tokens name the issuer as on AWS; its keys are here.
        "JwtJwks": pool.jwks_url,
        "JwtRequiredClaims": '{"token_use": "access"}',
        "JwtTokenSource": "header:Authorization, query:token",
        "JwtHttpApiResponse": "iam",
        "JwtAllowHttp": "true",
    }
    apis = {"SimpleResponses": "false", "WebSocketTokenSource": "route.request.querystring.token"}
    return make_apis(stack, make_authorizer(stack, "pool", settings), apis)


@pytest.mark.parametrize("api", [Api.REST, Api.REST_TOKEN, Api.HTTP])
def test_an_access_token_is_accepted(deployed: Deployed, pool: UserPool, api: Api) -> None:
    access_token, _ = pool.sign_in()
    assert ask(deployed, api, access_token) == (200, ["allow"])
    answer = deployed.client.call(api, "GET", "/orders", {"Authorization": f"Bearer {access_token}"})
    assert (answer.told["sub"], answer.claims["username"]) == (pool.subject, "alice")


def test_id_tokens_and_tokens_of_another_client_are_rejected(deployed: Deployed, pool: UserPool) -> None:
    status, decisions = ask(deployed, Api.REST, pool.sign_in()[1])
    assert (status, decisions in (["invalid_client"], ["invalid_claim"])) == (401, True)
    assert ask(deployed, Api.HTTP, pool.sign_in(pool.other_client_id)[0]) == (403, ["invalid_client"])


def test_a_browser_puts_the_token_into_the_query(deployed: Deployed, pool: UserPool) -> None:
    answer = deployed.client.talk({}, {"token": pool.sign_in()[0]})
    assert (answer.status, answer.told["sub"]) == (101, pool.subject)
