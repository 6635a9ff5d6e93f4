"""Fetch an issuer's keys exactly as the function does, and check all that it answers."""

from __future__ import annotations

import email.utils
import time
from typing import TYPE_CHECKING

from jwt_authorizer.issuers.address import parse_address
from jwt_authorizer.issuers.cached_value import LONGEST_MAX_AGE, SHORTEST_MAX_AGE
from jwt_authorizer.issuers.fetched import FetchError
from jwt_authorizer.issuers.https import HttpsClient
from jwt_authorizer.issuers.sources import key_fetcher
from jwt_authorizer_devkit.doctoring.exchanges import Asked, Exchange, Recorder
from jwt_authorizer_devkit.doctoring.findings import Finding, Level
from jwt_authorizer_devkit.doctoring.fixes import fix_for, metadata
from jwt_authorizer_devkit.doctoring.keys import examine_keys
from jwt_authorizer_devkit.doctoring.tls import examine_tls
from jwt_authorizer_devkit.explaining.redaction import shortened

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator

    from jwt_authorizer.issuers.fetched import Fetched
    from jwt_authorizer.issuers.session import Response
    from jwt_authorizer.keys import KeySet

_DATE_RESOLUTION = 2.0
"""Seconds by which a Date header may differ if both clocks are right."""
_SLOW = 1.0


def examine_issuer(
    asked: Asked,
    *,
    clock: Callable[[], float] = time.time,
    context: Callable[[], ssl.SSLContext] | None = None,
) -> tuple[Finding, ...]:
    """Fetch an issuer's keys once, and return the findings. ``context`` replaces the system's TLS settings."""
    recorder = Recorder(HttpsClient(allow_http=asked.keys.allow_http, context=context), clock)
    fetched: Fetched[KeySet] | None = None
    problem: str | None = None
    started = time.perf_counter()
    try:
        fetched = key_fetcher(
            asked.issuer,
            asked.jwks,
            allow_http=asked.keys.allow_http,
            timeout=asked.keys.timeout,
            package_root=asked.package_root,
            get=recorder.get,
        )()
    except (FetchError, ValueError) as error:
        problem = str(error)
    seconds = time.perf_counter() - started
    return tuple(_findings(asked, recorder.exchanges, fetched, problem, seconds, clock(), context))


def _findings(  # noqa: PLR0913, PLR0917 - all that was seen
    asked: Asked,
    exchanges: list[Exchange],
    fetched: Fetched[KeySet] | None,
    problem: str | None,
    seconds: float,
    now: float,
    context: Callable[[], ssl.SSLContext] | None,
) -> Iterator[Finding]:
    if problem is not None:
        yield Finding("keys", Level.PROBLEM, f"{problem.rstrip('.')}.", fix_for(asked, exchanges, problem))
    else:
        where = exchanges[-1].url if exchanges else asked.jwks or "JWT_JWKS"
        if asked.jwks is None and exchanges:
            yield Finding("discovery", Level.GOOD, f"{exchanges[0].url} is for {asked.issuer}, exactly.")
        shown = "the settings" if where.lstrip().startswith("{") else where
        yield Finding("keys", Level.GOOD, f"The key set is at {shortened(shown, 200)}.")
    if exchanges:
        yield _latency(asked, seconds)
        yield _skew(exchanges[-1], asked.leeway)
    if fetched is not None:
        yield from _caching(exchanges[-1].response, asked.keys.ages.ttl) if exchanges else _copy(asked, fetched, now)
        yield from examine_keys(fetched.document, asked.algorithms)
        yield from _supported(exchanges)
    yield from _transport(asked, exchanges, context)


def _latency(asked: Asked, seconds: float) -> Finding:
    limit = asked.keys.timeout
    said = f"Fetching took {seconds * 1000:.0f} ms; the limit is {limit:g} s."
    if seconds > limit / 2:
        return Finding("latency", Level.WARNING, said, f"JWT_HTTP_TIMEOUT_SECONDS={min(8, limit * 2):g}")
    level = Level.NOTE if seconds > _SLOW else Level.GOOD
    return Finding("latency", level, said)


