"""Read the value of every setting, and check settings that depend on each other. See the package's docstring."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jwt_authorizer.answers import AnswerSettings, CachedBy
from jwt_authorizer.contexts import Challenge
from jwt_authorizer.errors import SettingsError, shown
from jwt_authorizer.issuers.address import parse_address
from jwt_authorizer.issuers.cached_value import Ages
from jwt_authorizer.issuers.documents import document_reader, secret_reader
from jwt_authorizer.rules import Field, Rules, compile_rules, parse_fields, parse_routes
from jwt_authorizer.settings import table
from jwt_authorizer.settings.issuers import issuer_settings
from jwt_authorizer.settings.model import (
    BoundTokenSettings,
    IssuerSettings,
    KeySettings,
    LogPrincipal,
    LogSettings,
    RevocationSettings,
    Settings,
)
from jwt_authorizer.settings.raw import DOCUMENT_TIMEOUT, Problems, RawSettings, Section, read_raw

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from os import PathLike

_SHORTEST_KEY = 16


def load_settings(environment: Mapping[str, str], package_root: str | PathLike[str]) -> Settings:
    """Read all settings. ``package_root`` is the folder that ``file:`` paths are relative to.

    Raises :class:`SettingsError` with every problem at once.
    """
    raw = read_raw(environment, package_root)
    document = raw.document
    allow_http, cached_by = document.read(table.ALLOW_HTTP), document.read(table.CACHED_BY)
    issuers = tuple(issuer_settings(section, package_root, allow_http=allow_http) for section in raw.issuers)
    _check_together(raw.problems, issuers)
    keys = KeySettings(
        Ages(document.read(table.JWKS_TTL), document.read(table.JWKS_MAX_STALE), document.read(table.JWKS_COOLDOWN)),
        timeout=document.read(table.HTTP_TIMEOUT),
        allow_http=allow_http,
    )
    bound = _bound_tokens(document, cached_by, allow_http=allow_http)
    revoked = _revocation(document, package_root, keys)
    names = frozenset(issuer.issuer for issuer in issuers)
    answers = AnswerSettings(
        context_claims=document.read(table.CONTEXT_CLAIMS),
        usage_key_claim=document.read(table.USAGE_KEY_CLAIM),
        cached_by=cached_by,
        end_with_token=document.read(table.END_WITH_TOKEN),
        http_api_response=document.read(table.HTTP_API_RESPONSE),
        http_api_reject=document.read(table.HTTP_API_REJECT),
        challenge=_challenge(document, bound, issuers),
        fields=_fields(raw, names),
        appsync_ttl=_appsync_ttl(cached_by, issuers, revoked),
    )
    settings = Settings(
        issuers=issuers,
        rules=_rules(raw, names),
        token_sources=document.read(table.TOKEN_SOURCE),
        answers=answers,
        keys=keys,
        bound_tokens=bound,
        token_cache_size=document.read(table.TOKEN_CACHE_SIZE),
        log=_log_settings(document),
        revocation=revoked,
        hook=document.read(table.HOOK),
    )
    if raw.problems:
        raise SettingsError(tuple(raw.problems))
    return settings


def _check_together(problems: Problems, issuers: Sequence[IssuerSettings]) -> None:
    names = [issuer.issuer for issuer in issuers]
    for name in sorted({name for name in names if name and names.count(name) > 1}):
        problems.add("issuers", "this issuer is listed twice: merge its two tables into one", name)
    if sum(issuer.introspection is not None for issuer in issuers) > 1:
        message = "a token that is not a JWT does not say who issued it, so only one issuer can have introspection"
        problems.add("issuers", message)


def _bound_tokens(document: Section, cached_by: CachedBy, *, allow_http: bool) -> BoundTokenSettings:
    """Read the settings of bound tokens, and reject combinations that would make their check pointless."""
    settings = BoundTokenSettings(
        kinds=frozenset(document.read(table.BOUND_TOKENS)),
        required=document.read(table.REQUIRE_BOUND_TOKENS),
        dpop_urls=document.read(table.DPOP_URLS),
        dpop_max_age=document.read(table.DPOP_MAX_AGE),
        dpop_replay=document.read(table.DPOP_REPLAY),
    )
    if settings.checked and cached_by is not CachedBy.NOTHING:
        document.problem(
            table.BOUND_TOKENS,
            "needs JWT_CACHED_BY=nothing, and a TTL of 0 on the API: a cached answer is replayed without the check",
            ",".join(sorted(settings.checked)),
        )
    if settings.required and not settings.checked:
        document.problem(
            table.REQUIRE_BOUND_TOKENS,
            "needs JWT_BOUND_TOKENS=dpop or mtls: without a binding that is checked no token would be accepted",
        )
    for url in settings.dpop_urls:
        try:
            problem = "a URL here has no query" if parse_address(url, allow_http=allow_http).query else None
        except ValueError as error:
            problem = f"this is {error}"
        if problem is not None:
            document.problem(table.DPOP_URLS, problem, url)
    return settings


def _challenge(document: Section, bound: BoundTokenSettings, issuers: Sequence[IssuerSettings]) -> Challenge:
    """Read the parameters of the challenge of a 401, with those for DPoP if proofs are checked."""
    metadata = document.read(table.RESOURCE_METADATA)
    if "dpop" not in bound.checked:
        return Challenge(metadata)
    algorithms = sorted(frozenset[str]().union(*(issuer.algorithms for issuer in issuers)))
    return Challenge(metadata, " ".join(algorithms), dpop_only=bound.required and bound.checked == {"dpop"})


def _revocation(document: Section, package_root: str | PathLike[str], keys: KeySettings) -> RevocationSettings | None:
    """Read the location and the TTL of the revocation list; ``None`` if there is none."""
    location, ttl = document.read(table.REVOKED), document.read(table.REVOKED_TTL)
    max_stale = document.read(table.REVOKED_MAX_STALE)
    if location is None:
        return None
    try:
        if location.startswith(("https:", "http:")):
            parse_address(location, allow_http=keys.allow_http)
        else:
            document_reader(location, timeout=DOCUMENT_TIMEOUT, package_root=package_root)
    except ValueError as error:
        wrong = f"expected https://…, s3://bucket/key, ssm:/name or file:PATH: {error}"
        document.problem(table.REVOKED, wrong, location)
    return RevocationSettings(location, Ages(ttl, max_stale, keys.ages.cooldown))


def _log_settings(document: Section) -> LogSettings:
    """Read what the log line shows of allowed requests and of principals."""
    principal = document.read(table.LOG_PRINCIPAL)
    return LogSettings(
        allowed=document.read(table.LOG_ALLOWED),
        principal=principal,
        principal_key=_principal_key(document) if principal is LogPrincipal.HASH else b"",
    )


def _principal_key(document: Section) -> bytes:
    """Read the key that principals are hashed with. It is never shown, however short."""
    written = document.read(table.LOG_PRINCIPAL_KEY)
    if written is None:
        if table.LOG_PRINCIPAL_KEY not in document:
            message = "is required with JWT_LOG_PRINCIPAL=hash: ssm:/name, secretsmanager:NAME, or the key itself"
            document.problem(table.LOG_PRINCIPAL_KEY, message)
        return b""
    key = b""
    with document.collecting(table.LOG_PRINCIPAL_KEY):
        is_stored = written.startswith(("ssm:", "secretsmanager:"))
        key = secret_reader(written, timeout=DOCUMENT_TIMEOUT)() if is_stored else written.encode()
        if len(key) < _SHORTEST_KEY:
            raise ValueError(f"a key needs at least {_SHORTEST_KEY} characters, so that nobody can try them all")
    return key


def _appsync_ttl(cached_by: CachedBy, issuers: Sequence[IssuerSettings], revoked: RevocationSettings | None) -> float:
    """Return the seconds for which AppSync may cache an answer: no longer than what it is based on is cached here."""
    if cached_by is CachedBy.NOTHING:
        return 0.0
    asked = [issuer.introspection.cache_seconds for issuer in issuers if issuer.introspection is not None]
    return min([3600.0, *asked] + ([] if revoked is None else [revoked.ages.ttl]))


def _fields(raw: RawSettings, issuers: frozenset[str]) -> tuple[Field, ...]:
    if "fields" not in raw.tables:
        return ()
    fields = parse_fields(raw.tables["fields"], raw.problems.add)
    for field in fields:
        _check_known(raw.problems, f"fields ({field.name})", field.requirement.issuers - issuers)
    return fields


def _rules(raw: RawSettings, issuers: frozenset[str]) -> Rules:
    unlisted = raw.tables.get("unlisted_routes", "deny")
    if unlisted not in ("deny", "absent"):
        raw.problems.add("unlisted_routes", "expected deny or absent", unlisted)
    if "routes" not in raw.tables:
        if "unlisted_routes" in raw.tables:
            raw.problems.add("unlisted_routes", "needs [[routes]] that are listed")
        return compile_rules(None)
    routes = parse_routes(raw.tables["routes"], raw.problems.add)
    for route in routes:
        _check_known(raw.problems, f"routes ({shown(route.path)})", route.issuers - issuers)
    # What was read of wrong routes need not have the types of a route: it may not even be hashable.
    return compile_rules(None if raw.problems else routes, absent=unlisted == "absent")


def _check_known(problems: Problems, label: str, unknown: frozenset[str]) -> None:
    for issuer in sorted(unknown):
        problems.add(label, "its issuers name one that no [[issuers]] table has", issuer)
