"""Rules of a line each and their policies; how a policy is judged: as IAM documents it, and against the oracle."""

from __future__ import annotations

from collections.abc import Sequence
from copy import replace
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jwt_authorizer.claims import Principal
from jwt_authorizer.events import EventKind, Request
from jwt_authorizer.policies import policies_for
from jwt_authorizer.policies.compiler import PolicyCompiler
from jwt_authorizer.rules import Deny, Route, Rules, compile_rules
from tests.fuzz.policies import expression
from tests.properties.apis import Api, Asked, oracle, principal, request

if TYPE_CHECKING:
    from jwt_authorizer.policies import Policies, Policy


def listing(*lines: str, absent: bool = False) -> Rules:
    """Make rules of lines such as ``GET /orders/{id} read``."""
    routes = []
    for line in lines:
        method, path, *scopes = line.split()
        routes.append(Route(None if method == "*" else frozenset({method}), path, tuple(scopes)))
    return compile_rules(routes, absent=absent)


ORDERS = ("GET /orders", "GET /orders/{id}", "GET /orders/me admin", "POST /orders write")


def asks(text: str, kind: EventKind = EventKind.REST_REQUEST) -> Request:
    method, _, path = text.partition(" ")
    return replace(request(Asked(method, path)), kind=kind)


def compiled(
    rules: Rules, text: str, *scopes: str, cached_by: str = "token", compiler: Policies | None = None
) -> Policy:
    asked = asks(text)
    decision = rules.decide(principal(*scopes), asked.method, asked.path)
    return (compiler or policies_for(rules)).compile(principal(*scopes), decision, asked, cached_by)


def resources(policy: Policy, effect: str = "Allow") -> tuple[str, ...]:
    return tuple(one for statement in policy.statements for one in statement.resources if statement.effect == effect)


def permits(compiled: Policy, text: str) -> bool:
    """Evaluate a policy as IAM does: some Allow covers the request, and no Deny."""
    statements = [
        statement for statement in compiled.statements if any(covers(one, text) for one in statement.resources)
    ]
    return {statement.effect for statement in statements} == {"Allow"}


def covers(pattern: str, text: str) -> bool:
    """Match an IAM resource pattern: ``*`` is any text, ``?`` one character, ``${*}`` the star itself."""
    return expression(pattern).fullmatch(text) is not None


@dataclass(slots=True)
class Tally:
    pairs: int = 0
    over_grants: int = 0
    allowed: int = 0
    left_out: int = 0
    wrong_for_asked: int = 0


def compare(  # noqa: PLR0913 - it compares all of them
    api: Api,
    compiler: PolicyCompiler,
    who: Principal,
    asked: Asked,
    *,
    others: Sequence[Asked],
    tally: Tally,
    cached_by: str = "token",
) -> Policy:
    """Ask for one request, and compare the policy with the oracle for others."""
    decision = compiler.rules.decide(who, asked.method, asked.path)
    compiled = compiler.compile(who, decision, request(asked), cached_by)
    expected = oracle(api, who, asked) == "allowed"
    tally.wrong_for_asked += permits(compiled, asked.text) is not expected or isinstance(decision, Deny) is expected
    check_against(api, who, compiled, others, tally)
    return compiled


def check_against(api: Api, who: Principal, compiled: Policy, others: Sequence[Asked], tally: Tally) -> None:
    for other in others:
        verdict = oracle(api, who, other)
        granted = permits(compiled, other.text)
        tally.pairs += 1
        tally.over_grants += granted and verdict == "refused"
        tally.allowed += verdict == "allowed"
        tally.left_out += verdict == "allowed" and not granted
