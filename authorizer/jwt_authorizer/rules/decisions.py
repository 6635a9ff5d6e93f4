"""Routes become :class:`Rules`, which decide whether a principal may ask for a method and path."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jwt_authorizer.claim_conditions import is_met, overage
from jwt_authorizer.errors import ErrorCode
from jwt_authorizer.records import dataclass, field
from jwt_authorizer.rules.model import ANY_METHOD, CONNECT, DEFAULT, Allow, Deny, Route
from jwt_authorizer.rules.templates import Node, Template, Variable, parse_template, read_path, shape

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jwt_authorizer.claim_conditions import ClaimCondition
    from jwt_authorizer.claims import Principal


@dataclass(frozen=True, slots=True)
class Requirement:
    """What a principal needs to have. Routes that need the same share one, so that it is checked once."""

    scopes: tuple[str, ...]
    any_scopes: tuple[str, ...]
    claims: tuple[ClaimCondition, ...]
    issuers: frozenset[str]

    def denies(self, principal: Principal, route: str) -> Deny | None:
        """Return why a principal may not pass, or ``None``. The issuer comes first: no scope helps a wrong one."""
        if self.issuers and principal.issuer not in self.issuers and principal.configured_issuer not in self.issuers:
            return Deny(ErrorCode.CLAIM_MISMATCH, (), route)
        held = principal.scopes
        lacks_one = bool(self.any_scopes) and held.isdisjoint(self.any_scopes)
        if lacks_one or not held.issuperset(self.scopes) or not held.issuperset(principal.required_scopes):
            needed = (*principal.required_scopes, *self.scopes, *(self.any_scopes if lacks_one else ()))
            return Deny(ErrorCode.INSUFFICIENT_SCOPE, tuple(dict.fromkeys(needed)), route)
        for condition in self.claims:
            if not is_met(condition, principal.claims):
                return Deny(ErrorCode.CLAIM_MISMATCH, (), route, overage(condition, principal.claims))
        return None


@dataclass(frozen=True, slots=True)
class Field:
    """A GraphQL field of AppSync (``Mutation.deleteOrder``), and what a principal needs to have for it."""

    name: str
    requirement: Requirement


@dataclass(frozen=True, slots=True, eq=False)
class Resource:
    """A path template with its rules by method: the number of each rule's requirement in :attr:`Rules.requirements`."""

    path: str
    template: Template
    methods: dict[str, int] = field(default_factory=dict)

    @property
    def greedy(self) -> bool:
        """Return whether it matches paths of any length."""
        return bool(self.template) and self.template[-1] in (Variable.GREEDY, Variable.REST)

    def route(self, listed: str) -> str:
        """Name one of its rules, as messages do."""
        return self.path if self.path in (CONNECT, DEFAULT) else f"{listed} {self.path}"

    def listed(self, method: str) -> str | None:
        """Return which of its rules is for a method, its own before ``*``; ``None`` if there is neither."""
        return method if method in self.methods else ANY_METHOD if ANY_METHOD in self.methods else None


