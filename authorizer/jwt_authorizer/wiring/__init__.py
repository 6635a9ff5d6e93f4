"""Build the authorizer from its settings.

What goes in: :class:`~jwt_authorizer.settings.Settings`, and :class:`Dependencies` (HTTP, metrics, files). What comes
out: an :class:`~jwt_authorizer.authorize.Authorizer`, for the function, and for ``explain`` and ``doctor`` in the
devkit. The revoker needs only the issuers and their keys.

1. :func:`key_sources` makes a key cache for each issuer, and a
   :class:`~jwt_authorizer.issuers.tenants.TenantIssuers` for each issuer with ``{tenant}``.
2. :func:`build_authorizer` adds the rest: rules, policies, the token cache, the check of bound tokens, the hook.
3. ``token_status.py`` adds the checks of a token's current status: introspection and the revocation list.

Modules that only some settings need are imported only for them, since imports are most of a cold start.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from jwt_authorizer.authenticate import Issuer, ignore_binding, reject_bound_tokens
from jwt_authorizer.authorize import Authorizer
from jwt_authorizer.issuers.address import PLACEHOLDER
from jwt_authorizer.issuers.cache import CachedKeySource
from jwt_authorizer.issuers.documents import document_reader
from jwt_authorizer.issuers.fetched import printable
from jwt_authorizer.issuers.sources import key_fetcher
from jwt_authorizer.policies import policies_for
from jwt_authorizer.records import dataclass, replace
from jwt_authorizer.token_cache import TokenCache

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from os import PathLike

    from jwt_authorizer.authorize import Hook
    from jwt_authorizer.binding.bound_tokens import CheckBinding
    from jwt_authorizer.binding.replay import ReplayStore
    from jwt_authorizer.claims import Tenant
    from jwt_authorizer.issuers.fetched import Report
    from jwt_authorizer.issuers.https import Get, Post
    from jwt_authorizer.issuers.sources import Fetch
    from jwt_authorizer.issuers.tenants import FetchedKeySource, TenantIssuers
    from jwt_authorizer.keys import KeySource
    from jwt_authorizer.settings import Settings
    from jwt_authorizer.settings.model import IssuerSettings, KeySettings


@dataclass(frozen=True, slots=True)
class Dependencies:
    """What the parts use of the outside world.

    ``get`` and ``post`` send a request. ``report`` counts a metric, with a note for the log. ``package_root`` is the
    folder that ``file:`` settings are relative to. ``replay_store`` remembers used DPoP proofs; with ``None`` they are
    remembered in memory.
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
    """Build the authorizer. ``keys`` and ``tenants`` are what :func:`key_sources` returns.

    Reads the revocation list, if there is one, at ``now`` (Unix time in seconds).
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
    from jwt_authorizer.wiring.token_status import add_status_checks  # noqa: PLC0415 - for opaque tokens and revocation

    return add_status_checks(authorizer, settings, dependencies, now)


def issuers_with(keys: Mapping[str, KeySource], settings: Settings) -> dict[str, Issuer]:
    """Return the issuers without ``{tenant}``, by name. ``keys`` are their key caches, by name."""
    return {one.issuer: _issuer(one, one.issuer, keys[one.issuer]) for one in settings.issuers if one.tenants is None}


def key_sources(
    settings: Settings,
    dependencies: Dependencies,
    make_keys: Callable[[IssuerSettings], FetchedKeySource] | None = None,
) -> tuple[dict[str, FetchedKeySource], tuple[TenantIssuers, ...]]:
    """Make the key caches of the issuers without ``{tenant}``, by name, and the others' :class:`TenantIssuers`.

    ``make_keys`` replaces :func:`key_source`, which makes one cache.
    """
    make = make_keys or (lambda issuer: key_source(issuer, settings.keys, dependencies))
    keys = {one.issuer: make(one) for one in settings.issuers if one.tenants is None}
    return keys, tuple(
        _tenant_issuers(one, _tenant_list(one.tenants, settings.keys, dependencies), settings.keys, make)
        for one in settings.issuers
        if one.tenants is not None
    )


def key_source(
    issuer: IssuerSettings,
    keys: KeySettings,
    dependencies: Dependencies,
    watch: Callable[[Fetch], Fetch] = lambda fetch: fetch,
) -> FetchedKeySource:
    """Make an issuer's key cache. ``watch`` wraps the function that fetches, for tools that report what it returns."""
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
    from jwt_authorizer.issuers.several import SeveralKeySources  # noqa: PLC0415 - for several key sets

    return SeveralKeySources(sources)


