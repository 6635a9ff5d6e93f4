"""Check whether API Gateway's own JWT authorizers could replace the function, and write the CloudFormation for it.

API Gateway developer guide: "Control access to HTTP APIs with JWT authorizers", "Control access to REST APIs using JWT
authorizers"; API reference: JwtConfiguration, JwtAdditionalClaim.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from jwt_authorizer.settings import table
from jwt_authorizer.tokens import TokenLocation
from jwt_authorizer_devkit.doctoring.findings import Finding, Level

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from jwt_authorizer.settings import Settings
    from jwt_authorizer.settings.raw import RawSettings, Section

_HTTP, _REST = "HTTP", "REST"
KINDS = (_HTTP, _REST)
"""Kinds of APIs for which API Gateway has a JWT authorizer."""
_ALGORITHMS = {
    _HTTP: ("RS256", "RS384", "RS512"),
    _REST: ("RS256", "RS384", "RS512", "ES256", "ES384", "ES512"),
}
_CHECKED_ANYWAY = frozenset({"iss", "aud", "exp", "nbf", "iat", "scope", "scp"})
"""Claims that a REST API's authorizer does not take as additional ones."""
_EXPRESSED = {
    _HTTP: (table.ISSUER, table.AUDIENCE, table.CLIENT_ID, table.ALGORITHMS, table.REQUIRED_SCOPES, table.TOKEN_SOURCE),
    _REST: (
        *(table.ISSUER, table.AUDIENCE, table.CLIENT_ID, table.ALGORITHMS, table.REQUIRED_SCOPES, table.TOKEN_SOURCE),
        table.REQUIRED_CLAIMS,
    ),
}
_OF_A_FUNCTION = (
    *(table.CONTEXT_CLAIMS, table.LEEWAY, table.CACHED_BY, table.END_WITH_TOKEN, table.HTTP_API_RESPONSE),
    *(table.HTTP_API_REJECT, table.JWKS_TTL, table.JWKS_MAX_STALE, table.JWKS_COOLDOWN, table.HTTP_TIMEOUT),
    *(table.TOKEN_CACHE_SIZE, table.LOG_ALLOWED, table.LOG_PRINCIPAL, table.LOG_PRINCIPAL_KEY, table.CONFIG),
)
"""Settings that have no meaning, or are not missed, without a function."""
_GAINED = "Gained: no function to deploy and to update, no cold starts, no cached answers."
_LOST = (
    "Lost: the log line that says why a token is rejected, keys that are used in an outage of the issuer for as long "
    "as you set, a leeway, and the context (the backend finds the claims elsewhere)."
)


def examine_need(settings: Settings, raw: RawSettings, kinds: Iterable[str] = KINDS) -> Iterator[Finding]:
    """Report for which kinds of APIs the settings do not need a function.

    Args:
        settings: The settings.
        raw: The same settings as written, without defaults.
        kinds: Of ``HTTP``, ``REST`` and ``WEBSOCKET``. WebSocket APIs have no such authorizer.

    """
    for kind in KINDS:
        if kind in kinds and not any(True for _ in _missing(kind, settings, raw)):
            said = (
                f"API Gateway's own JWT authorizer could do this for {kind} APIs, if your issuer signs with "
                f"one of {', '.join(_algorithms(kind, settings))}. {_GAINED} {_LOST}"
            )
            yield Finding("need", Level.NOTE, said, _template(kind, settings, raw))


def _missing(kind: str, settings: Settings, raw: RawSettings) -> Iterator[str]:
    """Yield what API Gateway's own authorizer cannot do."""
    expressed = {setting.name for setting in (*_EXPRESSED[kind], *_OF_A_FUNCTION)}
    written = {*raw.document.written, *(name for issuer in raw.issuers for name in issuer.written)}
    yield from sorted(written - expressed)
    if kind == _HTTP and len(settings.issuers) > 1:
        yield "several issuers for one route"
    if not _algorithms(kind, settings):
        yield "these algorithms"
    locations = [source.location for source in settings.token_sources]
    if locations != [TokenLocation.HEADER] and (kind, locations) != (_HTTP, [TokenLocation.QUERY]):
        yield "these locations of a token"
    if settings.rules.connect is not None:
        yield "a WebSocket API"
    if settings.answers.fields:
        yield "fields of AppSync"
    if any(requirement.claims or requirement.issuers for requirement in settings.rules.requirements):
        yield "claims or issuers of a route"
    if None in _scopes_of_routes(settings).values():
        yield "more than one of several scopes"
    yield from _missing_of_issuers(kind, settings, raw)


