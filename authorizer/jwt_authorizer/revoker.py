"""The revoker, a function of the stack: it writes the revocation list that the authorizer reads.

It accepts three kinds of events:

- an invocation ``{"revoke": {"iss": "https://…", "sub": "user-1"}}``, with one of ``sub``, ``sid``, ``jti`` and
  ``client_id``, and ``"dry_run": true`` to be told only what would be written. ``jwt-authorizer revoke`` sends it;
- a back-channel logout: a POST with ``logout_token`` in its form, through a function URL or an API
  (OpenID Connect Back-Channel Logout 1.0; :mod:`jwt_authorizer.logout` checks the token);
- ``{"tidy": true}``, from a schedule, each minute: drop the entries that are over, and empty caches again if due.

After a change the caches of answers of the APIs in ``REVOKER_APIS`` are emptied, or API Gateway would go on to replay
its Allow. They are emptied again once every authorizer has read the list anew: until then one may have answered by the
list before, and that was cached as well.
"""

from __future__ import annotations

import os
import re
import time
from functools import cache
from importlib import import_module
from math import ceil
from typing import TYPE_CHECKING

from aws_lambda_powertools import Logger

from jwt_authorizer.errors import AuthorizerError, DecisionError, Problem, SettingsError, TokenError
from jwt_authorizer.first_list import first_list
from jwt_authorizer.function import PACKAGE_ROOT
from jwt_authorizer.issuers.https import HttpsClient
from jwt_authorizer.issuers.revocation_store import RevocationStore, add_entry, count_entries, s3_store
from jwt_authorizer.logout import LONGEST_IDENTIFIER, Logout, check_logout_token, logout_answer, logout_token
from jwt_authorizer.records import dataclass, field
from jwt_authorizer.revocation import IDENTIFIERS, MOMENTS
from jwt_authorizer.settings import load_settings
from jwt_authorizer.wiring import Dependencies, issuers_with, key_sources

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from jwt_authorizer.authenticate import FindIssuer, Issuer
    from jwt_authorizer.revocation import Revoked

_TIMEOUT = 5.0
_SCHEDULE = 60.0
"""Seconds between two events of the schedule."""


class RevokeError(ValueError):
    """A wrong invocation; nothing was written. The message says what would be right."""


class FlushError(Exception):
    """Cached answers could not be emptied. The message names the APIs."""


