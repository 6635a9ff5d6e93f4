"""Check a deployed API's authorizer against the settings of its function, above all how answers are cached.

API Gateway developer guide: "Configure a Lambda authorizer" (identity sources, caching), "Control access to HTTP APIs
with AWS Lambda authorizers".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jwt_authorizer.answers import CachedBy, HttpApiResponse
from jwt_authorizer.tokens import TokenLocation
from jwt_authorizer_devkit.doctoring.apis import Kind
from jwt_authorizer_devkit.doctoring.findings import Finding, Level

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jwt_authorizer.settings import Settings
    from jwt_authorizer.tokens import TokenSource
    from jwt_authorizer_devkit.doctoring.apis import Api, Attached

_ROUTE_SOURCES = {
    Kind.REST: ("context.httpMethod", "context.resourcePath"),
    Kind.HTTP: ("$context.routeKey",),
    Kind.WEBSOCKET: (),
}
_PREFIX = {Kind.REST: "method.request.", Kind.HTTP: "$request.", Kind.WEBSOCKET: "route.request."}
_LONG = 900
_SOME = 5


def examine_routes(api: Api) -> Iterator[Finding]:
    """Check that an API has routes, and report those without an authorizer."""
    if not api.routes:
        said = f"{api.kind} API {api.api_id} has no routes, so its authorizer is never invoked."
        yield Finding("api", Level.PROBLEM, said, "Add its routes, or give the id of the API that has them.")
    elif not api.attached:
        yield Finding("api", Level.NOTE, f"{api.kind} API {api.api_id} has no Lambda authorizer.")
    elif api.open_routes:
        some = ", ".join(api.open_routes[:_SOME])
        more = f" and {len(api.open_routes) - _SOME} more" if len(api.open_routes) > _SOME else ""
        said = f"{api.kind} API {api.api_id}: anybody may call {some}{more}, without an authorizer."
        yield Finding("api", Level.NOTE, said, "Attach the authorizer, unless this is intended.")


def examine_attached(attached: Attached, settings: Settings) -> tuple[Finding, ...]:
    """Check one authorizer of an API against its function's settings."""
    found = [
        *_token_locations(attached, settings.token_sources),
        *_cache_key(attached, settings),
        *_response_kind(attached, settings),
        *_lifetime(attached, settings),
        *_bindings(attached, settings),
    ]
    if not any(finding.to_fix for finding in found):
        cached = f"cached for {attached.ttl} s" if attached.ttl else "not cached"
        sources = ", ".join(attached.sources) or "no identity source"
        found.insert(0, _finding(attached, Level.GOOD, f"matches the settings: {sources}; {cached}"))
    return tuple(found)


def _finding(attached: Attached, level: Level, said: str, fix: str | None = None) -> Finding:
    return Finding("api", level, f"{attached.kind} API {attached.api_id}, authorizer {attached.name}: {said}.", fix)


def _source(kind: Kind, source: TokenSource) -> str:
    """Return the identity source of this kind of API for a token's location."""
    match source.location:
        case TokenLocation.HEADER:
            return f"{_PREFIX[kind]}header.{source.name}"
        case TokenLocation.COOKIE:
            return f"{_PREFIX[kind]}header.Cookie"
        case TokenLocation.QUERY:
            return f"{_PREFIX[kind]}querystring.{source.name}"


def _token_locations(attached: Attached, token_sources: tuple[TokenSource, ...]) -> Iterator[Finding]:
    wanted = [_source(attached.kind, source) for source in token_sources]
    have = {source.lower() for source in attached.sources}
    there = [source for source in wanted if source.lower() in have]
    if not attached.request and not there:
        said = f"it passes on {', '.join(attached.sources)}, but the function reads {', '.join(wanted)}"
        name = attached.sources[0].rpartition(".")[2] if attached.sources else "NAME"
        yield _finding(attached, Level.PROBLEM, said, f"JWT_TOKEN_SOURCE=header:{name}")
    elif not there and attached.ttl:
        said = "its cache is not keyed by the token, so one caller gets another's answer"
        yield _finding(attached, Level.PROBLEM, said, _set_sources(attached, (wanted[0], *attached.sources)))
    elif not there and attached.sources:
        said = f"its identity sources are {', '.join(attached.sources)}, but the function reads {', '.join(wanted)}"
        # Keep sources that the client does not send, such as the route: they key the cache as well.
        kept = [source for source in attached.sources if not source.startswith(_PREFIX[attached.kind])]
        yield _finding(attached, Level.WARNING, said, _set_sources(attached, (wanted[0], *kept)))
    elif len(there) > 1:
        said = f"API Gateway requires every identity source: a request without {' and '.join(there)} gets a 401"
        superfluous = {source.lower() for source in there[1:]}
        kept = [source for source in attached.sources if source.lower() not in superfluous]
        yield _finding(attached, Level.WARNING, said, _set_sources(attached, tuple(kept)))


