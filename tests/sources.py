"""Sources that answer as a test tells them: an issuer's keys, a document; with what is reported, and a clock."""

from dataclasses import dataclass, field

import pytest

from jwt_authorizer.errors import AuthorizerError, ErrorCode
from jwt_authorizer.issuers.cache import CachedKeySource
from jwt_authorizer.issuers.cached_value import Ages
from jwt_authorizer.issuers.fetched import Fetched, FetchError
from jwt_authorizer.keys import Key, KeySet, KeySource

TTL, MAX_STALE, COOLDOWN = 600, 3600, 30
START = 1_700_000_000.0


def key(kid: str | None, alg: str = "ES256") -> Key:
    return Key(kid, frozenset({alg}), public=f"public key of {kid}")


@dataclass
class Issuer:
    """An issuer whose keys and health a test sets; it counts how often it is asked."""

    kids: tuple[str | None, ...] = ("a",)
    failure: Exception | None = None
    max_age: float | None = None
    as_of: float | None = None
    skipped: tuple[str, ...] = ()
    asked: int = 0

    def fetch(self) -> Fetched[KeySet]:
        self.asked += 1
        if self.failure is not None:
            raise self.failure
        return Fetched(KeySet(tuple(map(key, self.kids)), self.skipped), self.max_age, self.as_of)


@dataclass
class Document:
    """A document that a test changes, or takes away; it counts how often it is read."""

    content: bytes | None
    reads: int = 0

    def __call__(self) -> bytes:
        self.reads += 1
        if self.content is None:
            message = "AccessDenied"
            raise FetchError(message)
        return self.content


@dataclass
class Watch:
    """Seconds that pass by the test's word."""

    seconds: float = 0.0
    per_look: float = 0.0

    def __call__(self) -> float:
        self.seconds += self.per_look
        return self.seconds


@dataclass
class Reports:
    lines: list[tuple[str, str]] = field(default_factory=list)

    def __call__(self, metric: str, detail: str) -> None:
        self.lines.append((metric, detail))

    def count(self, metric: str) -> int:
        return sum(name == metric for name, _ in self.lines)


def source(
    issuer: Issuer, reports: Reports | None = None, *, jitter: float = 0.0, fetch_takes: float = 0.0
) -> CachedKeySource:
    return CachedKeySource(
        issuer.fetch,
        Ages(TTL, MAX_STALE, COOLDOWN),
        reports or Reports(),
        jitter=lambda: jitter,
        monotonic=Watch(per_look=fetch_takes),
    )


def kids(keys: KeySource, kid: str | None, now: float) -> list[str | None]:
    """Ask for the keys of an ES256 token; give their ids."""
    return [found.kid for found in keys.candidates("ES256", kid, now)]


def refusal(keys: KeySource, kid: str | None, now: float) -> ErrorCode:
    """Ask for keys that are not to be had; give the code of why."""
    with pytest.raises(AuthorizerError) as caught:
        kids(keys, kid, now)
    return caught.value.code