@dataclass(slots=True, eq=False)
class Revoker:
    """Carries out revocations.

    ``issuers``, ``tenants``: the authorizer's. ``client_ids``: whose logout tokens are accepted. ``keep``: seconds for
    which entries are kept. ``ttl``: seconds for which authorizers use a list that they have read. ``flush`` empties one
    API's cache. ``clock`` returns seconds since 1970.
    """

    issuers: Mapping[str, Issuer]
    tenants: Mapping[str, FindIssuer]
    store: RevocationStore
    client_ids: frozenset[str]
    keep: float
    ttl: float
    apis: tuple[str, ...]
    flush: Callable[[str], None]
    clock: Callable[[], float] = time.time
    _logger: Logger = field(
        init=False,
        default_factory=lambda: Logger(service=os.environ.get("POWERTOOLS_SERVICE_NAME") or "jwt-authorizer"),
    )

    def __call__(self, event: object, _: object) -> dict[str, object]:
        """Handle one event. A logout gets a status.

        Raises :class:`RevokeError` for a wrong invocation, and :class:`FetchError` if the list can't be written.
        """
        match event:
            case {"revoke": request, **rest} if rest.keys() <= {"dry_run"}:
                return self._invoked(request, dry_run=rest.get("dry_run") is True)
            case {"tidy": True}:
                return self._scheduled()
            case {"requestContext": dict()}:
                return self._posted(event)
            case _:
                one = '{"revoke": {"iss": …, and one of "sub", "sid", "jti", "client_id"}}'
                raise RevokeError(f"expected {one}, or a POST of a logout_token")

    def tidy(self) -> dict[str, object]:
        """Drop the entries that are over, and write a first list if there is none."""
        return {"entries": count_entries(self._change(lambda _: None))}

    def _scheduled(self) -> dict[str, object]:
        """Tidy, and empty the caches if the list has changed since all authorizers have read it."""
        result = self.tidy()
        is_due = self.apis and self.clock() - self.store.changed_at() <= self.ttl + 2 * _SCHEDULE
        if is_due and (failed := self._flush_all()):
            raise FlushError(f"the cached answers of {', '.join(failed)} could not be emptied")
        return result

    def _invoked(self, request: object, *, dry_run: bool) -> dict[str, object]:
        issuer, kind, identifier = self._requested(request)
        now = self.clock()
        moment = ceil(now if kind in MOMENTS else now + self.keep)
        result = {"iss": issuer, kind: identifier, "time": moment, "written": not dry_run}
        if dry_run:
            return result
        revoked = self._change(lambda revoked: add_entry(revoked, issuer, kind, identifier, moment))
        self._logger.info("revoked", extra={"iss": issuer, "kind": kind})
        return result | {"entries": count_entries(revoked), "not_flushed": self._flush_all()}

    def _requested(self, request: object) -> tuple[str, str, str]:
        kinds = (*MOMENTS, *IDENTIFIERS)
        match request:
            case {"iss": issuer, **named} if len(named) == 1:
                ((kind, identifier),) = named.items()
            case _:
                raise RevokeError(f'"revoke" needs "iss" and exactly one of {", ".join(kinds)}')
        if kind not in kinds:
            raise RevokeError(f'"revoke" has the member {str(kind)[:50]!r}; expected one of {", ".join(kinds)}')
        if not isinstance(issuer, str) or not self._has(issuer):
            known = ", ".join((*self.issuers, *self.tenants))
            raise RevokeError(f"{str(issuer)[:200]!r} is not an issuer of this stack; it has {known}")
        if not isinstance(identifier, str) or not 0 < len(identifier) <= LONGEST_IDENTIFIER:
            raise RevokeError(f"{kind!r} must be a string of 1 to {LONGEST_IDENTIFIER} characters")
        return issuer, kind, identifier

    def _has(self, issuer: str) -> bool:
        """Return whether tokens of an issuer, or of a tenant's, could be accepted."""
        now, tenants = self.clock(), self.tenants.values()
        try:
            return issuer in self.issuers or any(find(issuer, now) for find in tenants)
        except TokenError:  # a tenant that is not listed
            return False

    def _posted(self, event: object) -> dict[str, object]:
        """Answer a back-channel logout (section 2.8): 200 if it was carried out, 400 if it was not one."""
        try:
            text, now = logout_token(event), self.clock()
            logout = check_logout_token(text, self.issuers, self.tenants, self.client_ids, now)
            self._change(lambda revoked: self._log_out(revoked, logout))
        except AuthorizerError as error:
            self._logger.warning("logout refused", extra={"reason": str(error.code), "detail": error.detail})
            return logout_answer(503 if isinstance(error, DecisionError) else 400, str(error.code))
        except ValueError as error:  # not a request with a logout token, or one that was used before
            self._logger.warning("logout refused", extra={"detail": str(error)})
            return logout_answer(400, "invalid_request")
        self._logger.info("logged out", extra={"iss": logout.issuer, "kind": "sid" if logout.sid else "sub"})
        self._flush_all()
        return logout_answer(200)

    def _log_out(self, revoked: Revoked, logout: Logout) -> None:
        """Enter a logout. Its own ``jti`` is entered as well: a logout token is used once (section 2.6, step 8)."""
        if logout.jti in revoked.get(logout.issuer, {}).get("jti", {}):
            raise RevokeError("this logout token was used before (jti)")
        add_entry(revoked, logout.issuer, "jti", logout.jti, ceil(logout.expires_at + self.keep))
        kind, identifier = ("sub", str(logout.sub)) if logout.sid is None else ("sid", logout.sid)
        moment = logout.issued_at if kind == "sub" else self.clock() + self.keep
        add_entry(revoked, logout.issuer, kind, identifier, ceil(moment))

    def _change(self, change: Callable[[Revoked], None]) -> Revoked:
        return self.store.change(change, self.clock(), self.keep)

    def _flush_all(self) -> list[str]:
        """Empty the caches of answers. Return the APIs where that failed: their cached answers stay in force."""
        failed = []
        for api in self.apis:
            try:
                self.flush(api)
            except Exception:  # the revocation is written; the others are still to be emptied
                self._logger.exception("cache of answers not emptied", extra={"api": api})
                failed.append(api)
        return failed


