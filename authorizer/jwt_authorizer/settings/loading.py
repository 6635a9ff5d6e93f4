"""Read every setting's value and check what holds between them; see the package's own page."""

from __future__ import annotations

import json
from contextlib import suppress
from hashlib import sha256
from typing import TYPE_CHECKING

from jwt_authorizer.answers import AnswerSettings, CachedBy
from jwt_authorizer.claims import ClaimRules
from jwt_authorizer.errors import SettingsError, shown
from jwt_authorizer.issuers.documents import document_reader
from jwt_authorizer.issuers.kept import Ages
from jwt_authorizer.issuers.sources import check_discoverable, key_fetcher
from jwt_authorizer.records import replace
from jwt_authorizer.rules import compile_rules, parse_fields, parse_routes
from jwt_authorizer.settings import table
from jwt_authorizer.settings.features import (
    PLACEHOLDER,
    bound_tokens,
    challenge,
    check_tenants,
    introspection,
    log_settings,
    revocation,
)
from jwt_authorizer.settings.model import IssuerSettings, KeySettings, RevocationSettings, Settings
from jwt_authorizer.settings.raw import RawIssuer, RawSettings, read_raw, take

if TYPE_CHECKING:
    from collections.abc import Mapping
    from os import PathLike

    from jwt_authorizer.rules import Field, Rules

_DOCUMENT_TIMEOUT = 5.0
"""Seconds that S3, Parameter Store or Secrets Manager may take at start-up."""


def load_settings(environment: Mapping[str, str], package_root: str | PathLike[str]) -> Settings:
    """Read all settings. ``package_root`` is the folder that ``file:`` paths are relative to.

    Raises :class:`SettingsError` with every problem at once.
    """
    raw = read_raw(environment, lambda config: _document(config, package_root))
    allow_http = take(raw, raw.document, table.ALLOW_HTTP)
    issuers = [_issuer(raw, issuer, package_root, allow_http=allow_http) for issuer in raw.issuers]
    _check_distinct(raw, issuers)
    answers = AnswerSettings(
        context_claims=take(raw, raw.document, table.CONTEXT_CLAIMS),
        usage_key_claim=take(raw, raw.document, table.USAGE_KEY_CLAIM),
        cached_by=take(raw, raw.document, table.CACHED_BY),
        end_with_token=take(raw, raw.document, table.END_WITH_TOKEN),
        http_api_response=take(raw, raw.document, table.HTTP_API_RESPONSE),
        http_api_reject=take(raw, raw.document, table.HTTP_API_REJECT),
    )
    keys = KeySettings(
        Ages(
            take(raw, raw.document, table.JWKS_TTL),
            take(raw, raw.document, table.JWKS_MAX_STALE),
            take(raw, raw.document, table.JWKS_COOLDOWN),
        ),
        timeout=take(raw, raw.document, table.HTTP_TIMEOUT),
        allow_http=allow_http,
    )
    bound = bound_tokens(raw, answers.cached_by, allow_http=allow_http)
    token_sources = take(raw, raw.document, table.TOKEN_SOURCE)
    token_cache_size = take(raw, raw.document, table.TOKEN_CACHE_SIZE)
    log = log_settings(raw)
    revoked = revocation(raw, package_root, keys)
    _check_one_is_asked(raw, issuers)
    hook = take(raw, raw.document, table.HOOK)
    names = frozenset(issuer.issuer for issuer in issuers)
    rules = _rules(raw, names)
    answers = replace(
        answers,
        challenge=challenge(raw, bound, issuers),
        fields=_fields(raw, names),
        appsync_ttl=_appsync_ttl(answers.cached_by, issuers, revoked),
    )
    if raw.problems:
        raise SettingsError(tuple(raw.problems))
    return Settings(tuple(issuers), rules, token_sources, answers, keys, bound, token_cache_size, log, revoked, hook)


def _appsync_ttl(cached_by: CachedBy, issuers: list[IssuerSettings], revoked: RevocationSettings | None) -> float:
    """Return the longest time in seconds that AppSync may keep an answer: no longer than what the answer rests on."""
    if cached_by is CachedBy.NOTHING:
        return 0.0
    asked = [issuer.introspection.cache_seconds for issuer in issuers if issuer.introspection is not None]
    return min([3600.0, *asked] + ([] if revoked is None else [revoked.ages.ttl]))


