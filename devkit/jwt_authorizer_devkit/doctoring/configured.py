"""Check valid settings for probable mistakes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jwt_authorizer.answers import CachedBy
from jwt_authorizer_devkit.doctoring.claim_names import examine_claim_names
from jwt_authorizer_devkit.doctoring.findings import Finding, Level
from jwt_authorizer_devkit.routes.overlaps import describe_overlaps

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jwt_authorizer.settings import Settings

_MUCH_LEEWAY = 300


def examine_settings(settings: Settings) -> Iterator[Finding]:
    """Report what valid settings are, and probable mistakes in them."""
    names = ", ".join(issuer.issuer for issuer in settings.issuers)
    routes = f"{len(settings.rules.resources)} paths have rules" if settings.rules.configured else "no rules by route"
    fields = f"; {len(settings.answers.fields)} fields of AppSync have rules" if settings.answers.fields else ""
    yield Finding("settings", Level.GOOD, f"They are valid: {names};  {routes}{fields}.")
    if settings.keys.allow_http:
        said = "JWT_ALLOW_HTTP is on: anybody on the network path can replace keys that are fetched over http://."
        yield Finding("settings", Level.WARNING, said, "JWT_ALLOW_HTTP=false, except on your own machine")
    if settings.answers.cached_by is CachedBy.NOTHING:
        said = (
            "JWT_CACHED_BY=nothing is only right if the TTL of the API's authorizer is 0. With any other TTL an HTTP "
            "API uses an allow for one route on every route."
        )
        yield Finding("settings", Level.NOTE, said, "jwt-authorizer doctor --stack NAME reads the TTL.")
    for issuer in settings.issuers:
        rules = issuer.claim_rules
        if issuer.tenants == "any":
            said = f"Every tenant of {issuer.issuer} may call: anybody who can open an account there."
            yield Finding("settings", Level.NOTE, said, "JWT_TENANTS=NAME,NAME, if that is not intended")
        if rules.leeway > _MUCH_LEEWAY:
            said = f"Tokens of {issuer.issuer} are accepted for {rules.leeway:g} s after they have expired."
            yield Finding("settings", Level.WARNING, said, "JWT_LEEWAY_SECONDS=60")
        if "cognito-idp." in issuer.issuer and not any(
            asked.claim.name == "token_use" for asked in rules.required_claims
        ):
            said = (
                "Cognito's ID tokens have the same issuer and keys as its access tokens, and no setting separates them."
            )
            yield Finding("settings", Level.WARNING, said, 'JWT_REQUIRED_CLAIMS={"token_use": "access"}')
    yield from examine_claim_names(settings)
    if settings.answers.cached_by is CachedBy.TOKEN:
        for overlap in describe_overlaps(settings.rules):
            yield Finding("routes", Level.WARNING, overlap)
