"""Tokens for another API or client, ID tokens, and tokens without audience, client or expiry."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from jwt_authorizer.claims import ClaimRules
from jwt_authorizer.errors import ErrorCode
from jwt_authorizer_devkit.explaining.advice.facts import Advice
from jwt_authorizer_devkit.explaining.redaction import shortened

if TYPE_CHECKING:
    from jwt_authorizer_devkit.explaining.advice.facts import Facts

_ONLY_IN_ID_TOKENS = ("nonce", "at_hash", "c_hash")
_GRAPH = "00000003-0000-0000-c000-000000000000"
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def id_token(facts: Facts) -> Advice | None:
    """Recognize an ID token, which is meant for a client, not for an API (OpenID Connect Core section 2)."""
    claims = facts.claims
    if claims.get("token_use") == "id":
        return Advice(
            "id_token",
            "This is Cognito's ID token (token_use is id), meant for the client: send the access token, whose "
            "token_use is access.",
        )
    audience, client = facts.claim_strings("aud"), claims.get("azp", claims.get("client_id"))
    for_the_client = len(audience) == 1 and audience[0] == client and not {"scope", "scp"} & claims.keys()
    telling = [name for name in _ONLY_IN_ID_TOKENS if name in claims]
    if claims.get("typ") == "ID" or telling or for_the_client:
        sign = (
            "its typ is ID"
            if claims.get("typ") == "ID"
            else f"it has {telling[0]}"
            if telling
            else "aud is the client id"
        )
        return Advice("id_token", f"This looks like an ID token ({sign}), meant for the client: send the access token.")
    if claims.get("token_use") == "access" and "token_use" in facts.detail:
        return Advice(
            "access_token",
            "This is Cognito's access token, but JWT_REQUIRED_CLAIMS requires the token_use of an ID token.",
        )
    return None


def no_expiry(facts: Facts) -> Advice | None:
    """Recognize a token without ``exp``."""
    if "exp" in facts.claims:
        return None
    return Advice("no_expiry", "The token has no exp, so it would never expire: have the issuer add exp to its tokens.")


def no_audience(facts: Facts) -> Advice | None:
    """Recognize a token without ``aud``, as Cognito's access tokens are."""
    if "aud" in facts.claims:
        return None
    asks_for_client = facts.seen.issuer is not None and bool(facts.seen.issuer.claim_rules.client_id)
    client = facts.claims.get("client_id", facts.claims.get("azp"))
    if facts.claims.get("token_use") == "access":
        if asks_for_client:
            return Advice("cognito_audience", "Cognito's access tokens have no aud: leave out JWT_AUDIENCE.")
        named = shortened(client) if isinstance(client, str) else "<app client id>"
        return Advice(
            "cognito_audience",
            f"Cognito's access tokens have no aud: leave out JWT_AUDIENCE, set JWT_CLIENT_ID={named} and, to reject "
            f"ID tokens, {required(facts, 'token_use', 'access')}.",
        )
    ask = "The token has no aud. Have the issuer add one for this API (by an audience, a resource or a scope)"
    if asks_for_client:
        return Advice("no_audience", f"{ask}, or, if checking the client is enough, leave out JWT_AUDIENCE.")
    if isinstance(client, str):
        return Advice(
            "no_audience",
            f"{ask}, or check the client instead: leave out JWT_AUDIENCE, set JWT_CLIENT_ID={shortened(client)}",
        )
    return Advice(
        "neither_audience_nor_client",
        f"{ask}. The token does not name a client either. If this issuer serves only this API, as those of Clerk and "
        "WorkOS do: leave out JWT_AUDIENCE, set JWT_ANY_AUDIENCE=true",
    )


def required(facts: Facts, name: str, *values: str) -> str:
    """Return how to require one more claim, in addition to those of the settings."""
    rules = facts.seen.issuer.claim_rules if facts.seen.issuer else ClaimRules()
    wanted = json.dumps(values[0] if len(values) == 1 else values)
    if rules.required_claims:
        return f"add the claim {name} with the value {wanted} to JWT_REQUIRED_CLAIMS"
    return f'set JWT_REQUIRED_CLAIMS={{"{name}": {wanted}}}'


