"""One line of advice for each error code: that of a common mistake if one is recognized, else the general one."""

from __future__ import annotations

from jwt_authorizer.errors import ErrorCode
from jwt_authorizer_devkit.explaining.advice.audience import (
    another_api,
    another_client,
    id_token,
    no_audience,
    no_expiry,
)
from jwt_authorizer_devkit.explaining.advice.bound import other_url
from jwt_authorizer_devkit.explaining.advice.facts import Advice, Facts
from jwt_authorizer_devkit.explaining.advice.general import GENERAL
from jwt_authorizer_devkit.explaining.advice.issuers import another_issuer
from jwt_authorizer_devkit.explaining.advice.keys import keys_out_of_reach, signed_by_another, symmetric, unknown_key
from jwt_authorizer_devkit.explaining.advice.rights import missing_scope, unlisted_route
from jwt_authorizer_devkit.explaining.advice.shape import elsewhere, extension, not_a_jwt
from jwt_authorizer_devkit.explaining.advice.times import expired, not_yet_valid
from jwt_authorizer_devkit.explaining.advice.values import nested_claim, other_type

__all__ = ["Advice", "Facts", "advise"]

_MISTAKES = {
    ErrorCode.MISSING_TOKEN: (elsewhere,),
    ErrorCode.MALFORMED_TOKEN: (not_a_jwt, extension),
    ErrorCode.UNKNOWN_ISSUER: (another_issuer,),
    ErrorCode.UNSUPPORTED_ALGORITHM: (symmetric,),
    ErrorCode.UNSUPPORTED_TOKEN_TYPE: (id_token,),
    ErrorCode.UNKNOWN_KEY: (unknown_key,),
    ErrorCode.KEYS_UNAVAILABLE: (keys_out_of_reach,),
    ErrorCode.BAD_SIGNATURE: (signed_by_another,),
    ErrorCode.TOKEN_EXPIRED: (expired,),
    ErrorCode.TOKEN_NOT_YET_VALID: (not_yet_valid,),
    ErrorCode.INVALID_AUDIENCE: (id_token, no_audience, another_api),
    ErrorCode.INVALID_CLIENT: (id_token, another_client),
    ErrorCode.INVALID_CLAIM: (no_expiry, nested_claim, other_type, id_token),
    ErrorCode.INVALID_DPOP_PROOF: (other_url,),
    ErrorCode.CLAIM_MISMATCH: (nested_claim, other_type),
    ErrorCode.INSUFFICIENT_SCOPE: (id_token, missing_scope),
    ErrorCode.ROUTE_NOT_LISTED: (unlisted_route,),
}


def advise(facts: Facts) -> Advice:
    """Return advice for a request that was rejected or denied, or ended with an error."""
    for recognize in _MISTAKES.get(facts.reason, ()):
        advice = recognize(facts)
        if advice is not None:
            return advice
    return Advice(str(facts.reason), GENERAL[facts.reason])
