"""The function as it is deployed, with watchers where keys come in and where the decision is written down."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from jwt_authorizer.authorize import Authorizer, Findings, Issuer
from jwt_authorizer.function import AuthorizerFunction
from jwt_authorizer.issuers import CachedKeySource, FetchError, HttpsClient, key_fetcher
from jwt_authorizer.log_line import Journal
from jwt_authorizer.policies import policies_for
from jwt_authorizer.settings import load_settings
from jwt_authorizer.token_cache import TokenCache

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from os import PathLike

    from jwt_authorizer.errors import Reason
    from jwt_authorizer.issuers import Fetched
    from jwt_authorizer.issuers.session import Response, Session
    from jwt_authorizer.keys import Key, KeySource
    from jwt_authorizer.settings import IssuerSettings, Settings


@dataclass(slots=True)
class WatchedKeys:
    """An issuer's key source, and what it has been asked and has given since it was made."""

    source: KeySource | None = None
    asked: bool = False
    candidates_found: tuple[Key, ...] = ()
    places: list[str] = field(default_factory=list)
    fetched: Fetched | None = None
    seconds: float = 0
    problem: str | None = None

    def candidates(self, alg: str, kid: str | None, now: float) -> tuple[Key, ...]:
        """Pass the question on, as :class:`authorizer.keys.KeySource` promises, and keep the answer."""
        self.asked = True
        self.candidates_found = self._source().candidates(alg, kid, now)
        return self.candidates_found

    def generation(self, now: float) -> int:
        """Pass the question on."""
        return self._source().generation(now)

    def watch(self, fetch: Callable[[], Fetched]) -> Callable[[], Fetched]:
        """Make the same fetch, with what it brought and how long it took kept here."""

        def watched() -> Fetched:
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

    def _source(self) -> KeySource:
        if self.source is None:
            message = "the key source is set when the function is put together"
            raise RuntimeError(message)
        return self.source


@dataclass(frozen=True, slots=True)
class Told:
    """What the function told its journal about one event."""

    decision: str
    reason: Reason | None
    detail: str | None
    findings: Findings


class WatchingJournal(Journal):
    """The function's journal, which also keeps what it was told last, in the form that code can read."""

    def __init__(self) -> None:
        """Keep the lines instead of printing them."""
        self.lines: list[str] = []
        self.told: Told | None = None
        super().__init__(self.lines.append, "jwt-authorizer")

    def decided(  # noqa: PLR0913 - the signature is the journal's
        self,
        decision: str,
        reason: Reason | None,
        detail: str | None,
        findings: Findings,
        *,
        now: float,
        duration: float,
        function_request_id: str | None,
    ) -> None:
        """Keep it, and write the line."""
        self.told = Told(decision, reason, detail, findings)
        super().decided(
            decision, reason, detail, findings, now=now, duration=duration, function_request_id=function_request_id
        )


@dataclass(frozen=True, slots=True)
class WatchedFunction:
    """The function, its parts, and its watchers. It remembers no tokens: each event is decided from the start."""

    settings: Settings
    authorizer: Authorizer
    function: AuthorizerFunction
    journal: WatchingJournal
    keys: Mapping[str, WatchedKeys]
    now: float


def watched_function(
    environment: Mapping[str, str],
    *,
    now: float,
    package_root: str | PathLike[str],
    key_document: str | None = None,
) -> WatchedFunction:
    """Put the function together from its settings, as :func:`authorizer.function.create_function` does.

    Args:
        environment: The function's environment variables.
        now: Unix seconds, at which everything is decided.
        package_root: The folder that ``file:`` settings are relative to.
        key_document: A key set to use for every issuer, instead of asking: to work offline.

    Raises:
        authorizer.errors.SettingsError: Something is wrong with the settings.
        ValueError: ``key_document`` is no key set.

    """
    settings = load_settings(environment, package_root)
    journal = WatchingJournal()
    https = HttpsClient(allow_http=settings.keys.allow_http)
    keys = {
        issuer.issuer: _keys(issuer, settings, https, journal, package_root, key_document)
        for issuer in settings.issuers
    }
    authorizer = Authorizer(
        issuers={
            issuer.issuer: Issuer(
                issuer.issuer, issuer.algorithms, issuer.token_types, issuer.claim_rules, keys[issuer.issuer]
            )
            for issuer in settings.issuers
        },
        token_sources=settings.token_sources,
        token_cache=TokenCache(0),
        rules=settings.rules,
        policies=policies_for(settings.rules),
        answers=settings.answers,
    )
    function = AuthorizerFunction(authorizer, journal, settings.http_api_reject, lambda: now)
    return WatchedFunction(settings, authorizer, function, journal, keys, now)


def _keys(  # noqa: PLR0913, PLR0917 - what fetching depends on
    issuer: IssuerSettings,
    settings: Settings,
    https: HttpsClient,
    journal: Journal,
    package_root: str | PathLike[str],
    key_document: str | None,
) -> WatchedKeys:
    watched = WatchedKeys()

    def get(url: str, session: Session) -> Response:
        watched.places.append(url)
        return https.get(url, session)

    fetch = key_fetcher(
        issuer.issuer,
        issuer.jwks if key_document is None else key_document,
        allow_http=settings.keys.allow_http,
        timeout=settings.keys.timeout,
        package_root=package_root,
        get=get,
    )
    if key_document is not None:
        watched.places.append("the key set given with --keys")
    elif issuer.jwks is not None and not issuer.jwks.startswith("http"):
        inline = issuer.jwks.lstrip().startswith("{")
        watched.places.append("the key set in JWT_JWKS" if inline else issuer.jwks)
    watched.source = CachedKeySource(
        watched.watch(fetch),
        ttl=settings.keys.ttl,
        max_stale=settings.keys.max_stale,
        cooldown=settings.keys.cooldown,
        report=journal.count,
    )
    return watched
