"""Read the settings of the log, and of what is off unless it is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jwt_authorizer.answers import CachedBy
from jwt_authorizer.contexts import Challenge
from jwt_authorizer.issuers.address import parse_address
from jwt_authorizer.issuers.documents import document_reader, secret_reader
from jwt_authorizer.issuers.kept import Ages
from jwt_authorizer.issuers.sources import check_discoverable
from jwt_authorizer.settings import table
from jwt_authorizer.settings.model import (
    BoundTokenSettings,
    IntrospectionSettings,
    IssuerSettings,
    LogPrincipal,
    LogSettings,
    RevocationSettings,
)
from jwt_authorizer.settings.raw import RawIssuer, RawSettings, take

if TYPE_CHECKING:
    from collections.abc import Iterable
    from os import PathLike

    from jwt_authorizer.settings.model import KeySettings

_DOCUMENT_TIMEOUT = 5.0
"""Seconds that Parameter Store or Secrets Manager may take at start-up."""
_SHORTEST_KEY = 16
PLACEHOLDER = "{tenant}"
_NEEDED_TO_ASK = "it needs JWT_INTROSPECTION, JWT_INTROSPECTION_CLIENT_ID and JWT_INTROSPECTION_SECRET"


def challenge(raw: RawSettings, bound: BoundTokenSettings, issuers: Iterable[IssuerSettings]) -> Challenge:
    """Read what the challenge of a 401 says, about DPoP too where proofs are checked."""
    metadata = take(raw, raw.document, table.RESOURCE_METADATA)
    if "dpop" not in bound.checked:
        return Challenge(metadata)
    algorithms = sorted(frozenset[str]().union(*(issuer.algorithms for issuer in issuers)))
    return Challenge(metadata, " ".join(algorithms), dpop_only=bound.required and bound.checked == {"dpop"})


def bound_tokens(raw: RawSettings, cached_by: CachedBy, *, allow_http: bool) -> BoundTokenSettings:
    """Read how bound tokens are treated, and refuse what would make a check pointless."""
    written = raw.document
    settings = BoundTokenSettings(
        kinds=frozenset(take(raw, written, table.BOUND_TOKENS)),
        required=take(raw, written, table.REQUIRE_BOUND_TOKENS),
        dpop_urls=take(raw, written, table.DPOP_URLS),
        dpop_max_age=take(raw, written, table.DPOP_MAX_AGE),
        dpop_replay=take(raw, written, table.DPOP_REPLAY),
    )
    if settings.checked and cached_by is not CachedBy.NOTHING:
        raw.problem(
            written[table.BOUND_TOKENS.name].label,
            "needs JWT_CACHED_BY=nothing, and a TTL of 0 on the API: a cached answer is replayed without the check",
            ",".join(sorted(settings.checked)),
        )
    if settings.required and not settings.checked:
        raw.problem(
            written[table.REQUIRE_BOUND_TOKENS.name].label,
            "needs JWT_BOUND_TOKENS=dpop or mtls: without a binding that is checked no token would be accepted",
        )
    for url in settings.dpop_urls:
        try:
            problem = "a URL here has no query" if parse_address(url, allow_http=allow_http).query else None
        except ValueError as error:
            problem = f"this is {error}"
        if problem is not None:
            raw.problem(written[table.DPOP_URLS.name].label, problem, url, is_location=True)
    return settings


def introspection(
    raw: RawSettings, about: RawIssuer, issuer: str | None, *, allow_http: bool
) -> IntrospectionSettings | None:
    """Read how an issuer is asked about opaque tokens; ``None`` if it is not asked."""
    written = about.written
    where = take(raw, written, table.INTROSPECTION)
    client_id = take(raw, written, table.INTROSPECTION_CLIENT_ID)
    secret = take(raw, written, table.INTROSPECTION_SECRET)
    for setting in (table.INTROSPECTION, table.INTROSPECTION_CLIENT_ID, table.INTROSPECTION_SECRET):
        if setting.name not in written:
            raw.problem(about.label(setting), "is required for introspection: " + _NEEDED_TO_ASK)
    # The endpoint's URL is checked as an issuer's is: https, no password, no fragment.
    with raw.collecting(about.label(table.INTROSPECTION)):
        check_discoverable((where if where != "discovery" else issuer) or "https://a", allow_http=allow_http)
    return IntrospectionSettings(
        url=None if where == "discovery" else where,
        always=take(raw, written, table.INTROSPECT) == "always",
        client_id=client_id or "",
        secret=secret or "",
        auth=take(raw, written, table.INTROSPECTION_AUTH),
        cache_seconds=take(raw, written, table.INTROSPECTION_CACHE),
    )


def revocation(raw: RawSettings, package_root: str | PathLike[str], keys: KeySettings) -> RevocationSettings | None:
    """Read where the revocation list is and how it ages; ``None`` if there is none."""
    location = take(raw, raw.document, table.REVOKED)
    ttl, max_stale = take(raw, raw.document, table.REVOKED_TTL), take(raw, raw.document, table.REVOKED_MAX_STALE)
    if location is None:
        return None
    try:
        if location.startswith(("https:", "http:")):
            parse_address(location, allow_http=keys.allow_http)
        else:
            document_reader(location, timeout=_DOCUMENT_TIMEOUT, package_root=package_root)
    except ValueError as error:
        raw.problem(
            table.REVOKED.variable, f"expected https://…, s3://bucket/key, ssm:/name or file:PATH; it is {error}"
        )
    return RevocationSettings(location, Ages(ttl, max_stale, keys.ages.cooldown))


def log_settings(raw: RawSettings) -> LogSettings:
    """Read what the log line shows of allowed requests and of principals."""
    principal = take(raw, raw.document, table.LOG_PRINCIPAL)
    return LogSettings(
        allowed=take(raw, raw.document, table.LOG_ALLOWED),
        principal=principal,
        principal_key=_principal_key(raw) if principal is LogPrincipal.HASH else b"",
    )


def _principal_key(raw: RawSettings) -> bytes:
    """Read the key that principals are hashed with. It is never shown, however short."""
    written = take(raw, raw.document, table.LOG_PRINCIPAL_KEY)
    if written is None:
        if table.LOG_PRINCIPAL_KEY.name not in raw.document:
            message = "is required with JWT_LOG_PRINCIPAL=hash: ssm:/name, secretsmanager:NAME, or the key itself"
            raw.problem(table.LOG_PRINCIPAL_KEY.variable, message)
        return b""
    key = b""
    with raw.collecting(table.LOG_PRINCIPAL_KEY.variable):
        is_stored = written.startswith(("ssm:", "secretsmanager:"))
        key = secret_reader(written, timeout=_DOCUMENT_TIMEOUT)() if is_stored else written.encode()
        if len(key) < _SHORTEST_KEY:
            raise ValueError(f"a key needs at least {_SHORTEST_KEY} characters, so that nobody can try them all")
    return key


def check_tenants(  # noqa: PLR0913, PLR0917 - what has to fit together
    raw: RawSettings,
    about: RawIssuer,
    issuer: str,
    jwks: tuple[str, ...],
    tenants: tuple[str, ...] | str | None,
    package_root: str | PathLike[str],
) -> None:
    """Check that ``{tenant}`` is where it can be, and that the settings about tenants come with it."""
    if PLACEHOLDER not in issuer:
        _check_no_tenants(raw, about, jwks)
        return
    from jwt_authorizer.issuers.tenants import (  # noqa: PLC0415 - only settings with tenants need it
        is_in_host,
        placeholder_problem,
    )

    if problem := placeholder_problem(issuer, any_tenant=tenants == "any"):
        raw.problem(about.label(table.ISSUER), problem, issuer)
    elif isinstance(tenants, tuple) and is_in_host(issuer) and any("." in tenant for tenant in tenants):
        raw.problem(about.label(table.TENANTS), "has a tenant with a dot, which is not one label of a host")
    if len({PLACEHOLDER in location for location in jwks}) > 1:
        raw.problem(about.label(table.JWKS), "has {tenant} in some of its sources: write it into all of them, or none")
    if table.INTROSPECTION.name in about.written:
        raw.problem(
            about.label(table.INTROSPECTION), "needs an issuer without {tenant}: a token that is not a JWT names none"
        )
    if table.TENANTS.name not in about.written:
        raw.problem(about.label(table.TENANTS), "is required with {tenant} in the issuer: the tenants that may call")
    elif isinstance(tenants, str) and tenants != "any":
        with raw.collecting(about.label(table.TENANTS), tenants, is_location=True):
            document_reader(tenants, timeout=_DOCUMENT_TIMEOUT, package_root=package_root)


def _check_no_tenants(raw: RawSettings, about: RawIssuer, jwks: tuple[str, ...]) -> None:
    for setting in (table.TENANTS, table.TENANT_CLAIM):
        if setting.name in about.written:
            raw.problem(about.label(setting), "needs {tenant} in the issuer, where the tenant stands in iss")
    if any(PLACEHOLDER in location for location in jwks):
        raw.problem(about.label(table.JWKS), "has {tenant}, and the issuer has not: there is nothing to put in")
