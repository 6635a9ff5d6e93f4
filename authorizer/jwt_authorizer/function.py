"""The function at the edge: it is put together once, and turns each way to end into what API Gateway expects."""

from __future__ import annotations

import sys
import time
import traceback
from os.path import abspath, basename, dirname
from typing import TYPE_CHECKING

from jwt_authorizer.answers import refused_token
from jwt_authorizer.authorize import Authorizer, Findings, Issuer, authorize
from jwt_authorizer.errors import HEALED_BY_WAITING, AuthorizerError, DecisionError, Reason, TokenError
from jwt_authorizer.issuers import CachedKeySource, HttpsClient, key_fetcher, warm_all
from jwt_authorizer.log_line import Journal
from jwt_authorizer.policies import policies_for
from jwt_authorizer.rules import Deny
from jwt_authorizer.settings import HttpApiReject, load_settings
from jwt_authorizer.token_cache import TokenCache

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from os import PathLike

    from jwt_authorizer.policies import Policies
    from jwt_authorizer.settings import IssuerSettings, Settings

PACKAGE_ROOT = dirname(dirname(abspath(__file__)))  # noqa: PTH100, PTH120 - pathlib would cost start-up 2 ms
"""The top of the deployed package, which ``file:`` paths are relative to."""

_LONGEST_CLOCK_SKEW = 600.0
"""Seconds. A leeway beyond it makes up for no clock: it makes expired tokens good."""


class AuthorizerFunction:
    """The Lambda handler: call it with an event and Lambda's context object."""

    def __init__(
        self, authorizer: Authorizer, journal: Journal, http_api_reject: HttpApiReject, clock: Callable[[], float]
    ) -> None:
        """Answer with this authorizer. ``clock`` gives Unix time in seconds, by the wall."""
        self._authorizer = authorizer
        self._journal = journal
        self._http_api_reject = http_api_reject
        self._clock = clock

    def __call__(self, event: object, context: object) -> dict[str, object]:
        """Answer one event.

        Raises ``Exception("Unauthorized")`` where API Gateway shall answer 401, and :class:`DecisionError`
        where it shall answer 500; neither is cached.
        """
        started, now, findings = time.perf_counter(), self._clock(), Findings()

        def note(decision: str, reason: Reason | None, detail: str | None) -> None:
            self._journal.decided(
                decision,
                reason,
                detail,
                findings,
                now=now,
                duration=time.perf_counter() - started,
                function_request_id=getattr(context, "aws_request_id", None),
            )

        try:
            answer = authorize(event, self._authorizer, now, findings)
        except TokenError as error:
            note("reject", error.code, error.detail)
            return self._reject(error, findings)
        except DecisionError as error:
            note("error", error.code, error.detail)
            raise
        except Exception as error:  # noqa: BLE001 - the last line of defence: whatever it is, it is no Allow
            unexpected = DecisionError(Reason.INTERNAL_ERROR, _place(error))
            note("error", unexpected.code, unexpected.detail)
            raise unexpected from None
        decision = findings.decision
        if isinstance(decision, Deny):
            note("deny", decision.reason, None)
        else:
            note("allow", None, None)
        return answer

    def _reject(self, error: AuthorizerError, findings: Findings) -> dict[str, object]:
        """Refuse a token in the way that this kind of API turns into the right status."""
        request = findings.request
        if (
            request is not None
            and request.kind.is_http_api
            and self._http_api_reject is HttpApiReject.DENY
            and error.code not in HEALED_BY_WAITING
        ):
            return refused_token(request, error.code, self._authorizer.answers)
        # API Gateway answers 401 to an error with exactly this text, whatever its type.
        raise Exception("Unauthorized") from None  # noqa: EM101, TRY002 - the text is API Gateway's protocol


def create_function(
    environment: Mapping[str, str],
    *,
    write: Callable[[str], object] = sys.stdout.write,
    clock: Callable[[], float] = time.time,
    package_root: str | PathLike[str] = PACKAGE_ROOT,
) -> AuthorizerFunction:
    """Put the function together from the environment, and fetch keys ahead.

    Raises :class:`authorizer.errors.SettingsError` with everything that is wrong with the settings. That
    keys cannot be had is no reason not to start.
    """
    settings = load_settings(environment, package_root)
    service = environment.get("POWERTOOLS_SERVICE_NAME") or "jwt-authorizer"
    journal = Journal(write, service)
    policies = policies_for(settings.rules)
    _warn(settings, policies, service)
    https = HttpsClient(allow_http=settings.keys.allow_http)
    sources = {
        issuer.issuer: _key_source(issuer, settings, https, journal, package_root) for issuer in settings.issuers
    }
    # Lambda gives start-up ten seconds, more than the longest timeout that can be set.
    warm_all(list(sources.values()), clock())
    if environment.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start":
        _after_restore(lambda: warm_all(list(sources.values()), clock()))
    issuers = {
        issuer.issuer: Issuer(
            issuer.issuer, issuer.algorithms, issuer.token_types, issuer.claim_rules, sources[issuer.issuer]
        )
        for issuer in settings.issuers
    }
    authorizer = Authorizer(
        issuers=issuers,
        token_sources=settings.token_sources,
        token_cache=TokenCache(settings.token_cache_size),
        rules=settings.rules,
        policies=policies,
        answers=settings.answers,
    )
    return AuthorizerFunction(authorizer, journal, settings.http_api_reject, clock)


def _after_restore(refresh: Callable[[], None]) -> None:
    """Have keys fetched that aged while a snapshot lay about, before its first request and not during it.

    It is no matter of safety: keys age by the wall clock, so the first request would see to it too. Lambda
    gives hooks ten seconds (Lambda developer guide, "Lambda SnapStart runtime hooks"), and this one never fails.
    """
    from snapshot_restore_py import (  # type: ignore[import-untyped]  # noqa: PLC0415 - only Lambda's SnapStart needs it
        register_after_restore,
    )

    register_after_restore(refresh)


def _key_source(
    issuer: IssuerSettings, settings: Settings, https: HttpsClient, journal: Journal, package_root: str | PathLike[str]
) -> CachedKeySource:
    keys = settings.keys
    fetch = key_fetcher(
        issuer.issuer,
        issuer.jwks,
        allow_http=keys.allow_http,
        timeout=keys.timeout,
        package_root=package_root,
        get=https.get,
    )
    return CachedKeySource(fetch, ttl=keys.ttl, max_stale=keys.max_stale, cooldown=keys.cooldown, report=journal.count)


def _warn(settings: Settings, policies: Policies, service: str) -> None:
    """Say once, at start-up, what works but deserves a look."""
    warnings = list(policies.warnings(settings.answers.cached_by))
    if settings.keys.allow_http:
        warnings.insert(0, "JWT_ALLOW_HTTP is on: keys that came over http:// can be anybody's. For local work only.")
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


def _place(error: BaseException) -> str:
    """Name an unexpected error and where it came from; its message may hold what a caller sent, so that stays out."""
    frames = traceback.extract_tb(error.__traceback__)[-3:]
    places = " < ".join(
        f"{basename(frame.filename)}:{frame.lineno} {frame.name}"  # noqa: PTH119 - as above
        for frame in reversed(frames)
    )
    return f"unexpected {type(error).__name__} at {places}"
