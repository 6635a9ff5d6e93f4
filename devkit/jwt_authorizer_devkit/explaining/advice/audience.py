"""A token that was made for something else: another API, another client, or no API at all."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from jwt_authorizer.errors import Reason
from jwt_authorizer_devkit.explaining.advice.facts import Advice
from jwt_authorizer_devkit.explaining.redaction import shortened

if TYPE_CHECKING:
    from jwt_authorizer_devkit.explaining.advice.facts import Facts

_ONLY_IN_ID_TOKENS = ("nonce", "at_hash", "c_hash")
_GRAPH = "00000003-0000-0000-c000-000000000000"
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def id_token(facts: Facts) -> Advice | None:
    """Recognise an ID token (OpenID Connect Core section 2), which tells a client who signed in."""
    claims = facts.claims
    if claims.get("token_use") == "id":
        return Advice(
            "id_token",
            "This is Cognito's ID token (token_use is id), meant for the client: send the access token, whose "
            "token_use is access.",
        )
    audience, client = facts.claim_texts("aud"), claims.get("azp", claims.get("client_id"))
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
            "This is Cognito's access token, and the settings' required claims ask for an ID token's token_use.",
        )
    return None


def no_expiry(facts: Facts) -> Advice | None:
    """Recognise a token that never ends."""
    if "exp" in facts.claims:
        return None
    return Advice(
        "no_expiry", "The token has no exp, so it would be good for ever: have the issuer give its tokens an end."
    )


def no_audience(facts: Facts) -> Advice | None:
    """Recognise a token without ``aud``, as Cognito's access tokens are."""
    if "aud" in facts.claims:
        return None
    if facts.claims.get("token_use") == "access" or "cognito-idp." in str(facts.claims.get("iss")):
        client = facts.claims.get("client_id")
        named = shortened(client) if isinstance(client, str) else "<app client id>"
        return Advice(
            "cognito_audience",
            f"Cognito's access tokens have no aud: leave out JWT_AUDIENCE and set JWT_CLIENT_ID={named}",
        )
    return Advice(
        "no_audience",
        "The token has no aud. Ask the issuer for one for this API (audience, resource or a scope of the API), or set "
        "JWT_CLIENT_ID instead of JWT_AUDIENCE, to go by the client.",
    )


def another_api(facts: Facts) -> Advice | None:
    """Compare ``aud`` with the settings': almost ours, Microsoft Graph's, or another API's."""
    issuer, found = facts.seen.issuer, facts.claim_texts("aud")
    if issuer is None or not found:
        return None
    ours = sorted(issuer.claim_rules.audience)
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
                    "audience_slash", f"Only the slash at the end of aud differs: set JWT_AUDIENCE={shortened(one)}"
                )
            bare = one.removeprefix("api://"), wanted.removeprefix("api://")
            if bare[0] == bare[1] or (_GUID.fullmatch(one) and wanted.startswith("api://")):
                return Advice(
                    "entra_audience",
                    "Entra ID writes aud as the bare client id in version 2.0 tokens, and as the api://… URI in "
                    "version 1.0 "
                    f"ones: set JWT_AUDIENCE={shortened(one)}",
                )
    return Advice(
        "other_api",
        f"The token is for another API: aud is {shown}, and this one is {', '.join(ours)}. Have the client ask "
        "for a token "
        "for this API (audience, resource or a scope, depending on the issuer).",
    )


def another_client(facts: Facts) -> Advice | None:
    """Recognise where the client id is somewhere else, or somebody else's."""
    if facts.reason is not Reason.INVALID_CLIENT:
        return None
    claims = facts.claims
    if "client_id" in claims or "azp" in claims:
        client = claims.get("client_id", claims.get("azp"))
        return Advice(
            "other_client",
            f"The token was issued to {shortened(str(client))}. If that is yours, add it to JWT_CLIENT_ID.",
        )
    if isinstance(claims.get("cid"), str):
        return Advice(
            "okta_client",
            "Okta names the client in cid: leave out JWT_CLIENT_ID, and set "
            f'JWT_REQUIRED_CLAIMS={{"cid": "{shortened(str(claims["cid"]))}"}}',
        )
    return Advice("no_client", "The token names no client (client_id, azp): set JWT_AUDIENCE instead of JWT_CLIENT_ID.")
