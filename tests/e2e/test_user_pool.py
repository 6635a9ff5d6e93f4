"""Tokens of a Cognito user pool: a provider that isn't ours, with the settings that its users need."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from demo.calls import Api

if TYPE_CHECKING:
    from demo.calls import Answer
    from tests.e2e.conftest import PoolStack


def call(pool_stack: PoolStack, api: Api, token: str) -> tuple[Answer, list[object]]:
    deployed = pool_stack.deployed
    deployed.log.new()
    answer = deployed.client.call(api, "GET", "/orders", {"Authorization": f"Bearer {token}"})
    return answer, [line.get("reason") or line["decision"] for line in deployed.log.new()]


@pytest.mark.parametrize("api", [Api.REST, Api.REST_TOKEN, Api.HTTP])
def test_an_access_token_is_good(pool_stack: PoolStack, api: Api) -> None:
    access_token, _ = pool_stack.pool.sign_in()
    answer, decisions = call(pool_stack, api, access_token)
    assert (answer.status, decisions) == (200, ["allow"])
    assert answer.told["sub"] == pool_stack.pool.subject
    assert answer.claims["username"] == "alice"


def test_an_id_token_is_not_for_apis(pool_stack: PoolStack) -> None:
    _, id_token = pool_stack.pool.sign_in()
    answer, decisions = call(pool_stack, Api.REST, id_token)
    assert answer.status == 401
    assert decisions in (["invalid_client"], ["invalid_claim"])


def test_another_client_of_the_same_pool_is_refused(pool_stack: PoolStack) -> None:
    access_token, _ = pool_stack.pool.sign_in(pool_stack.pool.other_client_id)
    answer, decisions = call(pool_stack, Api.HTTP, access_token)
    assert (answer.status, decisions) == (403, ["invalid_client"])


def test_a_browser_puts_the_token_into_the_query(pool_stack: PoolStack) -> None:
    access_token, _ = pool_stack.pool.sign_in()
    answer = pool_stack.deployed.client.talk({}, {"token": access_token})
    assert (answer.status, answer.told["sub"]) == (101, pool_stack.pool.subject)