def _missing_of_issuers(kind: str, settings: Settings, raw: RawSettings) -> Iterator[str]:
    for issuer, about in zip(settings.issuers, raw.issuers, strict=True):
        rules = issuer.claim_rules
        if rules.client_id and (kind == _REST or rules.audience or [] in _scopes_of_routes(settings).values()):
            # An HTTP API also accepts a client id in aud, which is an ID token: only required scopes reject those.
            yield "clients"
        if rules.required_scopes and len(settings.issuers) > 1:
            yield "scopes by issuer"
        for name, value in _required_claims(about).items():
            if not isinstance(value, str) or not value or name in _CHECKED_ANYWAY or name.startswith("/"):
                yield f"the claim {name}"


def _algorithms(kind: str, settings: Settings) -> list[str]:
    accepted = frozenset.intersection(*(issuer.algorithms for issuer in settings.issuers))
    return [name for name in _ALGORITHMS[kind] if name in accepted]


def _required_claims(about: Section) -> Mapping[str, object]:
    written = about.written.get(table.REQUIRED_CLAIMS.name)
    if written is None:
        return {}
    value = json.loads(written.value) if isinstance(written.value, str) else written.value
    return value if isinstance(value, dict) else {}


def _scopes_of_routes(settings: Settings) -> Mapping[str, list[str] | None]:
    """Return for each route the scopes, one of which is enough; ``None`` if it needs more than one."""
    rules, always = settings.rules, {name for it in settings.issuers for name in it.claim_rules.required_scopes}
    asked = {"Each route": ((), ())} if not rules.configured else {
        resource.route(method): (rules.requirements[number].scopes, rules.requirements[number].any_scopes)
        for resource in rules.resources
        for method, number in resource.methods.items()
    }  # fmt: skip
    found: dict[str, list[str] | None] = {}
    for route, (scopes, any_scopes) in asked.items():
        all_of = always | set(scopes)
        found[route] = None if len(all_of) + bool(any_scopes) > 1 else sorted(all_of) or list(any_scopes)
    return found


def _template(kind: str, settings: Settings, raw: RawSettings) -> str:
    """Return the authorizer's resource, with the scopes that each route needs as comments."""
    (source,) = settings.token_sources
    if kind == _HTTP:
        (issuer,) = settings.issuers
        audience = sorted(issuer.claim_rules.audience or issuer.claim_rules.client_id)
        location = "querystring" if source.location is TokenLocation.QUERY else "header"
        lines = [
            "JwtAuthorizer:",
            "  Type: AWS::ApiGatewayV2::Authorizer",
            "  Properties:",
            "    ApiId: !Ref HttpApi",
            "    Name: jwt",
            "    AuthorizerType: JWT",
            f"    IdentitySource: [{json.dumps(f'$request.{location}.{source.name}')}]",
            f"    JwtConfiguration: {{Issuer: {json.dumps(issuer.issuer)}, Audience: {json.dumps(audience)}}}",
        ]
    else:
        lines = [
            "JwtAuthorizer:",
            "  Type: AWS::ApiGateway::Authorizer",
            "  Properties:",
            "    RestApiId: !Ref RestApi",
            "    Name: jwt",
            "    Type: JWT",
            f"    IdentitySource: {json.dumps(f'method.request.header.{source.name}')}",
            "    JwtConfiguration:",
            f"      DefaultAlgorithms: {json.dumps(_algorithms(kind, settings))}",
            "      Issuers:",
            *(f"        - {json.dumps(issuer)}" for issuer in _issuers(settings, raw)),
        ]
    scopes = [
        f"# {route}: AuthorizationScopes: {json.dumps(some)}"
        for route, some in _scopes_of_routes(settings).items()
        if some
    ]
    return "\n".join([*lines, *scopes])


def _issuers(settings: Settings, raw: RawSettings) -> Iterator[dict[str, object]]:
    for issuer, about in zip(settings.issuers, raw.issuers, strict=True):
        additional = [
            {"ClaimName": name, "Format": "SINGLE_STRING", "Required": True, "ExpectedValues": [value]}
            for name, value in _required_claims(about).items()
        ]
        claims = {"AdditionalClaims": additional} if additional else {}
        yield {"Issuer": issuer.issuer, "Audiences": sorted(issuer.claim_rules.audience), **claims}
