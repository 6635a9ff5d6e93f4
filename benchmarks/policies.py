"""Policies for cached answers: what they grant, what they leave out, and how long they take to make.

    python -m benchmarks.policies --pairs 200000

compares policies with the rules, request by request, and writes the figures into ``docs/policies.md``. The
requests are of three kinds: ordinary ones, hostile ones, and ones that a policy's own patterns cover. Two judges
evaluate each policy: one that matches as IAM documents it, and moto's.
"""

from __future__ import annotations

import argparse
import json
import platform
import re
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from moto.iam.access_control import IAMPolicy, PermissionResult

from jwt_authorizer.policies.compiler import PolicyCompiler
from jwt_authorizer.rules import Route
from tests.properties.apis import (
    PREFIX,
    Api,
    Asked,
    hostile_request,
    listed_request,
    oracle,
    principal,
    principals,
    random_api,
    request,
    resource_api,
    tempting_request,
)
from tests.properties.judge import Tally, compare, hold_against, permits

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from jwt_authorizer.claims import Principal
    from jwt_authorizer.policies import Compiled

PAGE = Path(__file__).parent.parent / "docs" / "policies.md"
BEGIN, END = "<!-- figures: python -m benchmarks.policies -->", "<!-- end of figures -->"
KINDS: dict[str, Callable[..., Api]] = {"shaped like resources": resource_api, "templates at random": random_api}
PLAIN = re.compile(r"[A-Za-z0-9/:*_-]+")  # in other resources moto takes characters for regular expressions
EACH = 20
"""Requests of each kind that meet one policy."""


@dataclass(slots=True)
class Figures:
    """What came out for one kind of API under one promise."""

    kind: str
    absent: bool
    ordinary: Tally = field(default_factory=Tally)
    others: Tally = field(default_factory=Tally)
    policies: int = 0
    moto_pairs: int = 0
    moto_disagrees: int = 0
    alone_left_out: int = 0
    everything_over_grants: int = 0

    @property
    def pairs(self) -> int:
        """All requests that have met a policy."""
        return self.ordinary.pairs + self.others.pairs


def measure(kind: str, *, absent: bool, pairs: int, random: Random) -> Figures:
    """Make random APIs until so many requests have met a policy."""
    figures = Figures(kind, absent)
    while figures.pairs < pairs:
        api = KINDS[kind](random.choice, absent=absent)
        if not api.routes:
            continue
        compiler = PolicyCompiler(api.rules)
        for who in random.sample(principals(), 3):
            asked = listed_request(random.choice, api)
            ordinary = [listed_request(random.choice, api) for _ in range(EACH)]
            compiled = compare(api, compiler, who, asked, others=ordinary, tally=figures.ordinary)
            tempting = [tempting_request(random.choice, compiled, api) for _ in range(EACH)]
            hostile = [hostile_request(random.choice, api) for _ in range(EACH)]
            hold_against(api, who, compiled, [*tempting, *hostile], figures.others)
            _second_judge(compiled, [asked, *ordinary, *tempting, *hostile], figures)
            _simpler_ways(api, who, asked, ordinary, figures)
            figures.policies += 1
            odd = hostile_request(random.choice, api)
            compare(api, compiler, who, odd, others=[*ordinary, *hostile], tally=figures.others)
    return figures


def _second_judge(compiled: Compiled, requests: Sequence[Asked], figures: Figures) -> None:
    if not all(PLAIN.fullmatch(one) for statement in compiled.statements for one in statement.resources):
        return
    statements = [
        {"Effect": one.effect, "Action": "execute-api:Invoke", "Resource": [PREFIX + text for text in one.resources]}
        for one in compiled.statements
    ]
    judge = IAMPolicy({"policy_document": json.dumps({"Version": "2012-10-17", "Statement": statements})})
    for one in requests:
        verdict = judge.is_action_permitted("execute-api:Invoke", PREFIX + one.text) is PermissionResult.PERMITTED
        figures.moto_pairs += 1
        figures.moto_disagrees += verdict is not permits(compiled, one.text)


def _simpler_ways(api: Api, who: Principal, asked: Asked, ordinary: Sequence[Asked], figures: Figures) -> None:
    """Count what a policy for the path asked for leaves out, and what a policy for everything gives away."""
    for one in ordinary:
        verdict = oracle(api, who, one)
        figures.alone_left_out += verdict == "allowed" and one != asked
        figures.everything_over_grants += verdict == "refused"


def large_api(*, absent: bool) -> Api:
    """Make 300 routes on 33 resources, which need ten different scopes."""
    routes: list[Route] = []
    for number in range(34):
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
    return Api(tuple(routes[:300]), absent)


