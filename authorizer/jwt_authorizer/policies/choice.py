"""Which grants go into a policy: as many as leave each other what they give, and as many of those as fit.

A policy has 8 KB in all (API Gateway) and 512 characters for a resource. What does not fit gets wider denials, as long
as that takes nothing away; then, with ``unlisted_routes = "absent"``, wider patterns to allow; and what does not fit
even so is left out, what gives least for its bytes first.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING

from jwt_authorizer.policies.grants import Grant, given
from jwt_authorizer.policies.patterns import ANY, NO_EMPTY_SEGMENT, Matcher, resource, without_covered
from jwt_authorizer.policies.policy import MAX_RESOURCE
from jwt_authorizer.records import dataclass
from jwt_authorizer.rules.classes import OTHER

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from jwt_authorizer.policies.grants import Examples
    from jwt_authorizer.policies.patterns import Pattern

MAX_POLICY = 8 * 1024
"""Bytes of a policy that an authorizer may answer with (API Gateway quotas)."""
_AROUND_STATEMENTS = 400
"""Bytes kept free for what is around the resources: two statements, a condition."""
_AROUND_RESOURCE = 4
"""Bytes of quotes, comma and space."""
_FEW_DENIALS, _MOST_DENIALS = 8, 40
"""A wide pattern that needs more denials than this is not worth its bytes: at the first try, and at the second."""


def choose(grants: list[Grant], examples: Examples, first: frozenset[int]) -> list[Grant]:
    """Choose grants that leave each other what they give: the one that costs its rivals least comes first.

    Those that give one of the requests in ``first`` come before all others.
    """
    givers: dict[int, set[Grant]] = {}
    takers: dict[int, set[Grant]] = {}
    for grant in grants:
        for number in grant.gives:
            givers.setdefault(number, set()).add(grant)
        for number in grant.takes:
            takers.setdefault(number, set()).add(grant)

    def order(grant: Grant) -> tuple[bool, int, int]:
        rivals = {rival for number in grant.gives for rival in takers.get(number, ())}
        lost = {number for number in grant.takes if number in givers}
        # What a rival gives is lost if nobody else gives it.
        lost.update(number for rival in rivals for number in rival.gives if givers[number] <= rivals)
        return grant.gives.isdisjoint(first), examples.weigh(lost - grant.gives), -examples.weigh(grant.gives)

    chosen: list[Grant] = []
    have: set[int] = set()
    taken: set[int] = set()
    for grant in sorted(grants, key=order):
        if have.isdisjoint(grant.takes) and not grant.gives <= have | taken:
            chosen.append(grant)
            have |= grant.gives - taken
            taken |= grant.takes
    return chosen


@dataclass(frozen=True, slots=True)
class Room:
    """How much room a policy has. ``prefix`` is the length of what stands before each resource.

    ``unnamed`` are the HTTP methods that no rule names: what ``OTHER`` in front of a pattern is written as.
    """

    prefix: int
    unnamed: tuple[str, ...] = ()
    policy: int = MAX_POLICY

    def size(self, texts: Iterable[str]) -> int:
        """Return the bytes of some resources."""
        return sum(len(text) + self.prefix + _AROUND_RESOURCE for text in texts)

    def left(self, texts: Iterable[str]) -> int:
        """Return the bytes that some resources leave."""
        return self.policy - _AROUND_STATEMENTS - self.size(texts)

    def fits(self, *texts: Collection[str]) -> bool:
        """Return whether resources are few and short enough for one policy."""
        longest = max((len(text) for some in texts for text in some), default=0) + self.prefix
        return longest <= MAX_RESOURCE and self.left(text for some in texts for text in some) >= 0

    def texts(self, pattern: Pattern) -> tuple[str, ...]:
        """Write a pattern as resources."""
        if pattern[0] != OTHER:
            return (resource(pattern),)
        return tuple(resource((method, *pattern[1:])) for method in self.unnamed)

    def write(self, grants: Collection[Grant]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Write grants as resources to allow and to deny, none of them twice, and no denial that another one covers."""
        allowed = {text for grant in grants for text in self.texts(grant.pattern)}
        denials = {denial for grant in grants for denial in grant.denials}
        denied = {text for denial in without_covered(denials) for text in self.texts(denial)}
        if any(ANY in grant.pattern for grant in grants):
            denied.add(resource(NO_EMPTY_SEGMENT))
        return tuple(sorted(allowed)), tuple(sorted(denied))

    def holds(self, grants: Collection[Grant]) -> bool:
        """Return whether grants fit together. What cannot is often seen without writing denials."""
        allowed = {text for grant in grants for text in self.texts(grant.pattern)}
        return self.fits(allowed) and self.fits(*self.write(grants))