def another_api(facts: Facts) -> Advice | None:
    """Compare ``aud`` with ``JWT_AUDIENCE``: nearly equal, Microsoft Graph's, or another API's."""
    issuer, found = facts.seen.issuer, facts.claim_strings("aud")
    if issuer is None or not found:
        return None
    ours = sorted(issuer.claim_rules.audience)

    def ours_with(one: str, instead_of: str) -> str:
        return f"JWT_AUDIENCE={','.join(shortened(one) if name == instead_of else name for name in ours)}"

    shown = shortened(", ".join(found))
    if _GRAPH in found or "https://graph.microsoft.com" in found:
        return Advice(
            "microsoft_graph",
            "This token is for Microsoft Graph: ask for a scope of your own API (api://…/name) instead.",
        )
    for one in found:
        for wanted in ours:
            if one.rstrip("/") == wanted.rstrip("/"):
                return Advice(
                    "audience_slash", f"Only the slash at the end of aud differs: set {ours_with(one, wanted)}"
                )
            bare = one.removeprefix("api://"), wanted.removeprefix("api://")
            if bare[0] == bare[1] or (_GUID.fullmatch(one) and wanted.startswith("api://")):
                return Advice(
                    "entra_audience",
                    "Entra ID writes aud as the bare client id in version 2.0 tokens, and as the api://… URI in "
                    f"version 1.0 tokens. If {shortened(one)} is this API's own registration: set "
                    f"{ours_with(one, wanted)}",
                )
    return Advice(
        "other_api",
        f"The token is for another API: aud is {shown}, but JWT_AUDIENCE is {', '.join(ours)}. Have the client "
        "ask for a token "
        "for this API (audience, resource or a scope, depending on the issuer).",
    )


def another_client(facts: Facts) -> Advice | None:
    """Recognize a token of another client, or one with its client id in another claim."""
    if facts.reason is not ErrorCode.INVALID_CLIENT:
        return None
    claims = facts.claims
    if "client_id" in claims or "azp" in claims:
        client = claims.get("client_id", claims.get("azp"))
        return Advice(
            "other_client",
            f"The token was issued to {shortened(str(client))}. If that client may call this API, add it to "
            "JWT_CLIENT_ID.",
        )
    rules = ClaimRules() if facts.seen.issuer is None else facts.seen.issuer.claim_rules
    return _oktas_client(facts, rules) or _no_client(facts, rules)


def _oktas_client(facts: Facts, rules: ClaimRules) -> Advice | None:
    client = facts.claims.get("cid")
    if not isinstance(client, str):
        return None
    if client not in rules.client_id:
        return Advice(
            "other_client", f"The token was issued to {shortened(client)} (cid), which is not in JWT_CLIENT_ID."
        )
    # The settings need one of audience, client and any_audience. The required claim replaces the client.
    audience = ",".join(facts.claim_strings("aud"))
    named = "" if rules.audience else f" set JWT_AUDIENCE={audience}" if audience else " set JWT_ANY_AUDIENCE=true"
    instead = required(facts, "cid", *sorted(rules.client_id))
    return Advice("okta_client", f"Okta names the client in cid: leave out JWT_CLIENT_ID,{named} and {instead}")


def _no_client(facts: Facts, rules: ClaimRules) -> Advice:
    if facts.claim_strings("aud") and not rules.audience:
        return Advice(
            "no_client",
            "The token does not name a client (client_id, azp). Have the issuer add it, or check the audience instead: "
            f"leave out JWT_CLIENT_ID, set JWT_AUDIENCE={shortened(','.join(facts.claim_strings('aud')))}",
        )
    if rules.audience:
        return Advice("no_client", "The token does not name a client (client_id, azp): leave out JWT_CLIENT_ID.")
    return Advice(
        "neither_audience_nor_client",
        "The token names neither a client (client_id, azp) nor an aud. Have the issuer add one of them. If this issuer "
        "serves only this API: leave out JWT_CLIENT_ID, set JWT_ANY_AUDIENCE=true",
    )
