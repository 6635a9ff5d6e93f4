"""An issuer that is down when the function starts, as the API's clients see it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from demo.calls import Api
from demo.scenarios import AUDIENCE, SCOPE
from jwt_authorizer_devkit.issuer.faults import Fault, FaultKind
from tests.e2e.asking import ask

if TYPE_CHECKING:
    from demo.stack import Stack


def test_an_outage_is_a_500_that_no_cache_keeps_and_it_heals_by_itself(stack: Stack) -> None:
    issuer, authorizer = stack.issuer, stack.main
    token = issuer.token(audience=AUDIENCE, scope=SCOPE)
    issuer.misbehave("jwks", Fault(FaultKind.STATUS, 503))
    try:
        # The local AWS ends the function's process after each exception, so that the next call is a cold start.
        expired = issuer.token(audience=AUDIENCE, scope=SCOPE, defect="expired")
        assert ask(authorizer, Api.REST, expired) == (401, ["token_expired"])
        # The function starts all the same. Asked twice, since neither answer is to come from a cache.
        for _ in range(2):
            assert ask(authorizer, Api.REST, token) == (500, ["keys_unavailable"])
        # What needs no keys is refused as ever.
        assert ask(authorizer, Api.REST, expired) == (401, ["token_expired"])
    finally:
        issuer.heal()
    assert ask(authorizer, Api.REST, token) == (200, ["allow"])
