"""The function at the edge: it is put together once, and gives API Gateway what it expects for each outcome."""

from __future__ import annotations

import os
import sys
import time
from os.path import abspath, dirname
from typing import TYPE_CHECKING

from jwt_authorizer.authenticate import Issuer, ignore_binding, refuse_bound
from jwt_authorizer.authorize import Authorizer, authorize
from jwt_authorizer.errors import DecisionError, Reason
from jwt_authorizer.issuers.cache import CachedKeySource, warm_all
from jwt_authorizer.issuers.calls import send_traces, unsent
from jwt_authorizer.issuers.fetched import printable
from jwt_authorizer.issuers.https import HttpsClient
from jwt_authorizer.issuers.sources import key_fetcher
from jwt_authorizer.log_line import DecisionLog
from jwt_authorizer.policies import policies_for
from jwt_authorizer.settings import load_settings
from jwt_authorizer.token_cache import TokenCache

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from os import PathLike

    from jwt_authorizer.authorize import Hook, Outcome
    from jwt_authorizer.binding.bound_tokens import CheckBinding
    from jwt_authorizer.binding.replay import ReplayStore
    from jwt_authorizer.issuers.ahead import Ahead
    from jwt_authorizer.issuers.fetched import Fetched
    from jwt_authorizer.issuers.https import Get
    from jwt_authorizer.issuers.several import SeveralKeySources
    from jwt_authorizer.issuers.tenants import TenantIssuers
    from jwt_authorizer.keys import KeySource
    from jwt_authorizer.settings import IssuerSettings, Settings

PACKAGE_ROOT = dirname(dirname(abspath(__file__)))  # noqa: PTH100, PTH120 - pathlib would cost start-up 2 ms
"""The top of the deployed package, which ``file:`` paths are relative to."""

_LONGEST_CLOCK_SKEW = 600.0
"""Seconds. A longer leeway compensates no clock: it accepts expired tokens."""


class AuthorizerFunction:
    """The Lambda handler: call it with an event and Lambda's context object."""

    def __init__(self, authorizer: Authorizer, log: DecisionLog, clock: Callable[[], float]) -> None:
        """Answer with this authorizer. ``clock`` returns Unix time in seconds."""
        self._authorizer = authorizer
        self._log = log
        self._clock = clock

    def __call__(self, event: object, context: object) -> dict[str, object]:
        """Answer one event and write its log line. Raise as :func:`respond` does."""
        started, now = time.perf_counter(), self._clock()
        outcome = authorize(event, self._authorizer, now)
        duration = time.perf_counter() - started
        invocation = getattr(context, "aws_request_id", None)
        trace = os.environ.get("_X_AMZN_TRACE_ID")  # set by Lambda's runtime client for each invocation
        self._log.write(outcome, now=now, duration=duration, invocation=invocation, trace=trace)
        if unsent:  # only in the first request after start-up
            send_traces(trace)
        return respond(outcome)


def respond(outcome: Outcome) -> dict[str, object]:
    """Return the answer, or raise what API Gateway turns into the right status. It caches no error.

    Raises ``Exception("Unauthorized")`` for a 401, and :class:`DecisionError` for a 500.
    """
    if outcome.answer is not None:
        return outcome.answer
    if outcome.result == "reject":
        # API Gateway answers 401 to an error with exactly this text, whatever its type.
        raise Exception("Unauthorized")  # noqa: TRY002 - the text is API Gateway's protocol
    raise DecisionError(outcome.reason or Reason.INTERNAL_ERROR, outcome.detail or "")


