"""The answer to AppSync: whether the token is good, and which GraphQL fields it has no right to.

AppSync developer guide, "AWS Lambda authorization". AppSync knows no routes, so ``[[routes]]`` do not apply. It keeps
an answer for ``ttlOverride`` seconds for every query with the same token: ``deniedFields`` therefore lists all fields
the token has no right to, whatever the query asks for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jwt_authorizer.contexts import claims_context
from jwt_authorizer.rules import Deny

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jwt_authorizer.answers import AnswerSettings
    from jwt_authorizer.claims import Principal
    from jwt_authorizer.rules import Allow


def appsync_answer(
    principal: Principal, decision: Allow | Deny, settings: AnswerSettings, added: Mapping[str, object], now: float
) -> dict[str, object]:
    """Answer an AppSync event at ``now``, in seconds since 1970. A refusal is not kept.

    ``added`` comes into the context as well.
    """
    if isinstance(decision, Deny):
        return {"isAuthorized": False, "deniedFields": [], "ttlOverride": 0}
    return {
        "isAuthorized": True,
        "resolverContext": {**claims_context(principal, settings.context_claims, as_json_text=True), **added},
        "deniedFields": [field.name for field in settings.fields if field.requirement.refuses(principal, field.name)],
        "ttlOverride": int(min(max(principal.expires_at - now, 0), settings.appsync_ttl)),
    }
