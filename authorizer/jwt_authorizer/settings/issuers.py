"""Read the settings of one issuer, and check what has to fit together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jwt_authorizer.claims import ClaimRules
from jwt_authorizer.issuers.address import PLACEHOLDER, discovery_urls, parse_address
from jwt_authorizer.issuers.documents import document_reader
from jwt_authorizer.issuers.sources import check_discoverable, key_fetcher
from jwt_authorizer.settings import table
from jwt_authorizer.settings.model import IntrospectionSettings, IssuerSettings
from jwt_authorizer.settings.raw import DOCUMENT_TIMEOUT, Section

if TYPE_CHECKING:
    from os import PathLike

_NEEDED_TO_ASK = "it needs JWT_INTROSPECTION, JWT_INTROSPECTION_CLIENT_ID and JWT_INTROSPECTION_SECRET"


def issuer_settings(section: Section, package_root: str | PathLike[str], *, allow_http: bool) -> IssuerSettings:
    """Read the settings of one issuer. A wrong one is noted as a problem, and its default is used."""
    issuer = section.read(table.ISSUER) or ""
    settings = IssuerSettings(
        issuer=issuer,
        jwks=section.read(table.JWKS),
        algorithms=section.read(table.ALGORITHMS),
        token_types=section.read(table.TOKEN_TYPES),
        claim_rules=ClaimRules(
            audience=frozenset(section.read(table.AUDIENCE)),
            client_id=frozenset(section.read(table.CLIENT_ID)),
            leeway=section.read(table.LEEWAY),
            max_lifetime=section.read(table.MAX_LIFETIME),
            required_claims=section.read(table.REQUIRED_CLAIMS),
            required_scopes=section.read(table.REQUIRED_SCOPES),
            scope_claims=section.read(table.SCOPE_CLAIMS),
            principal_claims=section.read(table.PRINCIPAL_CLAIM),
        ),
        introspection=_introspection(section, issuer, allow_http=allow_http),
        tenants=section.read(table.TENANTS),
        tenant_claim=section.read(table.TENANT_CLAIM),
    )
    _check_keys(section, settings, package_root, allow_http=allow_http)
    _check_audience(section)
    _check_tenants(section, settings, package_root)
    return settings


def _check_keys(
    section: Section, settings: IssuerSettings, package_root: str | PathLike[str], *, allow_http: bool
) -> None:
    """Check that keys can be found: where the settings say, or else by discovery."""
    issuer = settings.issuer
    if table.ISSUER not in section:
        section.problem(table.ISSUER, "is required: the exact iss of your tokens, such as https://myapp.authgear.cloud")
    elif issuer and not settings.jwks:
        with section.collecting(table.ISSUER, issuer):
            check_discoverable(issuer.replace(PLACEHOLDER, "tenant"), allow_http=allow_http)
    for location in settings.jwks:
        url = location.replace(PLACEHOLDER, "tenant") if location.startswith(("https:", "http:")) else location
        with section.collecting(table.JWKS, location):
            key_fetcher("", url, allow_http=allow_http, timeout=0, package_root=package_root)


def _check_audience(section: Section) -> None:
    any_audience = section.read(table.ANY_AUDIENCE)
    named = [setting for setting in (table.AUDIENCE, table.CLIENT_ID) if setting in section]
    if any_audience and named:
        section.problem(
            table.ANY_AUDIENCE,
            f"accepts tokens for every API, and {section.label(named[0])} does not: keep one of them",
        )
    elif not any_audience and not named:
        section.problem(
            table.AUDIENCE,
            "an audience or a client_id is required, or this API would accept the tokens of every other API of this "
            "issuer; only if the issuer serves no other API, set any_audience (JWT_ANY_AUDIENCE) to true",
        )


def _introspection(section: Section, issuer: str | None, *, allow_http: bool) -> IntrospectionSettings | None:
    """Read the settings of token introspection; ``None`` if there are none."""
    if not any(name.startswith("introspect") for name in section.written):
        return None
    where = section.read(table.INTROSPECTION)
    client_id, secret = section.read(table.INTROSPECTION_CLIENT_ID), section.read(table.INTROSPECTION_SECRET)
    for setting in (table.INTROSPECTION, table.INTROSPECTION_CLIENT_ID, table.INTROSPECTION_SECRET):
        if setting not in section:
            section.problem(setting, "is required for introspection: " + _NEEDED_TO_ASK)
    if where and issuer:
        with section.collecting(table.INTROSPECTION, where):
            _check_endpoint(where, issuer, allow_http=allow_http)
    return IntrospectionSettings(
        url=None if where == "discovery" else where,
        always=section.read(table.INTROSPECT) == "always",
        client_id=client_id or "",
        secret=secret or "",
        auth=section.read(table.INTROSPECTION_AUTH),
        cache_seconds=section.read(table.INTROSPECTION_CACHE),
    )


def _check_endpoint(where: str, issuer: str, *, allow_http: bool) -> None:
    """Raise ``ValueError`` if the introspection endpoint can't be reached at its URL, or not be discovered."""
    try:
        if where != "discovery":
            parse_address(where, allow_http=allow_http)
            return
        discovery_urls(issuer, allow_http=allow_http)
    except ValueError as error:
        wrong = f"this is {error}"
        if where == "discovery":
            wrong = f"the endpoint can't be discovered, since the issuer is {error}: write the endpoint's URL instead"
        raise ValueError(wrong) from None


def _check_tenants(section: Section, settings: IssuerSettings, package_root: str | PathLike[str]) -> None:
    """Check where ``{tenant}`` is in the issuer and its keys, and that the settings of tenants come with it."""
    issuer, jwks, tenants = settings.issuer, settings.jwks, settings.tenants
    if PLACEHOLDER not in issuer:
        _check_no_tenants(section, jwks)
        return
    from jwt_authorizer.issuers.tenants import (  # noqa: PLC0415 - only settings with tenants need it
        is_in_host,
        placeholder_problem,
    )

    if problem := placeholder_problem(issuer, any_tenant=tenants == "any"):
        section.problem(table.ISSUER, problem, issuer)
    elif isinstance(tenants, tuple) and is_in_host(issuer) and any("." in tenant for tenant in tenants):
        section.problem(table.TENANTS, "has a tenant with a dot, which is not one label of a host")
    if len({PLACEHOLDER in location for location in jwks}) > 1:
        section.problem(table.JWKS, "has {tenant} in some of its sources: write it into all of them, or none")
    if table.INTROSPECTION in section:
        section.problem(table.INTROSPECTION, "needs an issuer without {tenant}: a token that is not a JWT names none")
    if table.TENANTS not in section:
        section.problem(table.TENANTS, "is required with {tenant} in the issuer: the tenants that may call")
    elif isinstance(tenants, str) and tenants != "any":
        with section.collecting(table.TENANTS, tenants):
            document_reader(tenants, timeout=DOCUMENT_TIMEOUT, package_root=package_root)


def _check_no_tenants(section: Section, jwks: tuple[str, ...]) -> None:
    for setting in (table.TENANTS, table.TENANT_CLAIM):
        if setting in section:
            section.problem(setting, "needs {tenant} in the issuer, where the tenant stands in iss")
    if any(PLACEHOLDER in location for location in jwks):
        section.problem(table.JWKS, "has {tenant}, and the issuer has not: there is nothing to put in")