def of_tenant(issuer: IssuerSettings, tenant: str) -> IssuerSettings:
    """Return the settings of one tenant's issuer."""
    jwks = tuple(location.replace(PLACEHOLDER, tenant) for location in issuer.jwks)
    return replace(issuer, issuer=issuer.issuer.replace(PLACEHOLDER, tenant), jwks=jwks)


def _tenant_issuers(
    issuer: IssuerSettings,
    listed: Callable[[float], frozenset[str]] | None,
    keys: KeySettings,
    make_keys: Callable[[IssuerSettings], FetchedKeySource],
) -> TenantIssuers:
    from jwt_authorizer.issuers.tenants import TenantIssuers  # noqa: PLC0415 - only for {tenant}

    is_shared = bool(issuer.jwks) and not any(PLACEHOLDER in location for location in issuer.jwks)
    return TenantIssuers(
        issuer.issuer,
        lambda iss, keys, tenant: _issuer(issuer, iss, keys, tenant),
        issuer.tenant_claim,
        listed,
        lambda tenant: make_keys(of_tenant(issuer, tenant)),
        cooldown=keys.ages.cooldown,
        shared=make_keys(issuer) if is_shared else None,
    )


def _tenant_list(
    tenants: tuple[str, ...] | str, keys: KeySettings, dependencies: Dependencies
) -> Callable[[float], frozenset[str]] | None:
    """Return a function that returns the accepted tenants at a time (Unix seconds); ``None`` if any is accepted."""
    if tenants == "any":
        return None
    if isinstance(tenants, tuple):
        fixed = frozenset(tenants)
        return lambda _: fixed
    from jwt_authorizer.issuers.tenants import cached_tenants  # noqa: PLC0415 - for a document that lists them

    read = document_reader(tenants, timeout=keys.timeout, package_root=dependencies.package_root)
    return cached_tenants(read, tenants, keys.ages, dependencies.report)


def _issuer(settings: IssuerSettings, name: str, keys: KeySource, tenant: Tenant | None = None) -> Issuer:
    return Issuer(name, settings.algorithms, settings.token_types, settings.claim_rules, keys, tenant)


def _load_hook(settings: Settings, package_root: str | PathLike[str]) -> Hook | None:
    """Import the user's own check (``JWT_HOOK``), if there is one."""
    if settings.hook is None:
        return None
    from jwt_authorizer.hooks import import_check, make_hook  # noqa: PLC0415 - only if there is a hook

    check = import_check(settings.hook, str(package_root))
    answers = settings.answers
    return make_hook(check, answers.cached_by, frozenset(key for key, _ in answers.context_claims), time.perf_counter)


def _binding_checker(settings: Settings, replay_store: ReplayStore | None) -> CheckBinding:
    """Make the check of bound tokens. Import its modules only if a binding is checked."""
    about = settings.bound_tokens
    if not about.checked:
        return ignore_binding if "ignore" in about.kinds else reject_bound_tokens
    from jwt_authorizer.binding.bound_tokens import (  # noqa: PLC0415 - see the docstring
        Binding,
        BindingSettings,
        binding_checker,
    )
    from jwt_authorizer.binding.dpop import DpopSettings  # noqa: PLC0415 - see the docstring
    from jwt_authorizer.binding.replay import MemoryReplayStore  # noqa: PLC0415 - see the docstring
    from jwt_authorizer.binding.target_uri import parse_uri  # noqa: PLC0415 - see the docstring

    dpop = DpopSettings(
        algorithms=frozenset[str]().union(*(issuer.algorithms for issuer in settings.issuers)),
        leeway=max(issuer.claim_rules.leeway for issuer in settings.issuers),
        max_age=about.dpop_max_age,
        public_urls=tuple(parse_uri(url) for url in about.dpop_urls),
    )
    checked = frozenset(Binding(kind) for kind in about.checked)
    return binding_checker(BindingSettings(checked, dpop, about.required), replay_store or MemoryReplayStore())