def _cache_key(attached: Attached, settings: Settings) -> Iterator[Finding]:
    if attached.kind is Kind.WEBSOCKET:
        return
    cached_by = settings.answers.cached_by
    route = _ROUTE_SOURCES[attached.kind]
    by_route = set(route) <= set(attached.sources)
    if cached_by is CachedBy.NOTHING and attached.ttl:
        said = f"answers are for one request (JWT_CACHED_BY=nothing), but it caches them for {attached.ttl} s"
        if _simple(attached) and not by_route:
            said += ": once allowed, a token is allowed on every route"
        yield _finding(attached, Level.PROBLEM, said, _set_ttl(attached))
    elif cached_by is CachedBy.ROUTE and attached.ttl and not attached.request:
        said = "answers are for one route (JWT_CACHED_BY=route), but type TOKEN caches by the token alone"
        yield _finding(attached, Level.PROBLEM, said, "JWT_CACHED_BY=token, or an authorizer of type REQUEST")
    elif cached_by is CachedBy.ROUTE and attached.ttl and not by_route:
        said = f"answers are for one route (JWT_CACHED_BY=route), but its cache is not keyed by {', '.join(route)}"
        yield _finding(attached, Level.PROBLEM, said, _set_sources(attached, (*attached.sources, *route)))
    elif cached_by is CachedBy.TOKEN and attached.ttl and by_route:
        if not attached.simple:
            said = "its cache is keyed by the route, so smaller policies are enough"
            yield _finding(attached, Level.NOTE, said, "JWT_CACHED_BY=route")
    elif _simple(attached) and settings.rules.configured and attached.ttl and not by_route:
        said = (
            "it caches one isAuthorized for all routes, but there are [[routes]]: the function answers 500 "
            "(unsafe_cache)"
        )
        yield _finding(attached, Level.PROBLEM, said, _set_sources(attached, (*attached.sources, *route)))
    elif cached_by is CachedBy.TOKEN and not attached.ttl:
        said = "nothing is cached: the function is invoked for each request, which is slower and costs more"
        yield _finding(attached, Level.NOTE, said, "JWT_CACHED_BY=nothing, if that is intended: policies get smaller")


def _simple(attached: Attached) -> bool:
    return attached.kind is Kind.HTTP and attached.payload == "2.0" and attached.simple


def _response_kind(attached: Attached, settings: Settings) -> Iterator[Finding]:
    if attached.kind is not Kind.HTTP:
        return
    if attached.payload != "2.0":
        if attached.simple:
            said = "in payload format 1.0 the answer is a policy, but it expects simple responses"
            command = f"{_update(attached)} --authorizer-payload-format-version 2.0"
            yield _finding(attached, Level.PROBLEM, said, command)
        return
    wanted = settings.answers.http_api_response
    if attached.simple is not (wanted is HttpApiResponse.SIMPLE):
        expects = HttpApiResponse.SIMPLE if attached.simple else HttpApiResponse.IAM
        said = f"it expects {expects} responses but gets {wanted} ones: every request ends with 500"
        yield _finding(attached, Level.PROBLEM, said, f"JWT_HTTP_API_RESPONSE={expects}")


def _lifetime(attached: Attached, settings: Settings) -> Iterator[Finding]:
    if attached.ttl > _LONG and not settings.answers.end_with_token:
        said = f"an answer is used for {attached.ttl} s, even after its token has expired or its user was blocked"
        yield _finding(attached, Level.NOTE, said, _set_ttl(attached, 300))


def _bindings(attached: Attached, settings: Settings) -> Iterator[Finding]:
    """Check that the function can see what tokens are bound to, and that its check cannot be bypassed."""
    checked = settings.bound_tokens.checked
    if checked and not attached.request:
        kinds = " or ".join(sorted(checked))
        said = f"type TOKEN does not pass on headers or certificates, so a bound token ({kinds}) ends with 500"
        yield _finding(attached, Level.PROBLEM, said, "An authorizer of type REQUEST, with a TTL of 0")
    if "mtls" in checked and attached.kind is Kind.WEBSOCKET:
        said = "its function checks client certificates, but WebSocket APIs do not have mutual TLS"
        yield _finding(attached, Level.WARNING, said, "A REST or HTTP API, or JWT_BOUND_TOKENS=dpop")
    elif "mtls" in checked and attached.default_endpoint:
        said = "its function checks client certificates, but the API's default endpoint does not request one"
        yield _finding(attached, Level.PROBLEM, said, _disable_default_endpoint(attached))


def _disable_default_endpoint(attached: Attached) -> str:
    if attached.kind is Kind.REST:
        operation = "op=replace,path=/disableExecuteApiEndpoint,value=true"
        return f"aws apigateway update-rest-api --rest-api-id {attached.api_id} --patch-operations {operation}"
    return f"aws apigatewayv2 update-api --api-id {attached.api_id} --disable-execute-api-endpoint"


def _update(attached: Attached) -> str:
    if attached.kind is Kind.REST:
        return (
            f"aws apigateway update-authorizer --rest-api-id {attached.api_id} --authorizer-id {attached.authorizer_id}"
        )
    return f"aws apigatewayv2 update-authorizer --api-id {attached.api_id} --authorizer-id {attached.authorizer_id}"


def _set_sources(attached: Attached, sources: tuple[str, ...]) -> str:
    """Return the command that sets identity sources. A REST API needs a deployment afterwards."""
    if attached.kind is Kind.REST:
        listed = ",".join(sources)
        return f"{_update(attached)} --patch-operations 'op=replace,path=/identitySource,value=\"{listed}\"'"
    return f"{_update(attached)} --identity-source {' '.join(repr(source) for source in sources)}"


def _set_ttl(attached: Attached, seconds: int = 0) -> str:
    if attached.kind is Kind.REST:
        operation = f"op=replace,path=/authorizerResultTtlInSeconds,value={seconds}"
        return f"{_update(attached)} --patch-operations {operation}"
    return f"{_update(attached)} --authorizer-result-ttl-in-seconds {seconds}"