def _skew(exchange: Exchange, leeway: float) -> Finding:
    """Compare the issuer's clock with this one by the Date header (RFC 9110 section 6.6.1)."""
    header = exchange.response.headers.get("date")
    try:
        stated = email.utils.parsedate_to_datetime(header or "").timestamp()
    except ValueError:
        return Finding(
            "clock", Level.NOTE, "The issuer's answer has no valid Date header, so the clocks were not compared."
        )
    ahead = stated - exchange.at
    uncertain = _DATE_RESOLUTION + exchange.seconds
    if abs(ahead) <= uncertain:
        return Finding("clock", Level.GOOD, "The issuer's clock and this one agree.")
    said = f"The issuer's clock is {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} this one"
    if abs(ahead) >= leeway:
        fix = "Set the clock that is wrong: compare both with `date -u` on a third machine."
        return Finding(
            "clock", Level.PROBLEM, f"{said}: more than the leeway of {leeway:g} s, so valid tokens are rejected.", fix
        )
    return Finding("clock", Level.NOTE, f"{said}, within the leeway of {leeway:g} s.")


def _copy(asked: Asked, fetched: Fetched[KeySet], now: float) -> Iterator[Finding]:
    """Check the age of a copy of the keys, which the refresher updates."""
    if fetched.as_of is None:
        said = "These keys are a copy that nothing updates: after a key rotation, the issuer's tokens are rejected."
        yield Finding(
            "copy", Level.NOTE, said, "Deploy the refresher, or leave JWT_JWKS out so that the function fetches keys."
        )
        return
    age, limit = now - fetched.as_of, asked.keys.ages.ttl + asked.keys.ages.max_stale
    said = f"The copy is {age:.0f} s old, and may be used until it is {limit:.0f} s old."
    if age > limit / 2:
        level = Level.PROBLEM if age > limit else Level.WARNING
        yield Finding(
            "copy",
            level,
            said,
            "Find out why the refresher stopped: its log, its schedule, its network path to the issuer.",
        )
    else:
        yield Finding("copy", Level.GOOD, said)


def _caching(response: Response, ttl: float) -> Iterator[Finding]:
    age, level = response.max_age(), Level.GOOD
    if age is None:
        said = f"The issuer does not limit caching of the key set, so JWT_JWKS_TTL_SECONDS={ttl:g} applies."
    elif age < SHORTEST_MAX_AGE:
        level = Level.NOTE
        said = f"The key set may be cached for {age:.0f} s; the function caches it for {SHORTEST_MAX_AGE:.0f} s."
    elif age > LONGEST_MAX_AGE:
        level = Level.NOTE
        said = (
            f"The key set may be cached for {age:.0f} s; the function caches it for an hour, so that removed keys stop "
            "working."
        )
    else:
        said = f"The key set is cached for {age:.0f} s, as the issuer allows."
    yield Finding("caching", level, said)


def _supported(exchanges: list[Exchange]) -> Iterator[Finding]:
    """Report algorithms of ID tokens in the discovery document that the function never accepts."""
    listed = metadata(exchanges[0]).get("id_token_signing_alg_values_supported") if exchanges else None
    names = [name for name in listed if isinstance(name, str)] if isinstance(listed, list) else []
    weak = [name for name in names if name.upper().startswith("HS") or name.lower() == "none"]
    if weak:
        said = f"The issuer also offers {', '.join(weak)}, which the function never accepts."
        yield Finding("algorithms", Level.NOTE, said, "At the issuer, set RS256 or ES256 for each client and API.")


def _transport(
    asked: Asked, exchanges: list[Exchange], context: Callable[[], ssl.SSLContext] | None
) -> Iterator[Finding]:
    seen: set[tuple[str, int]] = set()
    for url in [exchange.url for exchange in exchanges] or [asked.jwks or asked.issuer]:
        try:
            address = parse_address(url, allow_http=True)
        except ValueError:
            continue
        if (address.host, address.port) in seen:
            continue
        seen.add((address.host, address.port))
        if address.secure:
            yield from examine_tls(address.host, address.port, timeout=asked.keys.timeout, context=context)
        else:
            said = f"{address.origin} is not https://: anybody on the network path can replace the keys."
            yield Finding(
                "tls", Level.WARNING, said, "JWT_ISSUER=https://…, without JWT_ALLOW_HTTP, except on your own machine."
            )
