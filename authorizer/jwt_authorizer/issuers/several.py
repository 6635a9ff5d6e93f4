"""The key source of an issuer with several key sets.

Entra External ID and Azure AD B2C sign with a set for each policy, all under one ``iss``.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from jwt_authorizer.errors import AuthorizerError, DecisionError
from jwt_authorizer.issuers.cache import CachedKeySource, warm_all

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from jwt_authorizer.keys import Key, KeySource


class SeveralKeySources:
    """Key sets of one issuer, each fetched and cached on its own. Implements :class:`KeySource`.

    A set that must be fetched comes last, so that a token signed with another set's key does not wait for it.
    """

    def __init__(self, sources: Sequence[CachedKeySource]) -> None:
        """Use these, in this order."""
        self._sources = tuple(sources)

    @property
    def has_keys(self) -> bool:
        """Whether any of them has ever had keys."""
        return any(source.has_keys for source in self._sources)

    @property
    def answered_4xx(self) -> bool:
        """Whether the issuer answered 4xx for each of them."""
        return all(source.answered_4xx for source in self._sources)

    def warm(self, now: float) -> None:
        """Fetch all of them in parallel."""
        warm_all(self._sources, now)

    def candidates(self, alg: str, kid: str | None, now: float) -> Iterable[Key]:
        """Return the keys of all sets that may have signed such a token, lazily: the caller may stop at the right one.

        Raises as :meth:`CachedKeySource.candidates` if no set has one. The iterator raises :class:`DecisionError`
        (``keys_unavailable``) after the last key if a set could not be fetched.
        """
        found = self._search(alg, kid, now)
        # The first key is taken now, so that a problem is raised here and not in the caller's loop.
        return chain((next(found),), found)

    def _search(self, alg: str, kid: str | None, now: float) -> Iterator[Key]:
        known = [(source, source.cached_candidates(alg, kid, now)) for source in self._sources]
        yield from (key for _, keys in known for key in keys or ())
        found = any(keys for _, keys in known)
        problem: AuthorizerError | None = None
        # First the sets that are due for a fetch, then those that are fresh and might be asked for an unknown key.
        for source in (*(it for it, keys in known if keys is None), *(it for it, keys in known if keys is not None)):
            if found and source.cached_candidates(alg, kid, now) is not None:
                continue
            try:
                keys = source.candidates(alg, kid, now)
            except AuthorizerError as error:
                problem = error if problem is None or isinstance(error, DecisionError) else problem
                continue
            found = True
            yield from keys
        # An outage outweighs an unknown key: the key may be in the set that could not be fetched.
        if problem is not None and (not found or isinstance(problem, DecisionError)):
            raise problem

    def source_of(self, key: Key) -> KeySource:
        """Return the set that has this key."""
        return next(source for source in self._sources if source.holds(key))

    def version(self, now: float) -> int:
        """Return a number that changes when any of the sets does; see :meth:`CachedKeySource.version`."""
        return sum(source.version(now) for source in self._sources)
