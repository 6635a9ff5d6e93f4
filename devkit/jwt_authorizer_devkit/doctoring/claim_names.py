"""Find claims that the settings name by a dotted path. The function reads it as one name, with dots in it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from jwt_authorizer_devkit.doctoring.findings import Finding, Level

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jwt_authorizer.claim_conditions import Claim
    from jwt_authorizer.settings import Settings

# Does not match URLs and host names: custom claims are often named like these.
_DOTTED = re.compile(r"[A-Za-z_][\w-]*(\.[\w-]+)+")
_OBJECTS = frozenset(
    (
        "act",
        "address",
        "app_metadata",
        "cnf",
        "firebase",
        "realm_access",
        "resource_access",
        "user_metadata",
    )
)
"""Claims that are always objects: RFC 8693, RFC 7800, OpenID Connect, Keycloak, Supabase, Firebase."""


def examine_claim_names(settings: Settings) -> Iterator[Finding]:
    """Find dotted paths that should be JSON Pointers (RFC 6901)."""
    for name in dict.fromkeys(claim.name for claim in _named(settings)):
        if not _DOTTED.fullmatch(name):
            continue
        pointer = "/" + name.replace(".", "/")
        if name.partition(".")[0] in _OBJECTS:
            said = f"The function reads {name} as one claim's name, with dots in it, but it is inside another claim."
            yield Finding("claims", Level.WARNING, said, f"{pointer} instead of {name}")
        else:
            said = f"The function reads {name} as one claim's name, with dots in it."
            yield Finding("claims", Level.NOTE, said, f"{pointer}, if it is inside another claim")


def _named(settings: Settings) -> Iterator[Claim]:
    for issuer in settings.issuers:
        rules = issuer.claim_rules
        yield from (condition.claim for condition in rules.required_claims)
        yield from (*rules.scope_claims, *rules.principal_claims)
        if issuer.tenant_claim is not None:
            yield issuer.tenant_claim
    for requirement in settings.rules.requirements:
        yield from (condition.claim for condition in requirement.claims)
    for field in settings.answers.fields:
        yield from (condition.claim for condition in field.requirement.claims)
    yield from (claim for _, claim in settings.answers.context_claims)
    if settings.answers.usage_key_claim is not None:
        yield settings.answers.usage_key_claim
