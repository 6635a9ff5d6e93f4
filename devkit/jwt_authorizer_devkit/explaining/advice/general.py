"""General advice for each error code. ``docs/errors.md`` has more about each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jwt_authorizer.errors import ErrorCode

if TYPE_CHECKING:
    from collections.abc import Mapping

GENERAL: Mapping[ErrorCode, str] = {
    ErrorCode.MISSING_TOKEN: "Send “Authorization: Bearer <token>”. For another location set JWT_TOKEN_SOURCE.",
    ErrorCode.MALFORMED_TOKEN: (
        "This can't be read as a signed JWT (three base64url parts joined by dots): the step marked ✗ below says why."
    ),
    ErrorCode.UNSUPPORTED_ALGORITHM: "Add the algorithm to JWT_ALGORITHMS, if that is what the issuer signs with.",
    ErrorCode.UNSUPPORTED_TOKEN_TYPE: (
        "The header's typ is not in JWT_TOKEN_TYPES: send an access token. If your issuer's access tokens have another "
        "typ than at+jwt, add that."
    ),
    ErrorCode.UNKNOWN_ISSUER: "Set JWT_ISSUER to the iss of a real token, exactly as written there.",
    ErrorCode.UNKNOWN_KEY: (
        "The issuer does not publish a key with this kid: the token is from another environment, or JWT_JWKS is old."
    ),
    ErrorCode.BAD_SIGNATURE: "The token was changed, or another key signed it: get a new token.",
    ErrorCode.TOKEN_EXPIRED: "Get a new token.",
    ErrorCode.TOKEN_NOT_YET_VALID: "The issuer's clock is ahead: try again in a moment.",
    ErrorCode.TOKEN_LIFETIME_TOO_LONG: "Shorten the lifetime at the issuer, or raise JWT_MAX_LIFETIME_SECONDS.",
    ErrorCode.INVALID_AUDIENCE: "Compare aud with JWT_AUDIENCE: the token is for another API.",
    ErrorCode.INVALID_CLIENT: "Compare client_id (or azp) with JWT_CLIENT_ID.",
    ErrorCode.INVALID_CLAIM: (
        "Look at the claim marked below: compare it with JWT_REQUIRED_CLAIMS and JWT_PRINCIPAL_CLAIM."
    ),
    ErrorCode.UNSUPPORTED_BINDING: (
        "The token is bound (cnf), and the settings do not check this kind of binding: set JWT_BOUND_TOKENS to dpop or "
        "mtls."
    ),
    ErrorCode.UNBOUND_TOKEN: (
        "Have the client ask the issuer for a bound token. Send a token that is not bound as “Bearer”, not as “DPoP”."
    ),
    ErrorCode.MISSING_DPOP_PROOF: "Send “Authorization: DPoP <token>” and “DPoP: <proof>”, with a new proof each time.",
    ErrorCode.INVALID_DPOP_PROOF: "The proof is not valid for this request: the step marked ✗ says which check failed.",
    ErrorCode.REPLAYED_DPOP_PROOF: "Make a new proof for each request, also if you repeat a request.",
    ErrorCode.CERTIFICATE_MISMATCH: (
        "Call the custom domain over mutual TLS, with the certificate that the token is bound to."
    ),
    ErrorCode.INACTIVE_TOKEN: "Get a new token: for the issuer, this one has expired, was revoked, or is unknown.",
    ErrorCode.REVOKED_TOKEN: "Sign in again, or remove the entry from the list that JWT_REVOKED names.",
    ErrorCode.INSUFFICIENT_SCOPE: "Have the client ask for the scope, and the issuer grant it.",
    ErrorCode.CLAIM_MISMATCH: "Compare the route's claims and issuers with the claims below.",
    ErrorCode.REFUSED_BY_HOOK: "Your own check (JWT_HOOK) refused the caller. The step marked ✗ has its code.",
    ErrorCode.HOOK_FAILED: "Your own check (JWT_HOOK) raised an exception, or returned what API Gateway cannot carry.",
    ErrorCode.ROUTE_NOT_LISTED: "Add the route to [[routes]]: paths as API Gateway writes them, without the stage.",
    ErrorCode.KEYS_UNAVAILABLE: "The issuer's keys could not be fetched: run “jwt-authorizer doctor”.",
    ErrorCode.INVALID_EVENT: (
        "This is not an event of an API Gateway authorizer: the function has to be the authorizer, not the backend."
    ),
    ErrorCode.UNSAFE_CACHE: (
        "Add $context.routeKey to the authorizer's identity sources, or see docs/errors.md for other fixes."
    ),
    ErrorCode.RESPONSE_TOO_LARGE: "A WebSocket API accepts answers of 8 KB: have the issuer put less into its tokens.",
    ErrorCode.REPLAY_STORE_UNAVAILABLE: (
        "DynamoDB could not record the proof: check the table's name in JWT_DPOP_REPLAY and the function's permissions."
    ),
    ErrorCode.INTROSPECTION_UNAVAILABLE: "The introspection endpoint failed: the step marked ✗ says how.",
    ErrorCode.REVOCATION_UNAVAILABLE: "The list that JWT_REVOKED names could not be read: the step marked ✗ says why.",
    ErrorCode.INTERNAL_ERROR: "This is a bug in the authorizer: please report it with the step marked ✗.",
}