def create_function(
    environment: Mapping[str, str],
    *,
    write: Callable[[str], object] = sys.stdout.write,
    clock: Callable[[], float] = time.time,
    package_root: str | PathLike[str] = PACKAGE_ROOT,
    ahead: Ahead | None = None,
) -> AuthorizerFunction:
    """Put the function together from the environment, and fetch keys ahead, over the connection of ``ahead``.

    Raises :class:`jwt_authorizer.errors.SettingsError` with everything that is wrong with the settings. It starts
    without keys if they cannot be fetched.
    """
    settings = load_settings(environment, package_root)
    service = environment.get("POWERTOOLS_SERVICE_NAME") or "jwt-authorizer"
    log = DecisionLog(write, service, settings.log)
    https = HttpsClient(allow_http=settings.keys.allow_http, ahead=ahead)

    def keys_of(issuer: IssuerSettings) -> CachedKeySource | SeveralKeySources:
        return key_source(issuer, settings, https.get, log.count, package_root)

    sources = {issuer.issuer: keys_of(issuer) for issuer in settings.issuers if issuer.tenants is None}
    tenants: tuple[TenantIssuers, ...] = ()
    if len(sources) < len(settings.issuers):
        from jwt_authorizer.tenant_issuers import tenant_issuers  # noqa: PLC0415 - only settings with tenants need it

        tenants = tenant_issuers(settings, keys_of, log.count, package_root)
    _, _, table = settings.bound_tokens.dpop_replay.partition(":")
    store = _replay_table(table, settings, environment, https) if table else None
    authorizer = build_authorizer(settings, sources, tenants, store, load_hook(settings, package_root))
    if settings.revocation or any(issuer.introspection for issuer in settings.issuers):
        from jwt_authorizer.standing import with_standing  # noqa: PLC0415 - for those who have opaque tokens or revocation

        authorizer = with_standing(authorizer, settings, https, log.count, package_root, clock())
    _warn(settings, service)
    # Lambda gives start-up ten seconds, more than the longest timeout that can be set.
    warmed = [*sources.values(), *tenants]
    warm_all(warmed, clock())
    if environment.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start":
        _after_restore(lambda: warm_all(warmed, clock()))
    return AuthorizerFunction(authorizer, log, clock)


def build_authorizer(
    settings: Settings,
    keys: Mapping[str, KeySource],
    tenants: tuple[TenantIssuers, ...] = (),
    replay_store: ReplayStore | None = None,
    hook: Hook | None = None,
) -> Authorizer:
    """Put the core together.

    ``keys`` maps each issuer to where its keys come from, ``tenants`` are the issuers with ``{tenant}``.
    ``replay_store`` remembers used DPoP proofs; ``None``: the function's memory does. ``hook`` is what
    :func:`load_hook` returns.
    """
    return Authorizer(
        issuers={
            one.issuer: Issuer(one.issuer, one.algorithms, one.token_types, one.claim_rules, keys[one.issuer])
            for one in settings.issuers
            if one.tenants is None
        },
        tenants={one.name: one.find for one in tenants},
        token_sources=settings.token_sources,
        token_cache=TokenCache(settings.token_cache_size),
        rules=settings.rules,
        policies=policies_for(settings.rules),
        answers=settings.answers,
        check_binding=_check_binding(settings, replay_store),
        hook=hook,
    )


def load_hook(settings: Settings, package_root: str | PathLike[str]) -> Hook | None:
    """Import the user's own check, if there is one, from the package's top or a checkout's ``bundled`` folder."""
    if settings.hook is None:
        return None
    from jwt_authorizer.hooks import hook_of, import_check  # noqa: PLC0415 - only if there is a hook

    check = import_check(settings.hook, str(package_root))
    answers = settings.answers
    return hook_of(check, answers.cached_by, frozenset(key for key, _ in answers.context_claims), time.perf_counter)


def _check_binding(settings: Settings, replay_store: ReplayStore | None) -> CheckBinding:
    """Make what checks bound tokens. Its modules are loaded only if something is checked."""
    about = settings.bound_tokens
    if not about.checked:
        return ignore_binding if "ignore" in about.kinds else refuse_bound
    from jwt_authorizer.binding.bound_tokens import (  # noqa: PLC0415 - as the docstring says
        Binding,
        BindingSettings,
        binding_check,
    )
    from jwt_authorizer.binding.dpop import DpopSettings  # noqa: PLC0415 - as above
    from jwt_authorizer.binding.replay import MemoryReplayStore  # noqa: PLC0415 - as above
    from jwt_authorizer.binding.target_uri import parse_uri  # noqa: PLC0415 - as above

    dpop = DpopSettings(
        algorithms=frozenset[str]().union(*(issuer.algorithms for issuer in settings.issuers)),
        leeway=max(issuer.claim_rules.leeway for issuer in settings.issuers),
        max_age=about.dpop_max_age,
        public_urls=tuple(parse_uri(url) for url in about.dpop_urls),
    )
    checked = frozenset(Binding(kind) for kind in about.checked)
    return binding_check(BindingSettings(checked, dpop, about.required), replay_store or MemoryReplayStore())


