"""What the template has off by default: the refresher, and the authorizer that reads its copy, behind an alias."""

from __future__ import annotations

import time

import pytest

from demo.calls import Api
from demo.deployment import aws_client
from demo.scenarios import AUDIENCE
from tests.e2e.asking import ask
from tests.e2e.copied_keys import COOLDOWN, STACK, TARGETS, CopiedKeys


@pytest.mark.parametrize("target", TARGETS)
def test_keys_come_from_the_copy_that_the_refresher_keeps(copied_keys: CopiedKeys, target: str) -> None:
    before = copied_keys.published_version()
    deployed = copied_keys.deploy(target)
    token = copied_keys.issuer.token(audience=AUDIENCE)
    # That there is no copy yet also shows that the alias follows the settings: the version before would have keys.
    assert ask(deployed, Api.REST, token) == (500, ["keys_unavailable"])
    assert copied_keys.published_version() != before
    copied_keys.issuer.fetches.clear()
    refreshed = copied_keys.refresh()
    assert (refreshed["keys"], refreshed["left_out"]) == (1, [])
    # A second process may wait that was started when the version was published, and found no copy either.
    time.sleep(COOLDOWN)
    for api in (Api.REST, Api.HTTP):
        assert ask(deployed, api, token) == (200, ["allow"])
    # They are the refresher's: the authorizer did not ask.
    assert copied_keys.issuer.fetches == {"openid": 1, "jwks": 1}


def test_the_refresher_has_a_schedule(copied_keys: CopiedKeys) -> None:
    copied_keys.deploy_once()
    # Other stacks of the same account may have refreshers of their own.
    rules = aws_client("events", copied_keys.stack.aws).list_rules(NamePrefix=f"{STACK}-authorizer-")["Rules"]
    assert [(rule["State"], rule["ScheduleExpression"]) for rule in rules] == [("ENABLED", "rate(5 minutes)")]
