"""Principals of a table of cases, and typical principals to check rules with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jwt_authorizer.claims import Principal, Tenant, VerifiedToken, check_claims
from jwt_authorizer.errors import ErrorCode, TokenError
from jwt_authorizer.strict_json import json_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from jwt_authorizer.claim_conditions import ClaimCondition
    from jwt_authorizer.rules.decisions import Requirement
    from jwt_authorizer.settings import Settings
    from jwt_authorizer.settings.model import IssuerSettings

_LIFETIME = 300
_SOME_TENANT = "some-tenant"


def full_claims(settings: Settings, claims: Mapping[str, object], now: float) -> dict[str, object]:
    """Add the claims that each token of an issuer has, so that a case needs only those that matter for it.

    They are ``iss`` (the first issuer's), ``aud`` and ``client_id`` as in the settings, ``sub``, ``iat`` and ``exp``;
    ``None`` leaves a claim out.
    """
    named = claims.get("iss", settings.issuers[0].issuer)
    issuer = _named(settings, named) or settings.issuers[0]
    usual: dict[str, object] = {
        "iss": issuer.issuer.replace("{tenant}", _SOME_TENANT),
        "sub": "user-1",
        "iat": int(now),
        "exp": int(now) + _LIFETIME,
    }
    if issuer.claim_rules.audience:
        usual["aud"] = min(issuer.claim_rules.audience)
    if issuer.claim_rules.client_id:
        usual["client_id"] = min(issuer.claim_rules.client_id)
    return {name: value for name, value in {**usual, **claims}.items() if value is not None}


def principal_of(settings: Settings, claims: Mapping[str, object], now: float) -> Principal:
    """Check claims as the function does after the signature. Raises ``TokenError``."""
    named = claims.get("iss")
    issuer = _named(settings, named)
    if issuer is None or not isinstance(named, str):
        raise TokenError(ErrorCode.UNKNOWN_ISSUER, "no issuer of the settings has this iss")
    before, placeholder, after = issuer.issuer.partition("{tenant}")
    tenant = Tenant(named[len(before) : len(named) - len(after)], issuer.issuer) if placeholder else None
    return check_claims(VerifiedToken(named, claims, tenant=tenant), issuer.claim_rules, now)


def _named(settings: Settings, iss: object) -> IssuerSettings | None:
    """Return the issuer of an ``iss``. Any tenant will do, since cases are about rules."""
    for issuer in settings.issuers:
        before, placeholder, after = issuer.issuer.partition("{tenant}")
        if iss == issuer.issuer or (
            placeholder and isinstance(iss, str) and iss.startswith(before) and iss.endswith(after)
        ):
            return issuer
    return None


def typical_principals(settings: Settings) -> Iterator[tuple[str, Principal]]:
    """Yield typical principals with their description: one with all rights, and one with each rule's rights alone."""
    requirements = settings.rules.requirements
    for issuer in settings.issuers:
        whose = f" of {issuer.issuer}" if len(settings.issuers) > 1 else ""
        required = issuer.claim_rules.required_scopes
        theirs = [one for one in requirements if not one.issuers or issuer.issuer in one.issuers]
        yield f"a token{whose} with every scope and claim", _principal(issuer.issuer, required, theirs)
        for requirement in theirs if len(theirs) > 1 else ():
            yield f"a token{whose} with {_words(requirement)} only", _principal(issuer.issuer, required, [requirement])


def _words(requirement: Requirement) -> str:
    claims = [f"a matching {condition.claim.name}" for condition in requirement.claims]
    parts = [*requirement.scopes, *requirement.any_scopes[:1], *claims]
    return " and ".join(parts) or "no scope"


def _principal(issuer: str, required: tuple[str, ...], requirements: list[Requirement]) -> Principal:
    scopes = list(required)
    claims: dict[str, object] = {}
    for requirement in requirements:
        # For one rule, one of its any_scopes; for all rights, all of them.
        scopes += [
            *requirement.scopes,
            *(requirement.any_scopes if len(requirements) > 1 else requirement.any_scopes[:1]),
        ]
        for condition in requirement.claims:
            _add(claims, condition)
    known = dict.fromkeys(scopes)
    return Principal(
        id="user-1",
        issuer=issuer,
        subject="user-1",
        scope=" ".join(known),
        scopes=frozenset(known),
        required_scopes=required,
        expires_at=2,
        not_before=0,
        valid_until=2,
        claims=claims,
        claims_text=json_text(claims),
    )


def _add(claims: dict[str, object], condition: ClaimCondition) -> None:
    """Add the values of a condition to the list at its claim. Do nothing if the path leads through a list."""
    inner = claims
    for step in condition.claim.path[:-1]:
        found = inner.setdefault(step, {})
        if not isinstance(found, dict):
            return
        inner = found
    held = inner.setdefault(condition.claim.path[-1], [])
    if isinstance(held, list):
        held += [*condition.any, *condition.all, *("".join(parts) for parts in condition.like)]
