"""The Lambda function: build it from the settings, and return or raise what API Gateway expects for each outcome."""

from __future__ import annotations

import os
import sys
import time
from os.path import abspath, dirname
from typing import TYPE_CHECKING

from jwt_authorizer.authorize import authorize
from jwt_authorizer.errors import DecisionError, ErrorCode
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
    from jwt_authorizer.issuers.prefetch import Prefetch
    from jwt_authorizer.settings import Settings

PACKAGE_ROOT = dirname(dirname(abspath(__file__)))  # noqa: PTH100, PTH120 - pathlib would cost start-up 2 ms
"""The top folder of the deployed package. ``file:`` paths are relative to it."""

_LONGEST_CLOCK_SKEW = 600.0
"""Seconds. Clocks differ by less, so a longer leeway only accepts expired tokens."""


class AuthorizerFunction:
    """The Lambda handler: call it with an event and Lambda's context object."""

    def __init__(self, authorizer: Authorizer, log: DecisionLog, clock: Callable[[], float]) -> None:
        """Keep the parts. ``clock`` returns Unix time in seconds."""
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
        if unsent:  # X-Ray traces of the calls during start-up, in the first request after it
            send_traces(trace)
        return respond(outcome)


def respond(outcome: Outcome) -> dict[str, object]:
    """Return the answer, or raise the error for which API Gateway sends the right status. It caches no error.

    Raises ``Exception("Unauthorized")`` for a 401, and :class:`DecisionError` for a 500.
    """
    if outcome.answer is not None:
        return outcome.answer
    if outcome.result == "reject":
        # API Gateway answers 401 to an error with exactly this text, whatever its type.
        raise Exception("Unauthorized")  # noqa: TRY002 - the text is API Gateway's protocol
    raise DecisionError(outcome.reason or ErrorCode.INTERNAL_ERROR, outcome.detail or "")


def create_function(
    environment: Mapping[str, str],
    *,
    write: Callable[[str], object] = sys.stdout.write,
    clock: Callable[[], float] = time.time,
    package_root: str | PathLike[str] = PACKAGE_ROOT,
    prefetch: Prefetch | None = None,
) -> AuthorizerFunction:
    """Build the function from environment variables, and fetch the keys, over the connection of ``prefetch`` if given.

    ``package_root`` is the folder that ``file:`` settings are relative to. Raises
    :class:`jwt_authorizer.errors.SettingsError` with every problem in the settings. If keys cannot be fetched, the
    function starts without them, and a later request fetches them.
    """
    settings = load_settings(environment, package_root)
    service = environment.get("POWERTOOLS_SERVICE_NAME") or "jwt-authorizer"
    log = DecisionLog(write, service, settings.log)
    https = HttpsClient(allow_http=settings.keys.allow_http, hand_over=prefetch.hand_over if prefetch else None)
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
    """Make the DynamoDB store of used DPoP proofs, which all execution environments share, if the settings name one."""
    _, _, table = settings.bound_tokens.dpop_replay.partition(":")
    if not table:
        return None
    from jwt_authorizer.dynamodb import replay_table  # noqa: PLC0415 - only if there is a table

    return replay_table(table, environment, https, settings.keys.timeout)


def _after_restore(refresh: Callable[[], None]) -> None:
    """Fetch keys when a SnapStart snapshot is restored, so that the first request does not wait for them.

    Keys age by the wall clock, so that request would fetch them otherwise. Lambda gives hooks ten seconds
    (Lambda developer guide, "Lambda SnapStart runtime hooks"), and this one never fails.
    """
    from snapshot_restore_py import (  # type: ignore[import-untyped]  # noqa: PLC0415 - only Lambda's SnapStart needs it
        register_after_restore,
    )

    register_after_restore(refresh)


def _warn(settings: Settings, service: str) -> None:
    """Log settings that are valid but probably a mistake, once at start-up."""
    warnings: list[str] = []
    if settings.keys.allow_http:
        warnings.append("JWT_ALLOW_HTTP is on: keys that come over http:// can be forged. For local work only.")
    for issuer in settings.issuers:
        leeway = issuer.claim_rules.leeway
        if leeway > _LONGEST_CLOCK_SKEW:
            warnings.append(
                f"JWT_LEEWAY_SECONDS is {leeway:g} for {issuer.issuer}: its tokens pass for that long after they have "
                "expired. Clocks differ by seconds; 60 is plenty."
            )
    if not warnings:
        return
    from aws_lambda_powertools import Logger  # noqa: PLC0415 - importing it takes 40 ms

    logger = Logger(service=service)
    for warning in warnings:
        logger.warning(warning)
