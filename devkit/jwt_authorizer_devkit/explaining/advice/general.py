"""What each reason means where nothing more is known. ``docs/errors.md`` has more about each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jwt_authorizer.errors import Reason

if TYPE_CHECKING:
    from collections.abc import Mapping

GENERAL: Mapping[Reason, str] = {
    Reason.MISSING_TOKEN: "Send “Authorization: Bearer <token>”; if your tokens are elsewhere, set JWT_TOKEN_SOURCE.",
    Reason.MALFORMED_TOKEN: (
        "This can't be read as a signed JWT (three base64url parts joined by dots): the step marked ✗ below says why."
    ),
    Reason.UNSUPPORTED_ALGORITHM: "Add the algorithm to JWT_ALGORITHMS, if that is what the issuer signs with.",
    Reason.UNSUPPORTED_TOKEN_TYPE: (
        "The header's typ is none of JWT_TOKEN_TYPES: send an access token; not every issuer writes at+jwt."
    ),
    Reason.UNKNOWN_ISSUER: "Set JWT_ISSUER to the iss of a real token, character by character.",
    Reason.UNKNOWN_KEY: (
        "The issuer publishes no key with this kid: the token is from another environment, or JWT_JWKS is old."
    ),
    Reason.BAD_SIGNATURE: "The token was changed, or another key signed it: get a new one.",
    Reason.TOKEN_EXPIRED: "Get a new token.",
    Reason.TOKEN_NOT_YET_VALID: "The issuer's clock is ahead: try again in a moment.",
    Reason.TOKEN_LIFETIME_TOO_LONG: "Shorten the lifetime at the issuer, or raise JWT_MAX_LIFETIME_SECONDS.",
    Reason.INVALID_AUDIENCE: "Compare aud with JWT_AUDIENCE: the token is for another API.",
    Reason.INVALID_CLIENT: "Compare client_id (or azp) with JWT_CLIENT_ID.",
    Reason.INVALID_CLAIM: (
        "Look at the claim marked below: compare it with JWT_REQUIRED_CLAIMS and JWT_PRINCIPAL_CLAIM."
    ),
    Reason.UNSUPPORTED_BINDING: (
        "The token is bound (cnf), and that kind of binding is not checked: set JWT_BOUND_TOKENS to dpop or mtls."
    ),
    Reason.UNBOUND_TOKEN: (
        "Have the client ask the issuer for a bound token; send one that is not bound as “Bearer”, not as “DPoP”."
    ),
    Reason.MISSING_DPOP_PROOF: "Send “Authorization: DPoP <token>” and “DPoP: <proof>”, a new proof for each request.",
    Reason.INVALID_DPOP_PROOF: "The proof does not fit this request: what is said below names the check that failed.",
    Reason.REPLAYED_DPOP_PROOF: "Make a new proof for each request, also when you send one again.",
    Reason.CERTIFICATE_MISMATCH: (
        "Call the custom domain with mutual TLS, with the certificate that the token was issued to."
    ),
    Reason.INACTIVE_TOKEN: "Get a new token: its issuer says that this one is over, was revoked, or is not its own.",
    Reason.REVOKED_TOKEN: "Sign in again, or take the entry off the list that JWT_REVOKED names.",
    Reason.INSUFFICIENT_SCOPE: "Have the client ask for the scope, and the issuer grant it.",
    Reason.CLAIM_MISMATCH: "Compare the route's claims and issuers with the claims below.",
    Reason.REFUSED_BY_HOOK: "Your own check (JWT_HOOK) refuses the caller, with the code that is said below.",
    Reason.HOOK_FAILED: "Your own check (JWT_HOOK) raised an exception, or returned what API Gateway cannot carry.",
    Reason.ROUTE_NOT_LISTED: "Add the route to [[routes]]: paths as API Gateway writes them, without the stage.",
    Reason.KEYS_UNAVAILABLE: "The issuer's keys could not be fetched: “jwt-authorizer doctor” looks closer.",
    Reason.INVALID_EVENT: (
        "This is not an event of an API Gateway authorizer: the function has to be the authorizer, not the backend."
    ),
    Reason.UNSAFE_CACHE: (
        "Add $context.routeKey to the authorizer's identity sources, or see docs/errors.md for the other ways out."
    ),
    Reason.RESPONSE_TOO_LARGE: "A WebSocket API takes 8 KB of answer: have the issuer put less into its tokens.",
    Reason.REPLAY_STORE_UNAVAILABLE: (
        "DynamoDB could not record the proof: look at the table's name in JWT_DPOP_REPLAY and at the function's rights."
    ),
    Reason.INTROSPECTION_UNAVAILABLE: "The introspection endpoint did not answer as it should: compare the detail.",
    Reason.REVOCATION_UNAVAILABLE: "The list that JWT_REVOKED names could not be read: compare the detail.",
    Reason.INTERNAL_ERROR: "This is a bug in the authorizer: please report it with what is said below.",
}
