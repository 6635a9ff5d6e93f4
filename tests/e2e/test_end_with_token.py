"""``JWT_END_WITH_TOKEN`` on the local AWS: what ``docs/end-with-token.md`` says about it."""

from __future__ import annotations

import datetime as dt
import time
from typing import TYPE_CHECKING

from demo.calls import Api
from demo.scenarios import AUDIENCE
from tests.e2e.asking import ask

if TYPE_CHECKING:
    from tests.e2e.copied_keys import CopiedKeys

_LIFETIME = 4


def test_the_local_aws_goes_on_allowing_after_the_end_that_the_policy_names(copied_keys: CopiedKeys) -> None:
    deployed = copied_keys.deploy_once()
    copied_keys.refresh()
    token = copied_keys.issuer.token(audience=AUDIENCE, lifetime=_LIFETIME)
    for api in (Api.REST, Api.HTTP):
        assert ask(deployed, api, token) == (200, ["allow"])
    (statement,) = copied_keys.policy(token)["Statement"]
    end = dt.datetime.fromisoformat(statement["Condition"]["DateLessThan"]["aws:CurrentTime"])
    while dt.datetime.now(dt.UTC) <= end:
        time.sleep(0.1)
    # By the cached policy, since nothing was decided anew. On AWS it may be 403: see the document. Should this fail one
    # day, the local AWS has learnt to look at conditions, and the document is to say so.
    for api in (Api.REST, Api.HTTP):
        assert ask(deployed, api, token) == (200, [])