def _replay_table(table: str, settings: Settings, environment: Mapping[str, str], https: HttpsClient) -> ReplayStore:
    """Make the store of used DPoP proofs that all execution environments share."""
    from jwt_authorizer.dynamodb import (  # noqa: PLC0415 - only if there is a table
        DynamoDbReplayStore,
        LambdaCredentials,
        dynamodb_endpoint,
    )

    region = environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION") or "us-east-1"
    endpoint = dynamodb_endpoint(environment, region)
    client = https if endpoint.startswith("https:") else HttpsClient(allow_http=True)
    return DynamoDbReplayStore(
        table,
        region=region,
        endpoint=endpoint,
        credentials=LambdaCredentials(environment),
        post=client.post,
        timeout=settings.keys.timeout,
    )


def key_source(  # noqa: PLR0913, PLR0917 - what fetching depends on
    issuer: IssuerSettings,
    settings: Settings,
    get: Get,
    report: Callable[[str, str], None],
    package_root: str | PathLike[str],
    watch: Callable[[Callable[[], Fetched]], Callable[[], Fetched]] = lambda fetch: fetch,
) -> CachedKeySource | SeveralKeySources:
    """Make an issuer's key cache. ``get`` fetches a URL, ``report`` counts a metric, ``watch`` wraps each fetch."""
    keys = settings.keys
    sources = [
        CachedKeySource(
            watch(
                key_fetcher(
                    issuer.issuer,
                    jwks,
                    allow_http=keys.allow_http,
                    timeout=keys.timeout,
                    package_root=package_root,
                    get=get,
                )
            ),
            ttl=keys.ttl,
            max_stale=keys.max_stale,
            cooldown=keys.cooldown,
            report=lambda metric, note: report(metric, f"{printable(issuer.issuer)}: {note}"),
        )
        for jwks in issuer.jwks or (None,)
    ]
    if len(sources) == 1:
        return sources[0]
    from jwt_authorizer.issuers.several import SeveralKeySources  # noqa: PLC0415 - for those who have several key sets

    return SeveralKeySources(sources)


def _after_restore(refresh: Callable[[], None]) -> None:
    """Fetch keys when a SnapStart snapshot is restored, so that the first request need not wait for them.

    Keys age by the wall clock, so the first request would refresh old ones anyway. Lambda gives hooks ten seconds
    (Lambda developer guide, "Lambda SnapStart runtime hooks"), and this one never fails.
    """
    from snapshot_restore_py import (  # type: ignore[import-untyped]  # noqa: PLC0415 - only Lambda's SnapStart needs it
        register_after_restore,
    )

    register_after_restore(refresh)


def _warn(settings: Settings, service: str) -> None:
    """Log once, at start-up, what works but is probably a mistake."""
    warnings: list[str] = []
    if settings.keys.allow_http:
        warnings.append("JWT_ALLOW_HTTP is on: keys that came over http:// can be anybody's. For local work only.")
    for issuer in settings.issuers:
        leeway = issuer.claim_rules.leeway
        if leeway > _LONGEST_CLOCK_SKEW:
            warnings.append(
                f"JWT_LEEWAY_SECONDS is {leeway:g} for {issuer.issuer}: its tokens pass for that long after they have "
                "expired. Clocks differ by seconds; 60 is plenty."
            )
    if not warnings:
        return
    from aws_lambda_powertools import Logger  # noqa: PLC0415 - 40 ms that only those pay who have warnings

    logger = Logger(service=service)
    for warning in warnings:
        logger.warning(warning)
