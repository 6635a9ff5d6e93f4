"""Rules, a principal and a request become a policy."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from jwt_authorizer.errors import shown
from jwt_authorizer.events import EventKind
from jwt_authorizer.policies.choice import MAX_POLICY, Room
from jwt_authorizer.policies.grants import given
from jwt_authorizer.policies.making import Maker
from jwt_authorizer.policies.policy import ALLOW_CONNECT, ALLOW_EVERYTHING, DENY_EVERYTHING, policy_of
from jwt_authorizer.records import dataclass, replace
from jwt_authorizer.rules.classes import ALLOWED, OTHER, REFUSED, Classes
from jwt_authorizer.rules.model import ANY_METHOD, Deny
from jwt_authorizer.rules.route_keys import decisions
from jwt_authorizer.rules.spellings import exact_resource, is_plain

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jwt_authorizer.claims import Principal
    from jwt_authorizer.events import Request
    from jwt_authorizer.policies.grants import Grant
    from jwt_authorizer.policies.making import Routes
    from jwt_authorizer.policies.policy import Policy
    from jwt_authorizer.rules import Allow, Rules

_REMEMBERED = 256
"""Policies kept: one for each set of rights that principals have had (and stage name's length)."""
MOST_WORK = 150_000
"""Steps to find a policy, of 2 to 3 µs each. Only routes that overlap a lot come to them."""

_NO_SLASH = "all routes with variables, where a path has no slash at its end"
_BROKEN_PROMISE = (
    'unlisted_routes = "absent" promises that the API has no routes but those listed, and this request came by {}: '
    'this answer is as with unlisted_routes = "deny". List the API\'s routes'
)
_TOO_LONG = "the request itself: it is too long for a policy"


@dataclass(frozen=True, slots=True)
class _Question:
    """What a policy depends on. ``first`` are routes that have to be in it; with ``alone`` no others are.

    ``slash``: it is for paths with a slash at the end.
    """

    rights: int
    prefix: int
    first: Routes = frozenset()
    alone: bool = False
    slash: bool = False


class PolicyCompiler:
    """Makes policies by rules, and keeps them by what they depend on.

    ``max_bytes`` is the room for one policy, ``most_work`` the number of steps for finding one.
    """

    def __init__(self, rules: Rules, max_bytes: int = MAX_POLICY, most_work: int = MOST_WORK) -> None:
        """Begin without policies."""
        self.rules, self._max_bytes, self._most_work = rules, max_bytes, most_work
        self._classes = Classes(rules)
        self._maker: Maker | None = None
        self._policies: OrderedDict[_Question, Policy] = OrderedDict()
        self._decisions: dict[tuple[int, str], int] = {}
        self._rights: dict[int, tuple[Principal, int]] = {}
        self._without_promise: PolicyCompiler | None = None

    def compile(self, principal: Principal, decision: Allow | Deny, request: Request, cached_by: str) -> Policy:
        """Return a policy that says the decision about a request, and is right as far as the cache's key reaches.

        ``cached_by`` is ``JWT_CACHED_BY``: ``token`` (all routes that the principal may use), ``route`` (the
        route that matched), ``nothing`` (this request).
        """
        refused = isinstance(decision, Deny)
        if request.kind is EventKind.WEBSOCKET:
            return DENY_EVERYTHING if refused else ALLOW_CONNECT
        if self.rules.absent and self._breaks_promise(request):
            if self._without_promise is None:
                rules = replace(self.rules, absent=False)
                self._without_promise = PolicyCompiler(rules, self._max_bytes, self._most_work)
            policy = self._without_promise.compile(principal, decision, request, cached_by)
            return replace(policy, warnings=(_BROKEN_PROMISE.format(shown(ascii(request.matched))),))
        question = _Question(self._rights_of(principal), len(request.stage.prefix))
        # What a TOKEN authorizer's cache is keyed by is the token, even with ``route``.
        by_token = cached_by == "token" or (cached_by == "route" and request.kind is EventKind.REST_TOKEN)
        if by_token or (cached_by == "route" and not self.one_answer(principal, decision, request)):
            return self._without(question, request) if refused else self._with(question, request)
        if refused:
            return DENY_EVERYTHING
        if cached_by == "nothing":
            return self._exactly(question, request, DENY_EVERYTHING)
        alone = replace(question, alone=True)
        routes = self._routes(alone, request, all_methods=request.has_any_method)
        return self._with(replace(alone, first=routes), request)

    def _rights_of(self, principal: Principal) -> int:
        """Return which requirements a principal meets. A remembered token has the same principal each time."""
        known = self._rights.get(id(principal))
        if known is None or known[0] is not principal:
            if len(self._rights) >= _REMEMBERED:
                self._rights.clear()
            known = self._rights[id(principal)] = (principal, self.rules.rights(principal))
        return known[1]

    def _breaks_promise(self, request: Request) -> bool:
        """Return whether the event came by a route of the API that no rule lists, though they are to be all."""
        if request.matched is None:
            return False
        any_method = request.kind is EventKind.HTTP_API_V2 and request.has_any_method
        return not self.rules.lists(ANY_METHOD if any_method else request.method, request.matched)

    def _routes(self, question: _Question, request: Request, *, all_methods: bool = False) -> Routes:
        """Return the routes that decide about a request; for a policy of one route, with all methods of their rule."""
        methods = self._maker_for(question).methods
        own = request.method if request.method in methods else OTHER
        return frozenset(
            (found.path, method)
            for found in self.rules.find(request.path)
            for method in methods
            if all_methods or method == own or (question.alone and found.listed(method) == found.listed(own))
        )

    def _with(self, question: _Question, request: Request) -> Policy:
        """Return a policy that permits a request which the rules allow: the first of these that does."""
        text = _text(request)
        policy = self._policy(question)
        if policy.permits(text):
            return policy
        if text.endswith("/"):
            other = self._policy(replace(question, slash=True))
            if other.permits(text):
                return replace(other, left_out=(*other.left_out, _NO_SLASH))
        forced = self._policy(replace(question, first=self._routes(question, request)))
        may_force = forced.permits(text)
        if may_force and forced.weight >= policy.weight:
            return forced
        added = policy_of((*policy.resources("Allow"), text), policy.resources("Deny"), policy.left_out)
        if self._holds(question, added, text):
            return added
        return forced if may_force else self._beside(question, request, forced)

    def _beside(self, question: _Question, request: Request, policy: Policy) -> Policy:
        """Allow a request with an odd path, beside the grants that do without denying it."""
        text, room = _text(request), self._room(question)
        kept = [one for one in policy.grants if policy_of(("*",), room.write([one])[1]).permits(text)]
        beside = self._written(self._maker_for(question), question, kept, text)
        return beside if self._holds(question, beside, text) else self._exactly(question, request, policy)

    def _holds(self, question: _Question, policy: Policy, text: str) -> bool:
        """Return whether a policy to which a request was added fits, and permits it; its text is not a pattern."""
        fits = self._room(question).fits(policy.resources("Allow"), policy.resources("Deny"))
        return is_plain(text) and fits and policy.permits(text)

    def _without(self, question: _Question, request: Request) -> Policy:
        """Return a policy that denies a request which the rules deny: no route is for it, or another one is."""
        policy, text = self._policy(question), _text(request)
        if not policy.permits(text):
            return policy
        room, allow, deny = self._room(question), policy.resources("Allow"), (*policy.resources("Deny"), text)
        if is_plain(text) and room.fits(allow, deny):
            return policy_of(allow, deny, policy.left_out)
        kept = [one for one in policy.grants if not policy_of(*room.write([one])).permits(text)]
        return self._written(self._maker_for(question), question, kept)

    def _exactly(self, question: _Question, request: Request, instead_of: Policy) -> Policy:
        """Allow this request and nothing else. If it is too long for a resource, allow its route."""
        allowed, denied = exact_resource(self.rules, question.rights, request.method, request.path)
        if Room(question.prefix, policy=self._max_bytes).fits((allowed,), denied):
            routes = (
                () if instead_of is DENY_EVERYTHING else self._written(self._maker_for(question), question, ()).left_out
            )
            return policy_of((allowed,), denied, routes)
        alone = _Question(question.rights, question.prefix, alone=True)
        route = self._policy(replace(alone, first=self._routes(alone, request)))
        if route.permits(_text(request)):
            return route
        return replace(instead_of, left_out=(*instead_of.left_out, _TOO_LONG))

    def one_answer(self, principal: Principal, decision: Allow | Deny, request: Request) -> bool:
        """Return whether a decision is right for all of the API's route, where the event names that."""
        if request.route_key is None:
            return True
        return self._route_decisions(principal, request) == (REFUSED if isinstance(decision, Deny) else ALLOWED)

    def may_be_allowed(self, principal: Principal, request: Request) -> bool:
        """Return whether the rules allow anything of the API's route, where the event names that."""
        if request.route_key is None:
            return True
        return bool(self._route_decisions(principal, request) & ALLOWED)

    def _route_decisions(self, principal: Principal, request: Request) -> int:
        # An HTTP API's route key has its method, a REST API's resource has it beside it in the cache's key.
        route = f"{request.method} {request.route_key}" if request.kind is EventKind.REST_REQUEST else request.route_key
        key = (self._rights_of(principal), route or "")
        found = self._decisions.get(key)
        if found is None:
            if len(self._decisions) >= _REMEMBERED:
                self._decisions.clear()
            found = self._decisions[key] = decisions(self.rules, self._classes, key[1], key[0])
        return found

    def _policy(self, question: _Question) -> Policy:
        policy = self._policies.get(question)
        if policy is not None:
            self._policies.move_to_end(question)
            return policy
        maker = self._maker_for(question)
        if maker.allows_everything:
            policy = ALLOW_EVERYTHING
        else:
            grants = maker.make(self._room(question), question.first, alone=question.alone)
            policy = self._written(maker, question, grants)
        self._policies[question] = policy
        if len(self._policies) > _REMEMBERED:
            self._policies.popitem(last=False)
        return policy

    def _maker_for(self, question: _Question) -> Maker:
        maker = self._maker  # one request may need several policies for the same rights
        if maker is None or (maker.rights, maker.slash) != (question.rights, question.slash):
            rules, classes = self.rules, self._classes
            maker = self._maker = Maker(rules, classes, question.rights, slash=question.slash, work=self._most_work)
        return maker

    def _room(self, question: _Question) -> Room:
        return Room(question.prefix, self._maker_for(question).unnamed, self._max_bytes)

    def _written(self, maker: Maker, question: _Question, grants: Iterable[Grant], *more: str) -> Policy:
        """Write grants as a policy, with further requests to allow."""
        made = tuple(grants)
        allowed, denied = self._room(question).write(made)
        have = given(made)
        left_out = dict.fromkeys(
            route.route(listed)
            for number, (route, method) in enumerate(maker.examples.routes)
            if number not in have and (not question.alone or (route.path, method) in question.first)
            if (listed := route.listed(method)) is not None
        )
        return policy_of((*allowed, *more), denied, tuple(left_out), grants=made, weight=maker.examples.weigh(have))


def _text(request: Request) -> str:
    """Return what is asked for as API Gateway's ARN has it behind the stage."""
    return f"{request.method}{request.path}"