@dataclass(frozen=True, slots=True, eq=False)
class Rules:
    """All rules, ready to decide. ``absent`` is the promise that the API has no routes but those listed."""

    configured: bool
    absent: bool
    requirements: tuple[Requirement, ...] = ()
    resources: tuple[Resource, ...] = ()
    root: Node[Resource] = field(default_factory=Node)
    connect: Resource | None = None
    default: Resource | None = None
    by_shape: dict[str, Resource] = field(default_factory=dict)

    def decide(self, principal: Principal, method: str, path: str, matched: str | None = None) -> Allow | Deny:
        """Decide whether a principal may ask for a path as sent, such as ``/orders/1`` (or ``$connect``).

        ``matched`` is the template that API Gateway says it matched, where the event names it. If that one is
        listed it has to allow the request as well, so that nobody gains by a path that the two of us read in
        different ways, such as one with ``%6D`` for ``m``.

        The most specific template that matches the path decides, by its rule for the method, else by its
        rule for ``*``. A method that it does not list is refused, even if a less specific template
        lists it: REST and HTTP APIs differ in that, and refusing is right for both.
        """
        if not self.configured:
            return decide_without_routes(principal)
        resources = self.find(path)
        named = None if matched is None else self.by_shape.get(shape(matched))
        if resources and named is not None and named not in resources:
            resources = (*resources, named)
        allowed = None
        for resource in resources:
            listed = resource.listed(method)
            if listed is None:
                return Deny(ErrorCode.ROUTE_NOT_LISTED)
            name = resource.route(listed)
            denial = self.requirements[resource.methods[listed]].denies(principal, name)
            if denial is not None:
                return denial
            allowed = allowed or Allow(name)
        return allowed or Deny(ErrorCode.ROUTE_NOT_LISTED)

    def find(self, path: str) -> tuple[Resource, ...]:
        """Find the resources that decide about a path; all of them have to allow it. None of them: not listed.

        There is more than one where it is not certain which one API Gateway picks: an HTTP API prefers
        templates without a greedy variable, a REST API compares segment by segment; and see ``read_path``.
        """
        if path == CONNECT:
            return () if self.connect is None else (self.connect,)
        found: list[Resource] = []
        for position, segments in enumerate(read_path(path[1:])):
            deciding = self.decide_segments(segments)
            if not deciding and position == 0:
                return ()
            found += [resource for resource in deciding if resource not in found]
        return tuple(found)

    def decide_segments(self, segments: tuple[str, ...]) -> tuple[Resource, ...]:
        """Find the resources that decide about one reading of a path."""
        best = self.root.find(segments, greedy=True) or self.default
        if best is None or not best.greedy:
            return () if best is None else (best,)
        plain = self.root.find(segments, greedy=False)
        return (best,) if plain is None else (best, plain)

    def lists(self, method: str, matched: str) -> bool:
        """Return whether a route of the API is one of those listed: a template, and a method, or ``*`` for all."""
        resource = self.by_shape.get(shape(matched))
        return resource is not None and resource.listed(method) is not None

    def rights(self, principal: Principal) -> int:
        """Which requirements a principal meets: bit n for requirement n."""
        return sum(
            1 << number
            for number, requirement in enumerate(self.requirements)
            if requirement.denies(principal, "") is None
        )


_UNRESTRICTED = Requirement((), (), (), frozenset())
_ALLOWED = Allow(None)


def decide_without_routes(principal: Principal) -> Allow | Deny:
    """Decide where no route is configured: only the scopes that the issuer's setting asks of every request count."""
    return _UNRESTRICTED.denies(principal, "") or _ALLOWED


def compile_rules(routes: Iterable[Route] | None, *, absent: bool = False) -> Rules:
    """Make rules of routes that :func:`parse_routes` found right; ``None`` where no routes are configured.

    ``absent`` says that the API has no routes but those listed (``unlisted_routes = "absent"``). What the
    issuer's ``required_scopes`` ask for comes with each principal, in addition to a route's own.
    """
    if routes is None:
        return Rules(configured=False, absent=False)
    # Python takes True for 1 and 1 for 1.0, a claim rule does not: hence the text of the claims.
    numbers: dict[tuple[Requirement, str], int] = {}
    resources: dict[Template, Resource] = {}
    for route in routes:
        template = parse_template(route.path)
        resource = resources.setdefault(template, Resource(route.path, template))
        requirement = Requirement(route.scopes, route.any_scopes, route.claims, route.issuers)
        number = numbers.setdefault((requirement, repr(route.claims)), len(numbers))
        for method in (ANY_METHOD,) if route.methods is None else sorted(route.methods):
            resource.methods[method] = number
    connect = resources.pop((CONNECT,), None)
    root: Node[Resource] = Node()
    default = resources.get((Variable.REST,))
    for template, resource in resources.items():
        if resource is not default:
            root.insert(template, resource)
    return Rules(
        configured=True,
        absent=absent,
        requirements=tuple(requirement for requirement, _ in numbers),
        resources=tuple(resources.values()),
        root=root,
        connect=connect,
        default=default,
        by_shape={shape(resource.path): resource for resource in resources.values()},
    )
