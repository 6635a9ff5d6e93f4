"""Decide cases with the code of the deployed function."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from jwt_authorizer.errors import TokenError
from jwt_authorizer.policies import policies_for
from jwt_authorizer.rules import Deny
from jwt_authorizer.rules.model import CONNECT
from jwt_authorizer_devkit.routes.checking import request_for
from jwt_authorizer_devkit.routes.principals import full_claims, principal_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jwt_authorizer.claims import Principal
    from jwt_authorizer.policies import Policies
    from jwt_authorizer.rules import Rules
    from jwt_authorizer.settings import Settings
    from jwt_authorizer_devkit.routes.cases import Asked, Case


@dataclass(frozen=True, slots=True)
class Result:
    """The result of a case. ``after``: the request whose cached policy decided, if one did."""

    name: str
    token: str
    request: str
    after: str | None
    expected: str
    outcome: str
    reason: str | None
    needs: tuple[str, ...]
    route: str | None
    passed: bool


def try_cases(settings: Settings, cases: Iterable[Case], now: float, *, replay: bool = False) -> tuple[Result, ...]:
    """Decide each case at ``now`` (Unix seconds).

    ``replay``: also decide each case by the policies for the other requests of the same token, as a cache keyed by the
    token would. Cases with ``after`` are decided by that request's policy only.
    """
    policies = policies_for(settings.rules)
    results: list[Result] = []
    everyone = tuple(cases)
    for case in everyone:
        decided = _decide(settings, case, now)
        principal = decided.principal
        if case.after is None or principal is None:
            results.append(_result(case, None, decided))
        if principal is None:
            continue
        if case.after is None:
            others = [other.request for other in everyone if replay and other.claims == case.claims]
            # A WebSocket API is another API than one with routes, so neither replays the other's policy.
            firsts = [
                first
                for first in dict.fromkeys(others)
                if first != case.request and CONNECT not in (first.path, case.request.path)
            ]
        else:
            firsts = [case.after]
        for first in firsts:
            served = _serves(settings.rules, policies, principal, first, case.request)
            copied = _Decided("allow" if served else "deny", None, (), None, principal)
            if served is (decided.outcome == "allow"):
                copied = decided  # the copy has the same result, so it has the same reason
            results.append(_result(case, first, copied))
    return tuple(results)


@dataclass(frozen=True, slots=True)
class _Decided:
    outcome: str
    reason: str | None
    needs: tuple[str, ...]
    route: str | None
    principal: Principal | None


def _decide(settings: Settings, case: Case, now: float) -> _Decided:
    try:
        principal = principal_of(settings, full_claims(settings, case.claims, now), now)
    except TokenError as error:
        return _Decided("reject", str(error.code), (), None, None)
    decision = settings.rules.decide(principal, case.request.method, case.request.path)
    if isinstance(decision, Deny):
        return _Decided("deny", str(decision.reason), decision.scopes, decision.route, principal)
    return _Decided("allow", None, (), decision.route, principal)


def _serves(rules: Rules, policies: Policies, principal: Principal, first: Asked, then: Asked) -> bool:
    """Return whether the policy for the request ``first`` allows the request ``then``, as IAM evaluates it."""
    decision = rules.decide(principal, first.method, first.path)
    policy = policies.compile(principal, decision, request_for(first.method, first.path), "token")
    return policy.permits(CONNECT if then.path == CONNECT else then.method + then.path)


def _result(case: Case, first: Asked | None, decided: _Decided) -> Result:
    return Result(
        name=case.name,
        token=case.token,
        request=str(case.request),
        after=None if first is None else str(first),
        expected=case.expect,
        outcome=decided.outcome,
        reason=decided.reason,
        needs=decided.needs,
        route=decided.route,
        passed=case.expect in (decided.outcome, decided.reason),
    )