def flush(api: str) -> None:
    """Empty a stage's cache of answers: ``FlushStageAuthorizersCache``, for HTTP APIs ``ResetAuthorizersCache``."""
    kind, _, path = api.partition(":")
    id_, _, stage = path.partition("/")
    boto3 = import_module("boto3")
    if kind == "rest":
        boto3.client("apigateway").flush_stage_authorizers_cache(restApiId=id_, stageName=stage)
    else:
        boto3.client("apigatewayv2").reset_authorizers_cache(ApiId=id_, StageName=stage)


def create_revoker(environment: Mapping[str, str]) -> Revoker:
    """Build the revoker from the authorizer's settings and from those below. The revocation list must be in S3.

    - ``REVOKER_CLIENT_IDS``: the clients whose logout tokens are accepted, comma-separated. Default: none;
    - ``REVOKER_APIS``: stages whose caches are emptied, comma-separated: ``rest:ID/STAGE``, ``http:ID/STAGE``;
    - ``REVOKER_KEEP_SECONDS``: at least the longest lifetime of a token. Default: a day.

    Raises :class:`SettingsError`.
    """
    settings = load_settings(environment, PACKAGE_ROOT)
    problems: list[Problem] = []
    keep = environment.get("REVOKER_KEEP_SECONDS", "").strip() or "86400"
    if not keep.isascii() or not keep.isdecimal() or len(keep) > 9:  # noqa: PLR2004 - thirty years
        problems.append(Problem("REVOKER_KEEP_SECONDS", "expected a whole number of seconds", keep))
    apis = _listed(environment, "REVOKER_APIS")
    if not all(re.fullmatch("(?:rest|http):[^/]+/.+", api) for api in apis):
        message = "expected rest:ID/STAGE or http:ID/STAGE, comma-separated"
        problems.append(Problem("REVOKER_APIS", message, environment["REVOKER_APIS"]))
    location = settings.revocation.location if settings.revocation else ""
    if not location.startswith("s3://"):
        problems.append(Problem("JWT_REVOKED", "the revoker writes to s3://bucket/key only", location or None))
    if problems:
        raise SettingsError(tuple(problems))
    https = HttpsClient(allow_http=settings.keys.allow_http)
    keys, tenants = key_sources(settings, Dependencies(https.get, https.post, lambda *_: None, PACKAGE_ROOT))
    return Revoker(
        issuers_with(keys, settings),
        {one.name: one.find for one in tenants},
        s3_store(location, _TIMEOUT),
        client_ids=frozenset(_listed(environment, "REVOKER_CLIENT_IDS")),
        # A token is accepted for the leeway longer than it lives.
        keep=float(keep) + max(issuer.claim_rules.leeway for issuer in settings.issuers),
        ttl=settings.revocation.ages.ttl if settings.revocation else 0,
        apis=apis,
        flush=flush,
    )


def _listed(environment: Mapping[str, str], name: str) -> tuple[str, ...]:
    return tuple(filter(None, map(str.strip, environment.get(name, "").split(","))))


@cache
def _revoker() -> Revoker:
    return create_revoker(os.environ)


def lambda_handler(event: object, context: object) -> dict[str, object]:
    """Handle one event with the revoker that the environment configures; see :class:`Revoker`.

    CloudFormation calls it as well, to write the first list while the stack is created or updated.
    """
    if isinstance(event, dict) and "ResponseURL" in event:
        return first_list(event, lambda: _revoker().tidy(), os.environ["JWT_REVOKED"])
    return _revoker()(event, context)