def fit(
    grants: list[Grant],
    wider: Callable[[list[Grant]], Iterable[Iterable[Grant]]],
    examples: Examples,
    room: Room,
    first: frozenset[int],
) -> list[Grant]:
    """Return grants that fit and give as much as possible; those that give one of ``first`` are kept before others.

    ``wider`` makes grants that may replace several of those that it is called with.
    """
    if room.holds(grants):
        return grants
    kept = given(grants)
    narrow = list(_with_wider_denials(grants, examples, kept))
    if room.holds(narrow):
        return narrow
    best, most = _pack(narrow, examples, room, first)
    more = list(narrow)
    for wide in wider(narrow):
        more += _with_wider_denials(wide, examples, kept, _MOST_DENIALS)
        packed, worth = _pack(more, examples, room, first)
        if worth > most:
            best, most = packed, worth
        if most == examples.weigh(kept):
            break
    return best


def allow_all(wide: Callable[[set[int]], Iterable[Grant]], examples: Examples, room: Room) -> list[Grant]:
    """Return few wide grants that allow every request, or none if they cannot.

    ``wide`` makes grants for what is still missing.
    """
    kept = frozenset(range(len(examples.routes)))
    missing, few = set(kept), []
    for grant in _with_wider_denials(wide(missing), examples, kept, _FEW_DENIALS):
        missing -= grant.gives
        few.append(grant)
    return few if not missing and room.holds(few) else []


def _with_wider_denials(
    grants: Iterable[Grant], examples: Examples, kept: frozenset[int], most: int | None = None
) -> Iterator[Grant]:
    """Replace segments of denials by ANY, as long as that takes nothing that is kept, so that many become one.

    Drop grants that take something that is kept, and those that need more than ``most`` denials.
    """
    forms: list[tuple[Matcher, Pattern]] = []
    for grant in grants:
        if not kept.isdisjoint(grant.takes):
            continue
        denials: set[Pattern] = set()
        for denial in sorted(grant.denials, key=len):
            form = next((form for matcher, form in forms if matcher.covers(denial)), None)
            if form is None:
                form = _widened(denial, examples, kept)
                forms.insert(0, (Matcher(form), form))
            denials.add(form)
            if most is not None and len(denials) > most:
                break
        else:
            yield Grant(grant.pattern, frozenset(denials), grant.gives & kept, frozenset())


def _widened(denial: Pattern, examples: Examples, kept: frozenset[int]) -> Pattern:
    for index in (*range(1, len(denial)), 0):
        wider = (*denial[:index], ANY, *denial[index + 1 :])
        if wider != denial and not examples.touches(wider, kept):
            denial = wider
    return denial


def _pack(grants: list[Grant], examples: Examples, room: Room, first: frozenset[int]) -> tuple[list[Grant], int]:
    """Take the grant that gives most for its bytes, again and again. Return those taken, and what they give."""
    texts = [{text for one in (grant.pattern, *grant.denials) for text in room.texts(one)} for grant in grants]
    written = {resource(NO_EMPTY_SEGMENT)}
    left = room.left(written)
    taken: set[int] = set()
    chosen: list[Grant] = []

    def rank(number: int) -> tuple[bool, float, int]:
        worth = examples.weigh(grants[number].gives - taken)
        size = room.size(texts[number] - written)
        return grants[number].gives.isdisjoint(first), -worth / (size or 1), number

    queue = [rank(number) for number in range(len(grants))]
    heapify(queue)
    while queue:
        before = heappop(queue)
        now = rank(before[2])
        if now > before:  # others have given some of it
            heappush(queue, now)
            continue
        new = texts[now[2]] - written
        if now[1] and room.fits(new) and room.size(new) <= left:
            chosen.append(grants[now[2]])
            taken |= grants[now[2]].gives
            written |= new
            left -= room.size(new)
    return chosen, examples.weigh(taken)
