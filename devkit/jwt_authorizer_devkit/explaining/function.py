"""The authorizer as it is deployed, with watchers where its keys come in."""

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
    """An issuer's key source, and what it has been asked and has returned since it was made."""

    source: FetchedKeySource | None = None
    asked: bool = False
    candidates_found: tuple[Key, ...] = ()
    places: list[str] = field(default_factory=list)
    fetched: Fetched[KeySet] | None = None
    seconds: float = 0
    problem: str | None = None

    def candidates(self, alg: str, kid: str | None, now: float) -> tuple[Key, ...]:
        """Pass the question on, as :class:`jwt_authorizer.keys.KeySource` promises, and keep the answer."""
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
        """Whether it has ever had keys."""
        return self._source().has_keys

    @property
    def refused(self) -> bool:
        """Whether the issuer answered 4xx last."""
        return self._source().refused

    def warm(self, now: float) -> None:
        """Pass it on."""
        self._source().warm(now)

    def source_of(self, key: Key) -> KeySource:
        """Pass the question on."""
        return self._source().source_of(key)

    def version(self, now: float) -> int:
        """Pass the question on."""
        return self._source().version(now)

    def get_with(self, get: Get) -> Get:
        """Return the same ``get``, which notes each URL here."""

        def watched(url: str, session: Session) -> Response:
            self.places.append(url)
            return get(url, session)

        return watched

    def watch(self, fetch: Fetch) -> Fetch:
        """Return the same fetch, which notes here what it brought and how long it took."""

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
            message = "the key source is set when the function is put together"
            raise RuntimeError(message)
        return self.source


@dataclass(frozen=True, slots=True)
class WatchedFunction:
    """The authorizer, its parts and its watchers. It remembers no tokens: each event is decided from the start."""

    settings: Settings
    authorizer: Authorizer
    log: DecisionLog
    lines: list[str]
    keys: Mapping[str, WatchedKeys]
    introspected: Sequence[Mapping[str, object]]
    """The claims that the issuer answered with about opaque tokens."""
    now: float

    def authorize(self, event: object) -> Outcome:
        """Decide about an event, and write its line to ``lines``."""
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
    """Put the authorizer together from its settings, as :func:`jwt_authorizer.function.create_function` does.

    Args:
        environment: The function's environment variables.
        now: Unix seconds, at which everything is decided.
        package_root: The folder that ``file:`` settings are relative to.
        key_document: A key set to use for every issuer, instead of fetching one: to work offline.

    Raises:
        jwt_authorizer.errors.SettingsError: Something is wrong with the settings.
        ValueError: ``key_document`` is not a key set.

    """
    settings = load_settings(environment, package_root)
    lines: list[str] = []
    log = DecisionLog(lines.append, "jwt-authorizer", settings.log)
    https = HttpsClient(allow_http=settings.keys.allow_http)
    dependencies = Dependencies(https.get, https.post, log.count, package_root)
    keys: dict[str, WatchedKeys] = {}

    def watch(issuer: IssuerSettings) -> WatchedKeys:
        watched = keys[issuer.issuer] = _place(issuer, key_document)
        noting = replace(dependencies, get=watched.get_with(https.get))
        watched.source = key_source(issuer, settings.keys, noting, watched.watch)
        return watched

    if key_document is not None:
        settings = replace(settings, issuers=tuple(replace(one, jwks=(key_document,)) for one in settings.issuers))
    _, tenants = key_sources(settings, dependencies, watch)
    forgetful = replace(settings, token_cache_size=0)
    authorizer = build_authorizer(forgetful, keys, tenants, dependencies, now)
    introspected: list[Mapping[str, object]] = []
    if authorizer.introspection is not None:
        authorizer = replace(authorizer, introspection=_noting(authorizer.introspection, introspected))
    return WatchedFunction(settings, authorizer, log, lines, keys, introspected, now)


def _noting(introspection: Introspection, answers: list[Mapping[str, object]]) -> Introspection:
    """Return the same introspection, which notes each answer about an active token."""

    def claims_of(bearer: BearerToken, now: float) -> Mapping[str, object]:
        answers.append(introspection.claims_of(bearer, now))
        return answers[-1]

    return replace(introspection, claims_of=claims_of)


def _place(issuer: IssuerSettings, key_document: str | None) -> WatchedKeys:
    """Name where keys come from, unless they are fetched from URLs, which are noted when they are."""
    if key_document is not None:
        return WatchedKeys(places=["the key set given with --keys"])
    places = [location for location in issuer.jwks if not location.startswith("http")]
    return WatchedKeys(places=["the key set in JWT_JWKS" if place.startswith("{") else place for place in places])
