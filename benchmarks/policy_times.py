"""Measure how long it takes to make policies: the first one for some rights, and later ones, in raw RS256 checks."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from jwt_authorizer.policies import policies_for
from jwt_authorizer.policies.compiler import PolicyCompiler
from jwt_authorizer.rules import Route, compile_rules
from tests.properties.apis import Api, Asked, oracle, principal, request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


COUNTS = (25, 50, 100, 300, 600, 1000)
HEAD = (
    *("routes", "unlisted routes", "first policy for some rights", "in raw RS256 checks"),
    *("each one after, beyond one without rules", "in raw RS256 checks", "left out"),
)


def timed_api(count: int, *, absent: bool) -> Api:
    """Make an API with ``count`` routes, nine for each resource, which need ten different scopes."""
    routes: list[Route] = []
    for number in range(count // 9 + 1):
        for rest, methods in (
            ("", ("GET", "POST")),
            ("/{id}", ("GET", "PUT", "DELETE")),
            ("/{id}/lines", ("GET", "POST")),
            ("/{id}/lines/{line}", ("GET",)),
            ("/me", ("GET",)),
        ):
            for method in methods:
                scope = f"scope{(number * 7 + len(routes)) % 10}"
                routes.append(Route(frozenset({method}), f"/v1/resource{number}{rest}", (scope,)))
    return Api(tuple(routes[:count]), absent)


@dataclass(frozen=True, slots=True)
class RouteTimes:
    """Processor seconds for one API: the first policy, each later one minus one without rules, a raw RS256 check."""

    count: int
    absent: bool
    first: float
    again: float
    check: float
    left_out: int
    allowed: int

    def cells(self) -> list[str]:
        """Return a row of a table."""
        return [
            f"{self.count:,}",
            "`absent`" if self.absent else "`deny`",
            f"{self.first * 1e3:.1f} ms",
            f"{self.first / self.check:,.0f}",
            f"{self.again * 1e6:.0f} µs",
            f"{self.again / self.check:.2f}",
            f"{self.left_out} of {self.allowed}",
        ]


def time_routes(count: int, *, absent: bool) -> RouteTimes:
    """Measure the first policy for some rights, and later ones."""
    api = timed_api(count, absent=absent)
    rules = api.rules
    who = principal(*(f"scope{number}" for number in range(0, 10, 2)))
    asked = Asked("GET", "/v1/resource1/7")
    decision = rules.decide(who, asked.method, asked.path)
    compiler = PolicyCompiler(rules)
    policy = compiler.compile(who, decision, request(asked), "token")
    first = _seconds(lambda: PolicyCompiler(rules).compile(who, decision, request(asked), "token"), 5)

    def repeat() -> None:
        compiler.compile(who, rules.decide(who, asked.method, asked.path), request(asked), "token")

    free = compile_rules(None)
    unrestricted = policies_for(free)

    def without_rules() -> None:
        unrestricted.compile(who, free.decide(who, asked.method, asked.path), request(asked), "token")

    again = _seconds(repeat, 5000) - _seconds(without_rules, 5000)
    allowed = sum(oracle(api, who, one) == "allowed" for one in _one_of_each(api))
    check = _raw_check()
    return RouteTimes(count, absent, first, again, check, len(policy.left_out), allowed)


def _one_of_each(api: Api) -> Iterator[Asked]:
    for route in api.routes:
        for method in route.methods or ("GET",):
            yield Asked(method, re.sub(r"\{\w+\}", "7", route.path))


def _raw_check() -> float:
    """Measure one RS256 check by the cryptography library, without anything around it."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    text, scheme, digest = b"x" * 700, padding.PKCS1v15(), hashes.SHA256()
    signature, public = key.sign(text, scheme, digest), key.public_key()
    return _seconds(lambda: public.verify(signature, text, scheme, digest), 5000)


def _seconds(action: Callable[[], object], times: int) -> float:
    taken = []
    for _ in range(min(times, 5)):
        start = time.process_time()
        for _ in range(max(1, times // 5)):
            action()
        taken.append((time.process_time() - start) / max(1, times // 5))
    return min(taken)  # noise only adds
