"""Make the key caches, and the authorizer with them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from jwt_authorizer.authenticate import Issuer, ignore_binding, reject_bound
from jwt_authorizer.authorize import Authorizer
from jwt_authorizer.issuers.cache import CachedKeySource
from jwt_authorizer.issuers.fetched import printable
from jwt_authorizer.issuers.sources import key_fetcher
from jwt_authorizer.policies import policies_for
from jwt_authorizer.records import dataclass
from jwt_authorizer.token_cache import TokenCache

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from os import PathLike

    from jwt_authorizer.authorize import Hook
    from jwt_authorizer.binding.bound_tokens import CheckBinding
    from jwt_authorizer.binding.replay import ReplayStore
    from jwt_authorizer.issuers.fetched import Report
    from jwt_authorizer.issuers.https import Get, Post
    from jwt_authorizer.issuers.sources import Fetch
    from jwt_authorizer.issuers.tenants import TenantIssuers, TenantSource
    from jwt_authorizer.keys import KeySource
    from jwt_authorizer.settings import Settings
    from jwt_authorizer.settings.model import IssuerSettings, KeySettings


@dataclass(frozen=True, slots=True)
class Dependencies:
    """What the parts need of the world outside.

    ``get`` and ``post`` send a request. ``report`` counts a metric, with a note for the log. ``package_root`` is the
    folder that ``file:`` settings are relative to. ``replay_store`` remembers used DPoP proofs; ``None``: the
    function's memory does.
    """

    get: Get
    post: Post
    report: Report
    package_root: str | PathLike[str]
    replay_store: ReplayStore | None = None


def build_authorizer(
    settings: Settings,
    keys: Mapping[str, KeySource],
    tenants: tuple[TenantIssuers, ...],
    dependencies: Dependencies,
    now: float,
) -> Authorizer:
    """Put the core together; ``keys`` and ``tenants`` are what :func:`key_sources` returns. ``now`` is Unix time.

    Reads the revocation list, if there is one.
    """
    authorizer = Authorizer(
        issuers=issuers_with(keys, settings),
        tenants={one.name: one.find for one in tenants},
        token_sources=settings.token_sources,
        token_cache=TokenCache(settings.token_cache_size),
        rules=settings.rules,
        policies=policies_for(settings.rules),
        answers=settings.answers,
        check_binding=_binding_checker(settings, dependencies.replay_store),
        hook=_load_hook(settings, dependencies.package_root),
    )
    if settings.revocation is None and not any(issuer.introspection for issuer in settings.issuers):
        return authorizer
    from jwt_authorizer.wiring.standing import with_standing  # noqa: PLC0415 - for opaque tokens and revocation

    return with_standing(authorizer, settings, dependencies, now)


def issuers_with(keys: Mapping[str, KeySource], settings: Settings) -> dict[str, Issuer]:
    """Return the issuers, by name, with these keys; without those that have ``{tenant}``."""
    return {
        one.issuer: Issuer(one.issuer, one.algorithms, one.token_types, one.claim_rules, keys[one.issuer])
        for one in settings.issuers
        if one.tenants is None
    }


def key_sources(
    settings: Settings, dependencies: Dependencies, keys_of: Callable[[IssuerSettings], TenantSource] | None = None
) -> tuple[dict[str, TenantSource], tuple[TenantIssuers, ...]]:
    """Make the key caches of all issuers, by name, and the issuers with ``{tenant}``. ``keys_of`` makes one cache."""

    def cache_of(issuer: IssuerSettings) -> TenantSource:
        return key_source(issuer, settings.keys, dependencies)

    keys_of = keys_of or cache_of
    keys = {one.issuer: keys_of(one) for one in settings.issuers if one.tenants is None}
    if len(keys) == len(settings.issuers):
        return keys, ()
    from jwt_authorizer.wiring.tenants import tenant_issuers  # noqa: PLC0415 - only settings with tenants need it

    return keys, tenant_issuers(settings, keys_of, dependencies)


def key_source(
    issuer: IssuerSettings,
    keys: KeySettings,
    dependencies: Dependencies,
    watch: Callable[[Fetch], Fetch] = lambda fetch: fetch,
) -> TenantSource:
    """Make an issuer's key cache. ``watch`` wraps each fetch."""
    sources = [
        CachedKeySource(
            watch(
                key_fetcher(
                    issuer.issuer,
                    jwks,
                    allow_http=keys.allow_http,
                    timeout=keys.timeout,
                    package_root=dependencies.package_root,
                    get=dependencies.get,
                )
            ),
            keys.ages,
            lambda metric, note: dependencies.report(metric, f"{printable(issuer.issuer)}: {note}"),
        )
        for jwks in issuer.jwks or (None,)
    ]
    if len(sources) == 1:
        return sources[0]
    from jwt_authorizer.issuers.several import SeveralKeySources  # noqa: PLC0415 - for those who have several key sets

    return SeveralKeySources(sources)


def _load_hook(settings: Settings, package_root: str | PathLike[str]) -> Hook | None:
    """Import the user's own check, if there is one, from the package's top or a checkout's ``bundled`` folder."""
    if settings.hook is None:
        return None
    from jwt_authorizer.hooks import hook_of, import_check  # noqa: PLC0415 - only if there is a hook

    check = import_check(settings.hook, str(package_root))
    answers = settings.answers
    return hook_of(check, answers.cached_by, frozenset(key for key, _ in answers.context_claims), time.perf_counter)


def _binding_checker(settings: Settings, replay_store: ReplayStore | None) -> CheckBinding:
    """Make what checks bound tokens. Its modules are imported only if something is checked."""
    about = settings.bound_tokens
    if not about.checked:
        return ignore_binding if "ignore" in about.kinds else reject_bound
    from jwt_authorizer.binding.bound_tokens import (  # noqa: PLC0415 - as the docstring says
        Binding,
        BindingSettings,
        binding_checker,
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
    return binding_checker(BindingSettings(checked, dpop, about.required), replay_store or MemoryReplayStore())
