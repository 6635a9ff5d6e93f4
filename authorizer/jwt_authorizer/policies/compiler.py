"""Rules, principal and request become the statements of a policy: see ``docs/policies.md``."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from jwt_authorizer.errors import shown
from jwt_authorizer.events import EventKind
from jwt_authorizer.policies import route_keys
from jwt_authorizer.policies.literals import literal
from jwt_authorizer.policies.overlaps import describe_overlaps
from jwt_authorizer.policies.policy import Part, beside_literal, policy_of, with_literal, without_literal
from jwt_authorizer.policies.repairs import Repairs
from jwt_authorizer.policies.selection import kept, select
from jwt_authorizer.policies.sizes import MAX_POLICY, Limits, Unit, Wording, fit, word
from jwt_authorizer.policies.statements import DENY_EVERYTHING, Compiled, Statement, compiled
from jwt_authorizer.policies.verdicts import Answer, Item, TooMuchWork, Verdicts
from jwt_authorizer.records import dataclass, field, replace
from jwt_authorizer.rules.model import ANY_METHOD, CONNECT, Deny

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jwt_authorizer.claims import Principal
    from jwt_authorizer.events import Request
    from jwt_authorizer.policies.policy import Policy
    from jwt_authorizer.rules import Allow, Rules

_REMEMBERED = 256
"""Policies kept: one for each set of rights that principals have had (and stage name's length)."""
_NEARLY_ALL = 0.85
"""A rule with less of its requests in a policy is reported as left out."""
_MOST_WORK = 150_000
"""Steps (see :class:`Verdicts`) to find a policy: some 150 ms, which only routes that overlap a lot come to."""


_GIVEN_UP = policy_of((), Wording((), ()), ("all routes: they overlap too much to find a policy for them",), share=0)
"""What is remembered where finding a policy takes too much work. It allows nothing, which is always right."""

_NOTHING = policy_of((), Wording((), ()), (), share=0)
"""Where no cached policy is given up for one request."""
_NO_SLASH = "all routes with variables, where a path has no slash at its end"
_BROKEN_PROMISE = (
    'unlisted_routes = "absent" promises that the API has no routes but those listed, and this request came by {}: '
    'this answer is as with unlisted_routes = "deny". List the API\'s routes'
)
_TOO_LONG = "the request itself: it is too long for a policy"


@dataclass(frozen=True, slots=True)
class _Question:
    """What a policy depends on. ``first`` are rules that have to be in it, ``alone`` says that no others are.

    ``slash`` says that it is for paths with a slash at the end: no pattern is right for them and for those without it.
    """

    rights: int
    prefix: int
    first: frozenset[Item] = frozenset()
    alone: bool = False
    slash: bool = False


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
    _policies: OrderedDict[_Question, Policy] = field(init=False, default_factory=OrderedDict)
    _answers: dict[tuple[int, str], frozenset[Answer]] = field(init=False, default_factory=dict)
    _without_promise: PolicyCompiler | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        """Prepare what does not depend on the principal."""
        self._verdicts = Verdicts(self.rules)

    def compile(self, principal: Principal, decision: Allow | Deny, request: Request, cached_by: str) -> Compiled:
        """Word the decision about a request as far as the cache's key reaches."""
        refused = isinstance(decision, Deny)
        if request.kind is EventKind.WEBSOCKET:
            return DENY_EVERYTHING if refused else Compiled((Statement("Allow", (CONNECT,)),))
        if self.rules.absent and self._breaks_promise(request):
            if self._without_promise is None:
                self._without_promise = PolicyCompiler(
                    replace(self.rules, absent=False), self.max_bytes, self.most_work
                )
            made = self._without_promise.compile(principal, decision, request, cached_by)
            return Compiled(made.statements, made.left_out, (_BROKEN_PROMISE.format(shown(ascii(request.matched))),))
        rights = self.rules.rights(principal)
        # What a TOKEN authorizer's cache is keyed by is the token, whatever the setting says.
        by_token = cached_by == "token" or (cached_by == "route" and request.kind is EventKind.REST_TOKEN)
        if by_token or (cached_by == "route" and not self.one_answer(principal, decision, request)):
            return self._for_all_routes(rights, request, refused=refused)
        if refused:
            return DENY_EVERYTHING
        if cached_by == "nothing":
            return self._literal(rights, request, _NOTHING)
        return self._for_routes(rights, request, alone=True)

    def _breaks_promise(self, request: Request) -> bool:
        """Tell whether the event came by a route of the API that no rule lists, though they are to be all."""
        if request.matched is None:
            return False
        any_method = request.kind is EventKind.HTTP_API_V2 and request.has_any_method
        return not self.rules.lists(ANY_METHOD if any_method else request.method, request.matched)

    def _for_all_routes(self, rights: int, request: Request, *, refused: bool) -> Compiled:
        question = _Question(rights, len(request.arn.prefix))
        policy, text, limits = self._policy(question), _text(request), self._limits(request)
        if refused:
            return without_literal(policy, text, limits) if policy.permits(text) else policy.compiled
        found = self._permitting(question, request)
        if found is not None:
            return found
        if policy is _GIVEN_UP:
            return self._literal(rights, request, policy)
        # The request is left out. Another policy with as much in it may have its route; else it is added alone.
        first = self._policy(_Question(rights, len(request.arn.prefix), self._items(request)))
        if first.share < policy.share:
            added = with_literal(policy, text, limits)
            if added is not None:
                return added
        return self._for_routes(rights, request, alone=False)

    def _for_routes(self, rights: int, request: Request, *, alone: bool) -> Compiled:
        """Have the routes that decide about a request in the policy, whatever else that costs."""
        items = self._items(request, all_methods=alone and request.has_any_method)
        question = _Question(rights, len(request.arn.prefix), items, alone)
        found = self._permitting(question, request)
        if found is not None:
            return found
        policy, text, limits = self._policy(question), _text(request), self._limits(request)
        if policy is _GIVEN_UP:
            return self._literal(rights, request, policy)
        added = with_literal(policy, text, limits) or beside_literal(policy, text, limits)
        return added or self._literal(rights, request, policy)

    def _permitting(self, question: _Question, request: Request) -> Compiled | None:
        """Give the policy if it permits a request, or else its like for paths with a slash at the end, if that does."""
        policy = self._policy(question)
        if policy.permits(_text(request)):
            return policy.compiled
        if request.path.endswith("/"):
            policy = self._policy(replace(question, slash=True))
            if policy.permits(_text(request)):
                return Compiled(policy.compiled.statements, (*policy.compiled.left_out, _NO_SLASH))
        return None

    def _items(self, request: Request, *, all_methods: bool = False) -> frozenset[Item]:
        return frozenset(
            Item(self._verdicts.numbers[resource], listed)
            for resource in self.rules.find(request.path)
            for listed in (resource.methods if all_methods else (resource.listed(request.method) or ANY_METHOD,))
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

    def _policy(self, question: _Question) -> Policy:
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

    def _make(self, question: _Question) -> Policy:
        if self._repairs is None or (self._repairs.rights, self._repairs.slash) != (question.rights, question.slash):
            self._repairs = Repairs(self.rules, self._verdicts, question.rights, slash=question.slash)
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
        left_out = self._names(item for item in items if item not in granted)
        parts = tuple(Part(word([unit]), self._names(unit.items)) for unit in units)
        return policy_of(parts, word(units), left_out, sum(shares[item] for unit in units for item in unit.items))

    def _names(self, items: Iterable[Item]) -> tuple[str, ...]:
        return tuple(self.rules.resources[item.resource].route(item.listed) for item in sorted(items))

    def _literal(self, rights: int, request: Request, instead_of: Policy) -> Compiled:
        """Allow this request and nothing else. Where that is too long for a policy, it is the other that there is."""
        wording = literal(self.rules, rights, request.method, request.path)
        if self._limits(request).fits((wording.allowed,), wording.denied):
            return compiled(Wording((wording.allowed,), wording.denied), instead_of.routes)
        # Too long for a resource; its route is not, and what else that allows is allowed anyway.
        route = self._policy(_Question(rights, len(request.arn.prefix), self._items(request), alone=True))
        if route.permits(_text(request)):
            return route.compiled
        return Compiled(instead_of.compiled.statements, (*instead_of.compiled.left_out, _TOO_LONG))

    def _limits(self, request: Request) -> Limits:
        return Limits(len(request.arn.prefix), self.max_bytes)


def _text(request: Request) -> str:
    """Write what is asked for as API Gateway's ARN has it behind the stage."""
    return f"{request.method}{request.path}"
