"""Rules, principal and request become the statements of a policy: see ``docs/policies.md``."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from authorizer.dataclass import dataclass, field
from authorizer.events import EventKind
from authorizer.policies import route_keys
from authorizer.policies.literals import is_plain, literal
from authorizer.policies.overlaps import describe_overlaps
from authorizer.policies.repairs import Repairs
from authorizer.policies.selection import kept, select
from authorizer.policies.sizes import MAX_POLICY, Limits, Unit, Wording, fit, word
from authorizer.policies.statements import DENY_EVERYTHING, Compiled, Statement, compiled
from authorizer.policies.verdicts import Answer, Item, TooMuchWork, Verdicts
from authorizer.policies.words import compile_texts
from authorizer.rules.model import ANY_METHOD, CONNECT, Deny

if TYPE_CHECKING:
    import re

    from authorizer.claims import Principal
    from authorizer.events import Request
    from authorizer.rules import Allow, Rules

_REMEMBERED = 256
"""Policies kept: one for each set of rights that principals have had (and stage name's length)."""
_NEARLY_ALL = 0.85
"""A rule with less of its requests in a policy is reported as left out."""
_MOST_WORK = 150_000
"""Steps (see :class:`Verdicts`) to find a policy: some 150 ms, which only routes that overlap a lot come to."""


@dataclass(frozen=True, slots=True)
class _Policy:
    """A policy, ready to be used again for whoever has the same rights."""

    parts: tuple[Wording, ...]
    wording: Wording
    compiled: Compiled
    share: float
    allowed: re.Pattern[str]
    denied: re.Pattern[str]

    def permits(self, text: str) -> bool:
        return self.allowed.match(text) is not None and self.denied.match(text) is None


_GIVEN_UP = _Policy(
    (),
    Wording((), ()),
    compiled(Wording((), ()), ("all routes: they overlap too much to find a policy for them",)),
    share=0,
    allowed=compile_texts(()),
    denied=compile_texts(()),
)
"""What is remembered where finding a policy takes too much work. It allows nothing, which is always right."""


@dataclass(frozen=True, slots=True)
class _Question:
    """What a policy depends on. ``first`` are rules that have to be in it, ``alone`` says that no others are."""

    rights: int
    prefix: int
    first: frozenset[Item] = frozenset()
    alone: bool = False


@dataclass(slots=True)
class PolicyCompiler:
    """Makes policies by rules, and keeps them by what they depend on. ``max_bytes`` is the room for one policy.

    ``most_work`` are the steps for finding one: see :class:`Verdicts`. Implements
    :class:`authorizer.policies.statements.Policies`.
    """

    rules: Rules
    max_bytes: int = MAX_POLICY
    most_work: int = _MOST_WORK
    _verdicts: Verdicts = field(init=False)
    _repairs: Repairs | None = field(init=False, default=None)
    _policies: OrderedDict[_Question, _Policy] = field(init=False, default_factory=OrderedDict)
    _answers: dict[tuple[int, str], frozenset[Answer]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        """Prepare what does not depend on the principal."""
        self._verdicts = Verdicts(self.rules)

    def compile(self, principal: Principal, decision: Allow | Deny, request: Request, cached_by: str) -> Compiled:
        """Word the decision about a request as far as the cache's key reaches."""
        refused = isinstance(decision, Deny)
        if request.kind is EventKind.WEBSOCKET:
            return DENY_EVERYTHING if refused else Compiled((Statement("Allow", (CONNECT,)),))
        rights = self.rules.rights(principal)
        if cached_by == "token" or (cached_by == "route" and not self.one_answer(principal, decision, request)):
            return self._for_all_routes(rights, request, refused=refused)
        if refused:
            return DENY_EVERYTHING
        if cached_by == "nothing":
            return self._literal(rights, request)
        return self._for_routes(rights, request, alone=True)

    def _for_all_routes(self, rights: int, request: Request, *, refused: bool) -> Compiled:
        policy = self._policy(_Question(rights, len(request.arn.prefix)))
        permitted = policy.permits(_text(request))
        if permitted and refused:
            return self._without_literal(policy, request)
        if permitted or refused:
            return policy.compiled
        if policy is _GIVEN_UP:
            return self._literal(rights, request, policy.compiled.left_out)
        # The request is left out. Another policy with as much in it may have its route; else it is added alone.
        first = self._policy(_Question(rights, len(request.arn.prefix), self._items(request)))
        if first.share < policy.share:
            added = self._with_literal(policy, request)
            if added is not None:
                return added
        return self._for_routes(rights, request, alone=False)

    def _for_routes(self, rights: int, request: Request, *, alone: bool) -> Compiled:
        """Have the routes that decide about a request in the policy, whatever else that costs."""
        policy = self._policy(_Question(rights, len(request.arn.prefix), self._items(request), alone))
        if policy.permits(_text(request)):
            return policy.compiled
        if policy is _GIVEN_UP:
            return self._literal(rights, request, policy.compiled.left_out)
        added = self._with_literal(policy, request) or self._beside_literal(policy, request)
        return added or self._literal(rights, request)

    def _items(self, request: Request) -> frozenset[Item]:
        return frozenset(
            Item(self._verdicts.numbers[resource], resource.listed(request.method) or ANY_METHOD)
            for resource in self.rules.find(request.path)
        )

    def one_answer(self, principal: Principal, decision: Allow | Deny, request: Request) -> bool:
        """Tell whether a decision is right for all of the API's route, where the event names that."""
        if request.route_key is None:
            return True
        return self._route_answers(principal, request) <= {
            Answer.REFUSED if isinstance(decision, Deny) else Answer.ALLOWED
        }

    def may_be_allowed(self, principal: Principal, request: Request) -> bool:
        """Tell whether the rules allow anything of the API's route, where the event names that."""
        if request.route_key is None:
            return True
        return Answer.ALLOWED in self._route_answers(principal, request)

    def _route_answers(self, principal: Principal, request: Request) -> frozenset[Answer]:
        # An HTTP API's route key has its method, a REST API's resource has it beside it in the cache's key.
        route = f"{request.method} {request.route_key}" if request.kind is EventKind.REST_REQUEST else request.route_key
        key = (self.rules.rights(principal), route or "")
        answers = self._answers.get(key)
        if answers is None:
            if len(self._answers) >= _REMEMBERED:
                self._answers.clear()
            answers = self._answers[key] = route_keys.answers(self.rules, self._verdicts, key[1], key[0])
        return answers

    def warnings(self, cached_by: str) -> tuple[str, ...]:
        """Say which routes overlap so that some principals' cached policies cannot have both, and what to do."""
        return describe_overlaps(self.rules, self._verdicts) if cached_by == "token" and self.rules.resources else ()

    def _policy(self, question: _Question) -> _Policy:
        policy = self._policies.get(question)
        if policy is None:
            self._verdicts.limit(self.most_work)
            try:
                policy = self._make(question)
            except TooMuchWork:
                policy = _GIVEN_UP
            self._policies[question] = policy
            if len(self._policies) > _REMEMBERED:
                self._policies.popitem(last=False)
        else:
            self._policies.move_to_end(question)
        return policy

    def _make(self, question: _Question) -> _Policy:
        if self._repairs is None or self._repairs.rights != question.rights:
            self._repairs = Repairs(self.rules, self._verdicts, question.rights)
        repairs = self._repairs  # one request may need two policies for the same rights
        items = [item for item in repairs.items if not question.alone or item in question.first]
        choice = select(repairs, {item: repairs.grants(item) for item in items}, question.first)
        shares = kept(repairs, choice)
        units = [
            Unit(frozenset(grant.patterns), grant.denials, frozenset({item}))
            for item, grant in choice.items()
            if grant is not None and shares[item] > 0
        ]
        units = fit(repairs, units, shares, Limits(question.prefix, self.max_bytes), question.first)
        granted = {item for unit in units for item in unit.items if shares[item] >= _NEARLY_ALL}
        resources = self.rules.resources
        left_out = [resources[item.resource].route(item.listed) for item in items if item not in granted]
        wording = word(units)
        return _Policy(
            tuple(word([unit]) for unit in units),
            wording,
            compiled(wording, tuple(left_out)),
            sum(shares[item] for unit in units for item in unit.items),
            compile_texts(wording.allowed),
            compile_texts(wording.denied),
        )

    def _with_literal(self, policy: _Policy, request: Request) -> Compiled | None:
        """Add a request to a policy that leaves it out, if nothing in the policy denies it."""
        text = _text(request)
        wording = Wording((*policy.wording.allowed, text), policy.wording.denied)
        if (
            not self._limits(request).fits(wording.allowed, wording.denied)
            or not is_plain(text)
            or policy.denied.match(text) is not None
        ):
            return None
        return compiled(wording, policy.compiled.left_out)

    def _beside_literal(self, policy: _Policy, request: Request) -> Compiled | None:
        """Add a request to those parts of a policy that can do without denying it: it has an odd path."""
        text = _text(request)
        denied = {one for part in policy.parts for one in part.denied if compile_texts((one,)).match(text)}
        parts = [part for part in policy.parts if denied.isdisjoint(part.denied)]
        allowed = {text}.union(*(part.allowed for part in parts))
        wording = Wording(tuple(sorted(allowed)), tuple(sorted({one for part in parts for one in part.denied})))
        if not is_plain(text) or not self._limits(request).fits(wording.allowed, wording.denied):
            return None
        return compiled(wording, policy.compiled.left_out)

    def _without_literal(self, policy: _Policy, request: Request) -> Compiled:
        """Deny a request that is refused though its text would pass: no route is for it, or another one is."""
        wording = Wording(policy.wording.allowed, (*policy.wording.denied, _text(request)))
        if not is_plain(_text(request)) or not self._limits(request).fits(wording.allowed, wording.denied):
            return DENY_EVERYTHING
        return compiled(wording, policy.compiled.left_out)

    def _literal(self, rights: int, request: Request, left_out: tuple[str, ...] = ()) -> Compiled:
        """Allow this request and nothing else."""
        wording = literal(self.rules, rights, request.method, request.path)
        if not self._limits(request).fits((wording.allowed,), wording.denied):
            # Too long for a resource; its route is not, and what else that allows is allowed anyway.
            route = self._policy(_Question(rights, len(request.arn.prefix), self._items(request), alone=True))
            if route.permits(_text(request)):
                return route.compiled
            return Compiled(DENY_EVERYTHING.statements, ("the request itself: it is too long for a policy",))
        return compiled(Wording((wording.allowed,), wording.denied), left_out)

    def _limits(self, request: Request) -> Limits:
        return Limits(len(request.arn.prefix), self.max_bytes)


def _text(request: Request) -> str:
    """Write what is asked for as API Gateway's ARN has it behind the stage."""
    return f"{request.method}{request.path}"