def time_large(*, absent: bool) -> list[str]:
    """Time the first policy for some rights, the same again, and a decision alone."""
    api = large_api(absent=absent)
    compiler = PolicyCompiler(api.rules)
    who = principal(*(f"scope{number}" for number in range(0, 10, 2)))
    asked = Asked("GET", "/v1/resource1/7/lines/8")
    decision = compiler.rules.decide(who, asked.method, asked.path)
    first = _seconds(lambda: PolicyCompiler(api.rules).compile(who, decision, request(asked), "token"), 5)
    compiler.compile(who, decision, request(asked), "token")
    again = _seconds(lambda: compiler.compile(who, decision, request(asked), "token"), 2000)
    decide = _seconds(lambda: compiler.rules.decide(who, asked.method, asked.path), 20_000)
    start = time.process_time()
    PolicyCompiler(api.rules).warnings("token")
    warn = time.process_time() - start
    unlisted = "absent" if absent else "deny"
    return [
        f"`{unlisted}`",
        f"{first * 1e3:.0f} ms",
        f"{again * 1e6:.0f} µs",
        f"{decide * 1e6:.1f} µs",
        f"{warn * 1e3:.0f} ms",
    ]


def _seconds(action: Callable[[], object], times: int) -> float:
    taken = []
    for _ in range(min(times, 5)):
        start = time.process_time()
        for _ in range(max(1, times // 5)):
            action()
        taken.append((time.process_time() - start) / max(1, times // 5))
    return sorted(taken)[len(taken) // 2]


def report(all_figures: Sequence[Figures], seed: int) -> str:
    """Word the figures as Markdown."""
    rows = [
        [
            one.kind,
            "`absent`" if one.absent else "`deny`",
            f"{one.pairs:,}",
            str(one.ordinary.over_grants + one.others.over_grants),
            str(one.ordinary.wrong_for_asked + one.others.wrong_for_asked),
            _share(one.ordinary.left_out, one.ordinary.allowed),
            _share(one.alone_left_out, one.ordinary.allowed),
            _share(one.everything_over_grants, one.ordinary.pairs),
        ]
        for one in all_figures
    ]
    pairs, moto = sum(one.pairs for one in all_figures), sum(one.moto_pairs for one in all_figures)
    policies = sum(one.policies for one in all_figures)
    disagree = sum(one.moto_disagrees for one in all_figures)
    return "\n".join(
        [
            f"{pairs:,} requests against {policies:,} policies (seed {seed}).",
            f"For {moto:,} of them moto's evaluator was asked as well, and disagreed on {disagree}.",
            "",
            *_table(
                (
                    "API",
                    "unlisted routes",
                    "pairs",
                    "over-grants",
                    "wrong for the request asked",
                    "allowed, but left out",
                    "left out by a policy for the path alone",
                    "over-grants of a policy for everything",
                ),
                rows,
            ),
            "",
            "Time for 300 routes with ten scopes, and a token that has five of them",
            f"(CPython {platform.python_version()}, {platform.machine()}; the processor's time):",
            "",
            *_table(
                (
                    "unlisted routes",
                    "first policy for some rights",
                    "each one after",
                    "of it, the decision",
                    "overlaps, at start-up",
                ),
                [time_large(absent=absent) for absent in (True, False)],
            ),
        ]
    )


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "none"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [head, ["---"] * len(head), *rows]
    return [f"| {' | '.join(line)} |" for line in lines]


def main() -> int:
    """Measure, print, and write the page."""
    parser = argparse.ArgumentParser(
        description="Hold random policies against random rules, and write the figures down."
    )
    parser.add_argument("--pairs", type=int, default=200_000, help="requests that meet a policy, in all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--dry", action="store_true", help="print the figures, and leave docs/policies.md alone")
    arguments = parser.parse_args()
    random = Random(arguments.seed)  # noqa: S311 - examples, not secrets
    each = arguments.pairs // (2 * len(KINDS))
    all_figures = [
        measure(kind, absent=absent, pairs=each, random=random) for kind in KINDS for absent in (True, False)
    ]
    text = report(all_figures, arguments.seed)
    print(text)
    if not arguments.dry:
        before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
        after = rest.partition(END)[2]
        PAGE.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")
    wrong = sum(
        tally.over_grants + tally.wrong_for_asked for one in all_figures for tally in (one.ordinary, one.others)
    )
    return 1 if wrong or any(one.moto_disagrees for one in all_figures) else 0


if __name__ == "__main__":
    sys.exit(main())
