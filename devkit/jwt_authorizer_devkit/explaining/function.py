"""The authorizer as it is deployed, with observers that record what its key sources and introspection return."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from jwt_authorizer.authorize import authorize
from jwt_authorizer.errors import DecisionError
from jwt_authorizer.issuers.fetched import FetchError
from jwt_authorizer.issuers.https import HttpsClient
from jwt_authorizer.log_line import DecisionLog
from jwt_authorizer.records import replace
from jwt_authorizer.settings import load_settings
from jwt_authorizer.wiring import Dependencies, build_authorizer, key_source, key_sources

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from os import PathLike

    from jwt_authorizer.authenticate import Introspection
    from jwt_authorizer.authorize import Authorizer, Outcome
    from jwt_authorizer.issuers.fetched import Fetched
    from jwt_authorizer.issuers.https import Get
    from jwt_authorizer.issuers.session import Response, Session
    from jwt_authorizer.issuers.sources import Fetch
    from jwt_authorizer.issuers.tenants import FetchedKeySource
    from jwt_authorizer.keys import Key, KeySet, KeySource
    from jwt_authorizer.settings import Settings
    from jwt_authorizer.settings.model import IssuerSettings
    from jwt_authorizer.tokens import BearerToken


@dataclass(slots=True)
class WatchedKeys:
    """An issuer's key source, and a record of how it was used."""

    source: FetchedKeySource | None = None
    asked: bool = False
    candidates_found: tuple[Key, ...] = ()
    locations: list[str] = field(default_factory=list)
    fetched: Fetched[KeySet] | None = None
    seconds: float = 0
    problem: str | None = None

    def candidates(self, alg: str, kid: str | None, now: float) -> tuple[Key, ...]:
        """Return the source's candidates (:class:`jwt_authorizer.keys.KeySource`), and record them."""
        self.asked = True
        self.candidates_found = ()
        try:
            for key in self._source().candidates(alg, kid, now):
                self.candidates_found += (key,)
        except DecisionError:
            if not self.candidates_found:
                raise
        return self.candidates_found

    @property
    def has_keys(self) -> bool:
        """Whether the source has ever had keys."""
        return self._source().has_keys

    @property
    def answered_4xx(self) -> bool:
        """Whether the issuer's last answer was a 4xx."""
        return self._source().answered_4xx

    def warm(self, now: float) -> None:
        """Warm the source."""
        self._source().warm(now)

    def source_of(self, key: Key) -> KeySource:
        """Return the source that has this key."""
        return self._source().source_of(key)

    def version(self, now: float) -> int:
        """Return the version of the source's key set."""
        return self._source().version(now)

    def get_with(self, get: Get) -> Get:
        """Return ``get``, with each URL recorded here."""

        def watched(url: str, session: Session) -> Response:
            self.locations.append(url)
            return get(url, session)

        return watched

    def watch(self, fetch: Fetch) -> Fetch:
        """Return ``fetch``, with its result and duration recorded here."""

        def watched() -> Fetched[KeySet]:
            started = time.perf_counter()
            try:
                self.fetched = fetch()
            except FetchError as error:
                self.problem = str(error)
                raise
            finally:
                self.seconds = time.perf_counter() - started
            self.problem = None
            return self.fetched

        return watched

    def _source(self) -> FetchedKeySource:
        if self.source is None:
            message = "the key source is set when the authorizer is built"
            raise RuntimeError(message)
        return self.source


@dataclass(frozen=True, slots=True)
class WatchedFunction:
    """The authorizer, its parts and its observers. It does not cache tokens, so each event goes through all steps."""

    settings: Settings
    authorizer: Authorizer
    log: DecisionLog
    lines: list[str]
    keys: Mapping[str, WatchedKeys]
    introspected: Sequence[Mapping[str, object]]
    """The claims of opaque tokens, from the issuer's answers."""
    now: float

    def authorize(self, event: object) -> Outcome:
        """Decide an event, and append its log line to ``lines``."""
        outcome = authorize(event, self.authorizer, self.now)
        self.log.write(outcome, now=self.now, duration=0, invocation=None)
        return outcome


def watched_function(
    environment: Mapping[str, str],
    *,
    now: float,
    package_root: str | PathLike[str],
    key_document: str | None = None,
) -> WatchedFunction:
    """Build the authorizer from its settings, as :func:`jwt_authorizer.function.create_function` does.

    Args:
        environment: The function's environment variables.
        now: The time of all decisions, in seconds since 1970.
        package_root: The folder that ``file:`` settings are relative to.
        key_document: A key set to use for every issuer instead of fetching one, to work offline.

    Raises:
        jwt_authorizer.errors.SettingsError: The settings are invalid.
        ValueError: ``key_document`` is not a key set.

    """
    settings = load_settings(environment, package_root)
    lines: list[str] = []
    log = DecisionLog(lines.append, "jwt-authorizer", settings.log)
    https = HttpsClient(allow_http=settings.keys.allow_http)
    dependencies = Dependencies(https.get, https.post, log.count, package_root)
    keys: dict[str, WatchedKeys] = {}

    def watch(issuer: IssuerSettings) -> WatchedKeys:
        watched = keys[issuer.issuer] = _record(issuer, key_document)
        recording = replace(dependencies, get=watched.get_with(https.get))
        watched.source = key_source(issuer, settings.keys, recording, watched.watch)
        return watched

    if key_document is not None:
        settings = replace(settings, issuers=tuple(replace(one, jwks=(key_document,)) for one in settings.issuers))
    _, tenants = key_sources(settings, dependencies, watch)
    uncached = replace(settings, token_cache_size=0)
    authorizer = build_authorizer(uncached, keys, tenants, dependencies, now)
    introspected: list[Mapping[str, object]] = []
    if authorizer.introspection is not None:
        authorizer = replace(authorizer, introspection=_recording(authorizer.introspection, introspected))
    return WatchedFunction(settings, authorizer, log, lines, keys, introspected, now)


def _recording(introspection: Introspection, answers: list[Mapping[str, object]]) -> Introspection:
    """Return ``introspection``, with each answer about an active token recorded in ``answers``."""

    def claims_of(bearer: BearerToken, now: float) -> Mapping[str, object]:
        answers.append(introspection.claims_of(bearer, now))
        return answers[-1]

    return replace(introspection, claims_of=claims_of)


def _record(issuer: IssuerSettings, key_document: str | None) -> WatchedKeys:
    """Return a record with the keys' locations, except URLs, which are recorded when they are fetched."""
    if key_document is not None:
        return WatchedKeys(locations=["the key set given with --keys"])
    found = [location for location in issuer.jwks if not location.startswith("http")]
    return WatchedKeys(locations=["the key set in JWT_JWKS" if one.startswith("{") else one for one in found])
