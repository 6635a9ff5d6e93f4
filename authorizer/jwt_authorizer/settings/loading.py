"""Read every setting's value and check what holds between them; see the package's own page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jwt_authorizer.answers import AnswerSettings, CachedBy
from jwt_authorizer.claims import ClaimRules
from jwt_authorizer.errors import SettingsError, shown
from jwt_authorizer.issuers import FetchError, document_reader, secret_reader, validate_discovery, validate_jwks_setting
from jwt_authorizer.issuers.address import parse_address
from jwt_authorizer.rules import compile_rules, parse_routes
from jwt_authorizer.settings import table
from jwt_authorizer.settings.model import (
    BoundTokenSettings,
    IssuerSettings,
    KeySettings,
    LogPrincipal,
    LogSettings,
    Settings,
)
from jwt_authorizer.settings.raw import RawIssuer, RawSettings, Written, read_raw

if TYPE_CHECKING:
    from collections.abc import Mapping
    from os import PathLike

    from jwt_authorizer.rules import Rules
    from jwt_authorizer.settings.table import Setting

_DOCUMENT_TIMEOUT = 5.0
"""Seconds that S3, Parameter Store or Secrets Manager may take at start-up."""
_SHORTEST_KEY = 16
_LOCATIONS = (table.JWKS, table.LOG_PRINCIPAL_KEY)


def load_settings(environment: Mapping[str, str], package_root: str | PathLike[str]) -> Settings:
    """Read all settings. ``package_root`` is the folder that ``file:`` paths are relative to.

    Raises :class:`SettingsError` with every problem at once.
    """
    raw = read_raw(environment, lambda config: _document(config, package_root))
    allow_http = _take(raw, raw.document, table.ALLOW_HTTP)
    issuers = [_issuer(raw, issuer, package_root, allow_http=allow_http) for issuer in raw.issuers]
    _check_distinct(raw, issuers)
    answers = AnswerSettings(
        context_claims=_take(raw, raw.document, table.CONTEXT_CLAIMS),
        usage_key_claim=_take(raw, raw.document, table.USAGE_KEY_CLAIM),
        cached_by=_take(raw, raw.document, table.CACHED_BY),
        end_with_token=_take(raw, raw.document, table.END_WITH_TOKEN),
        http_api_response=_take(raw, raw.document, table.HTTP_API_RESPONSE),
        http_api_reject=_take(raw, raw.document, table.HTTP_API_REJECT),
    )
    keys = KeySettings(
        ttl=_take(raw, raw.document, table.JWKS_TTL),
        max_stale=_take(raw, raw.document, table.JWKS_MAX_STALE),
        cooldown=_take(raw, raw.document, table.JWKS_COOLDOWN),
        timeout=_take(raw, raw.document, table.HTTP_TIMEOUT),
        allow_http=allow_http,
    )
    bound_tokens = _bound_tokens(raw, answers.cached_by, allow_http=allow_http)
    token_sources = _take(raw, raw.document, table.TOKEN_SOURCE)
    token_cache_size = _take(raw, raw.document, table.TOKEN_CACHE_SIZE)
    log_principal = _take(raw, raw.document, table.LOG_PRINCIPAL)
    log = LogSettings(
        allowed=_take(raw, raw.document, table.LOG_ALLOWED),
        principal=log_principal,
        principal_key=_principal_key(raw) if log_principal is LogPrincipal.HASH else b"",
    )
    rules = _rules(raw, frozenset(issuer.issuer for issuer in issuers))
    if raw.problems:
        raise SettingsError(tuple(raw.problems))
    return Settings(tuple(issuers), rules, token_sources, answers, keys, bound_tokens, token_cache_size, log)


def _bound_tokens(raw: RawSettings, cached_by: CachedBy, *, allow_http: bool) -> BoundTokenSettings:
    """Read how bound tokens are treated, and refuse what would make a check pointless."""
    written = raw.document
    settings = BoundTokenSettings(
        kinds=frozenset(_take(raw, written, table.BOUND_TOKENS)),
        required=_take(raw, written, table.REQUIRE_BOUND_TOKENS),
        dpop_urls=_take(raw, written, table.DPOP_URLS),
        dpop_max_age=_take(raw, written, table.DPOP_MAX_AGE),
        dpop_replay=_take(raw, written, table.DPOP_REPLAY),
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


def _document(config: str, package_root: str | PathLike[str]) -> str:
    """Return the text that ``JWT_CONFIG`` names, or is. Raises :class:`ValueError`."""
    if not config.startswith(("file:", "ssm:", "s3:")):
        if config.startswith(("https:", "http:")) or not any(character in config for character in "\n=[#"):
            message = "neither TOML nor its location: file:PATH (in the package), ssm:/name or s3://bucket/key"
            raise ValueError(message)
        return config
    try:
        return document_reader(config, timeout=_DOCUMENT_TIMEOUT, package_root=package_root)().decode("utf-8")
    except FetchError as error:
        raise ValueError(str(error)) from error


def _principal_key(raw: RawSettings) -> bytes:
    """Read the key that principals are hashed with. It is never shown, however short."""
    written = _take(raw, raw.document, table.LOG_PRINCIPAL_KEY)
    if written is None:
        if table.LOG_PRINCIPAL_KEY.name not in raw.document:
            message = "is required with JWT_LOG_PRINCIPAL=hash: ssm:/name, secretsmanager:NAME, or the key itself"
            raw.problem(table.LOG_PRINCIPAL_KEY.variable, message)
        return b""
    try:
        is_stored = written.startswith(("ssm:", "secretsmanager:"))
        key = secret_reader(written, timeout=_DOCUMENT_TIMEOUT)() if is_stored else written.encode()
        if len(key) < _SHORTEST_KEY:
            message = f"a key needs at least {_SHORTEST_KEY} characters, so that nobody can try them all"
            raise ValueError(message)  # noqa: TRY301 - joins the other problems
    except (ValueError, FetchError) as error:
        raw.problem(table.LOG_PRINCIPAL_KEY.variable, str(error))
        return b""
    return key


def _take[T, D](raw: RawSettings, written: Mapping[str, Written], setting: Setting[T, D]) -> T | D:
    """Read one setting; where its value is wrong, note the problem and go on with the default."""
    if setting.name not in written:
        return setting.default
    entry = written[setting.name]
    try:
        return setting.read(entry.value)
    except ValueError as error:
        raw.problem(entry.label, str(error), entry.value, is_location=setting in _LOCATIONS)
        return setting.default


def _issuer(
    raw: RawSettings, about: RawIssuer, package_root: str | PathLike[str], *, allow_http: bool
) -> IssuerSettings:
    written = about.written
    issuer = _take(raw, written, table.ISSUER)
    jwks = _take(raw, written, table.JWKS)
    if table.ISSUER.name not in written:
        message = "is required: the exact iss of your tokens, such as https://myapp.authgear.cloud"
        raw.problem(about.label(table.ISSUER), message)
    elif issuer is not None and "{tenant}" in issuer:
        tenants = "JWT_TENANTS" if about.table is None else f"{about.table}.tenants"
        raw.problem(tenants, "is required with {tenant} in the issuer: the tenants that may call")
    elif issuer is not None and not jwks:
        problem = validate_discovery(issuer, allow_http=allow_http)
        if problem is not None:
            raw.problem(about.label(table.ISSUER), problem, issuer)
    for location in jwks:
        problem = validate_jwks_setting(location, allow_http=allow_http, package_root=package_root)
        if problem is not None:
            raw.problem(about.label(table.JWKS), problem, location, is_location=True)
    audience = frozenset(_take(raw, written, table.AUDIENCE))
    client_id = frozenset(_take(raw, written, table.CLIENT_ID))
    named = [setting for setting in (table.AUDIENCE, table.CLIENT_ID) if setting.name in written]
    any_audience = _take(raw, written, table.ANY_AUDIENCE)
    if any_audience and named:
        raw.problem(
            about.label(table.ANY_AUDIENCE),
            f"accepts tokens for every API, and {about.label(named[0])} does not: keep one of them",
        )
    elif not any_audience and not named:
        raw.problem(
            about.label(table.AUDIENCE),
            "an audience or a client_id is required, or this API would accept the tokens of every other API of this "
            "issuer; only if the issuer serves no other API, set any_audience (JWT_ANY_AUDIENCE) to true",
        )
    return IssuerSettings(
        issuer=issuer or "",
        jwks=jwks,
        algorithms=_take(raw, written, table.ALGORITHMS),
        token_types=_take(raw, written, table.TOKEN_TYPES),
        claim_rules=ClaimRules(
            audience=audience,
            client_id=client_id,
            leeway=_take(raw, written, table.LEEWAY),
            max_lifetime=_take(raw, written, table.MAX_LIFETIME),
            required_claims=_take(raw, written, table.REQUIRED_CLAIMS),
            required_scopes=_take(raw, written, table.REQUIRED_SCOPES),
            scope_claims=_take(raw, written, table.SCOPE_CLAIMS),
            principal_claims=_take(raw, written, table.PRINCIPAL_CLAIM),
        ),
    )


def _check_distinct(raw: RawSettings, issuers: list[IssuerSettings]) -> None:
    names = [issuer.issuer for issuer in issuers]
    for name in sorted({name for name in names if name and names.count(name) > 1}):
        raw.problem("issuers", "this issuer is listed twice: merge its two tables into one", name)


def _rules(raw: RawSettings, issuers: frozenset[str]) -> Rules:
    unlisted = "deny"
    if raw.unlisted_routes is not None:
        if raw.unlisted_routes.value in ("deny", "absent"):
            unlisted = str(raw.unlisted_routes.value)
        else:
            raw.problem(raw.unlisted_routes.label, "expected deny or absent", raw.unlisted_routes.value)
        if raw.routes is None:
            raw.problem(raw.unlisted_routes.label, "needs [[routes]] that are listed")
    if raw.routes is None:
        return compile_rules(None)
    routes = parse_routes(raw.routes.value, raw.problem)
    for route in routes:
        for issuer in sorted(route.issuers - issuers):
            raw.problem(f"routes ({shown(route.path)})", "its issuers name one that no [[issuers]] table has", issuer)
    # What was read of wrong routes need not have the types of a route: it may not even be hashable.
    return compile_rules(None if raw.problems else routes, absent=unlisted == "absent")
