"""The function at the edge: it is put together once, and gives API Gateway what it expects for each outcome."""

from __future__ import annotations

import os
import sys
import time
from os.path import abspath, dirname
from typing import TYPE_CHECKING

from jwt_authorizer.authorize import authorize
from jwt_authorizer.errors import DecisionError, Reason
from jwt_authorizer.issuers.cache import warm_all
from jwt_authorizer.issuers.calls import send_traces, unsent
from jwt_authorizer.issuers.https import HttpsClient
from jwt_authorizer.log_line import DecisionLog
from jwt_authorizer.settings import load_settings
from jwt_authorizer.wiring import Dependencies, build_authorizer, key_sources

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from os import PathLike

    from jwt_authorizer.authorize import Authorizer, Outcome
    from jwt_authorizer.binding.replay import ReplayStore
    from jwt_authorizer.issuers.ahead import Ahead
    from jwt_authorizer.settings import Settings

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
    store = _replay_table(settings, environment, https)
    dependencies = Dependencies(https.get, https.post, log.count, package_root, store)
    keys, tenants = key_sources(settings, dependencies)
    authorizer = build_authorizer(settings, keys, tenants, dependencies, clock())
    _warn(settings, service)

    def warm() -> None:
        # Lambda gives start-up ten seconds, more than the longest timeout that can be set.
        warm_all([*keys.values(), *tenants], clock())

    warm()
    if environment.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start":
        _after_restore(warm)
    return AuthorizerFunction(authorizer, log, clock)


def _replay_table(settings: Settings, environment: Mapping[str, str], https: HttpsClient) -> ReplayStore | None:
    """Make the store of used DPoP proofs that all execution environments share, if the settings name a table."""
    _, _, table = settings.bound_tokens.dpop_replay.partition(":")
    if not table:
        return None
    from jwt_authorizer.dynamodb import replay_table  # noqa: PLC0415 - only if there is a table

    return replay_table(table, environment, https, settings.keys.timeout)


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
