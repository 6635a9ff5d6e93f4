"""What a policy that one cache replays for every route has to leave out, whoever makes it: a lower bound.

    python -m benchmarks.left_out [--apis 1000] [--seed 1]

In an ARN of API Gateway ``*`` matches ``/`` as well. Take an API that also has routes which nobody listed, and a token
that may ``GET /orders/{id}`` and ``GET /orders/{id}/lines/{line}``. A statement that allows every ``/orders/{id}``
allows ``/orders/7/refund``, which is refused. To deny that again, without knowing its name, takes ``/orders/*/*``,
which denies the lines. So a policy without over-grants serves one of the two; the request that it was made for comes
first. The bound counts the one that was not asked for, or the smaller one. What else a policy cannot tell apart comes
on top.
"""

from __future__ import annotations

import argparse
import re
import sys
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from jwt_authorizer.policies.compiler import PolicyCompiler
from tests.properties.apis import (
    METHODS,
    Api,
    Asked,
    listed_request,
    oracle,
    principals,
    request,
    resource_api,
)
from tests.properties.judge import permits

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jwt_authorizer.claims import Principal

_ID, _LINES = "{id}", "/lines/{line}"


@dataclass(slots=True)
class Shares:
    """Weights of listed requests: all that the rules allow, those that our policies leave out, the bound."""

    allowed: float = 0.0
    left_out: float = 0.0
    bound: float = 0.0


def measure(apis: int, random: Random) -> Shares:
    """Make random APIs shaped like resources, and a policy for three tokens of each."""
    shares = Shares()
    made = 0
    while made < apis:
        api = resource_api(random.choice, absent=False)
        if not api.routes:
            continue
        made += 1
        compiler = PolicyCompiler(api.rules)
        for who in random.sample(principals(), 3):
            asked = listed_request(random.choice, api)
            decision = api.rules.decide(who, asked.method, asked.path)
            policy = compiler.compile(who, decision, request(asked), "token")
            weights: dict[tuple[str, str], float] = {}
            for method, path, weight in _allowed(api, who):
                weights[method, path] = weights.get((method, path), 0.0) + weight
                shares.allowed += weight
                shares.left_out += weight * (not permits(policy, method + _example(path)))
            shares.bound += _bound(weights, asked)
    return shares


def _allowed(api: Api, who: Principal) -> Iterator[tuple[str, str, float]]:
    """Yield what a token may do, weighed as :func:`listed_request` draws: a route, then a method."""
    for route in api.routes:
        methods = METHODS if route.methods is None else sorted(route.methods)
        for method in methods:
            if oracle(api, who, Asked(method, _example(route.path))) == "allowed":
                yield method, route.path, 1 / len(methods) / len(api.routes)


def _bound(weights: dict[tuple[str, str], float], asked: Asked) -> float:
    """Return the weight that no policy without over-grants serves beside the request asked for."""
    bound = 0.0
    for (method, path), item in weights.items():
        lines = weights.get((method, path + _LINES))
        if lines is None or not path.endswith(_ID):
            continue
        if asked.method == method and re.fullmatch(path.replace(_ID, "(?!me$)[^/]+"), asked.path):
            bound += lines
        elif asked.method == method and asked.path.startswith(path.removesuffix(_ID)) and "/lines/" in asked.path:
            bound += item
        else:
            bound += min(item, lines)
    return bound


def _example(path: str) -> str:
    return re.sub(r"\{\w+\}", "9", path)


def main() -> int:
    """Measure and print; return 1 if ours leaves out more than half a point beyond the bound."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.left_out", description=__doc__)
    parser.add_argument("--apis", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    shares = measure(arguments.apis, Random(arguments.seed))  # noqa: S311 - examples, not secrets
    left_out, bound = shares.left_out / shares.allowed, shares.bound / shares.allowed
    print(f"left out {left_out:.2%} of what the rules allow; no policy can do with less than {bound:.2%}")
    return 1 if left_out > bound + 0.005 else 0


if __name__ == "__main__":
    sys.exit(main())