def _document(config: str, package_root: str | PathLike[str]) -> str | dict[str, object]:
    """Return the text that ``JWT_CONFIG`` names, or is; parsed, where the package's build has done that.

    A build adds ``X.toml.parsed`` to ``X.toml``: the digest of the text that it parsed, and JSON. Importing tomllib and
    parsing 300 routes takes a fifth of start-up. Raises :class:`ValueError` and :class:`FetchError`.
    """
    if not config.startswith(("file:", "ssm:", "s3:")):
        if config.startswith(("https:", "http:")) or not any(character in config for character in "\n=[#"):
            raise ValueError("neither TOML nor its location: file:PATH (in the package), ssm:/name or s3://bucket/key")
        return config
    text = document_reader(config, timeout=_DOCUMENT_TIMEOUT, package_root=package_root)()
    if config.startswith("file:"):
        with suppress(ValueError):
            parsed = document_reader(f"{config}.parsed", timeout=_DOCUMENT_TIMEOUT, package_root=package_root)()
            digest, _, document = parsed.partition(b"\n")
            if digest.decode() == sha256(text).hexdigest():
                return dict(json.loads(document))
    return text.decode("utf-8")


def _issuer(
    raw: RawSettings, about: RawIssuer, package_root: str | PathLike[str], *, allow_http: bool
) -> IssuerSettings:
    written = about.written
    issuer = take(raw, written, table.ISSUER)
    jwks = take(raw, written, table.JWKS)
    if table.ISSUER.name not in written:
        message = "is required: the exact iss of your tokens, such as https://myapp.authgear.cloud"
        raw.problem(about.label(table.ISSUER), message)
    elif issuer is not None and not jwks:
        with raw.collecting(about.label(table.ISSUER), issuer):
            check_discoverable(issuer.replace(PLACEHOLDER, "tenant"), allow_http=allow_http)
    tenants = take(raw, written, table.TENANTS)
    tenant_claim = take(raw, written, table.TENANT_CLAIM)
    check_tenants(raw, about, issuer or "", jwks, tenants, package_root)
    for location in jwks:
        url = location.replace(PLACEHOLDER, "tenant") if location.startswith(("https:", "http:")) else location
        with raw.collecting(about.label(table.JWKS), location, is_location=True):
            key_fetcher("", url, allow_http=allow_http, timeout=0, package_root=package_root)
    audience = frozenset(take(raw, written, table.AUDIENCE))
    client_id = frozenset(take(raw, written, table.CLIENT_ID))
    named = [setting for setting in (table.AUDIENCE, table.CLIENT_ID) if setting.name in written]
    any_audience = take(raw, written, table.ANY_AUDIENCE)
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
    asks = any(name.startswith("introspect") for name in written)
    return IssuerSettings(
        issuer=issuer or "",
        jwks=jwks,
        algorithms=take(raw, written, table.ALGORITHMS),
        token_types=take(raw, written, table.TOKEN_TYPES),
        claim_rules=ClaimRules(
            audience=audience,
            client_id=client_id,
            leeway=take(raw, written, table.LEEWAY),
            max_lifetime=take(raw, written, table.MAX_LIFETIME),
            required_claims=take(raw, written, table.REQUIRED_CLAIMS),
            required_scopes=take(raw, written, table.REQUIRED_SCOPES),
            scope_claims=take(raw, written, table.SCOPE_CLAIMS),
            principal_claims=take(raw, written, table.PRINCIPAL_CLAIM),
        ),
        introspection=introspection(raw, about, issuer, allow_http=allow_http) if asks else None,
        tenants=tenants,
        tenant_claim=tenant_claim,
    )


def _check_one_is_asked(raw: RawSettings, issuers: list[IssuerSettings]) -> None:
    asked = [issuer.issuer for issuer in issuers if issuer.introspection is not None]
    if len(asked) > 1:
        message = "a token that is not a JWT does not say who issued it, so only one issuer can have introspection"
        raw.problem("issuers", message)


def _check_distinct(raw: RawSettings, issuers: list[IssuerSettings]) -> None:
    names = [issuer.issuer for issuer in issuers]
    for name in sorted({name for name in names if name and names.count(name) > 1}):
        raw.problem("issuers", "this issuer is listed twice: merge its two tables into one", name)


def _fields(raw: RawSettings, issuers: frozenset[str]) -> tuple[Field, ...]:
    if raw.fields is None:
        return ()
    fields = parse_fields(raw.fields.value, raw.problem)
    for field in fields:
        _check_known(raw, f"fields ({field.name})", field.requirement.issuers - issuers)
    return fields


def _check_known(raw: RawSettings, label: str, unknown: frozenset[str]) -> None:
    for issuer in sorted(unknown):
        raw.problem(label, "its issuers name one that no [[issuers]] table has", issuer)


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
        _check_known(raw, f"routes ({shown(route.path)})", route.issuers - issuers)
    # What was read of wrong routes need not have the types of a route: it may not even be hashable.
    return compile_rules(None if raw.problems else routes, absent=unlisted == "absent")
