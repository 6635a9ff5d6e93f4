"""A policy as it is kept, and what becomes of it for one request that it is not right about.

Each way gives away no more than the policy did: a text is added that means itself alone, or something is taken out.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from jwt_authorizer.policies.sizes import Wording
from jwt_authorizer.policies.statements import Compiled, compiled
from jwt_authorizer.policies.words import SPECIAL, compile_texts
from jwt_authorizer.records import dataclass

if TYPE_CHECKING:
    from jwt_authorizer.policies.sizes import Limits


@dataclass(frozen=True, slots=True)
class Part:
    """What stands or falls together in a policy, and the routes that it is for."""

    wording: Wording
    routes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy, ready to be used again for whoever has the same rights."""

    parts: tuple[Part, ...]
    wording: Wording
    compiled: Compiled
    share: float
    allowed: re.Pattern[str]
    denied: re.Pattern[str]

    @property
    def routes(self) -> tuple[str, ...]:
        """Name all routes that it was to allow, those that are left out as well."""
        return _left_out(self, [])

    def permits(self, text: str) -> bool:
        """Tell whether a request (its method and path) may pass by it."""
        return self.allowed.match(text) is not None and self.denied.match(text) is None


def policy_of(parts: tuple[Part, ...], wording: Wording, left_out: tuple[str, ...], share: float) -> Policy:
    """Make a policy ready for use."""
    allowed, denied = compile_texts(wording.allowed), compile_texts(wording.denied)
    return Policy(parts, wording, compiled(wording, left_out), share, allowed, denied)


def is_plain(text: str) -> bool:
    """Tell whether a text means itself in a resource."""
    return re.search(SPECIAL, text) is None


def with_literal(policy: Policy, text: str, limits: Limits) -> Compiled | None:
    """Add a request to a policy that leaves it out, if nothing in the policy denies it."""
    wording = Wording((*policy.wording.allowed, text), policy.wording.denied)
    if not limits.fits(wording.allowed, wording.denied) or not is_plain(text) or policy.denied.match(text) is not None:
        return None
    return compiled(wording, policy.compiled.left_out)


def beside_literal(policy: Policy, text: str, limits: Limits) -> Compiled | None:
    """Add a request to those parts of a policy that can do without denying it: it has an odd path."""
    denied = {one for part in policy.parts for one in part.wording.denied if compile_texts((one,)).match(text)}
    kept = [part for part in policy.parts if denied.isdisjoint(part.wording.denied)]
    wording = _worded(kept, text)
    if not is_plain(text) or not limits.fits(wording.allowed, wording.denied):
        return None
    return compiled(wording, _left_out(policy, kept))


def without_literal(policy: Policy, text: str, limits: Limits) -> Compiled:
    """Deny a request that is refused though its text would pass: no route is for it, or another one is."""
    wording = Wording(policy.wording.allowed, (*policy.wording.denied, text))
    if is_plain(text) and limits.fits(wording.allowed, wording.denied):
        return compiled(wording, policy.compiled.left_out)
    kept = [part for part in policy.parts if not compile_texts(part.wording.allowed).match(text)]
    return compiled(_worded(kept), _left_out(policy, kept))


def _worded(parts: list[Part], *more: str) -> Wording:
    allowed = set(more).union(*(part.wording.allowed for part in parts))
    denied = {one for part in parts for one in part.wording.denied}
    return Wording(tuple(sorted(allowed)), tuple(sorted(denied)))


def _left_out(policy: Policy, kept: list[Part]) -> tuple[str, ...]:
    gone = (route for part in policy.parts if part not in kept for route in part.routes)
    return tuple(dict.fromkeys((*policy.compiled.left_out, *gone)))
