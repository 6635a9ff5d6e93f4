"""Policies for cached answers: what they grant, what they leave out, and how long it takes to make them.

    python -m benchmarks.policies --pairs 1000000

compares policies with the rules, request by request, and writes the figures into ``docs/policies.md``. There are three
kinds of requests: ordinary ones, hostile ones, and ones that match a policy's own patterns. Two evaluators check each
policy: one that matches as IAM's documentation says, and moto's. Half of the pairs are for APIs of 5 to 1,000 routes,
with policies of up to 700 bytes to 8 KB, slashes at the end, and every ``JWT_CACHED_BY``.
"""

from __future__ import annotations

import argparse
import json
import platform
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from moto.iam.access_control import IAMPolicy, PermissionResult

from benchmarks.policy_times import COUNTS, HEAD, time_routes
from jwt_authorizer.policies.compiler import PolicyCompiler
from tests.properties.apis import (
    PREFIX,
    Api,
    Asked,
    hostile_request,
    large_api,
    listed_request,
    oracle,
    principals,
    random_api,
    resource_api,
    tempting_request,
)
from tests.properties.judge import Tally, check_against, compare, permits

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from jwt_authorizer.claims import Principal
    from jwt_authorizer.policies import Policy

PAGE = Path(__file__).parent.parent / "docs" / "policies.md"
BEGIN, END = "<!-- figures: python -m benchmarks.policies -->", "<!-- end of figures -->"
KINDS: dict[str, Callable[..., Api]] = {"shaped like resources": resource_api, "templates at random": random_api}
PLAIN = re.compile(r"[A-Za-z0-9/:*_-]+")  # moto treats other characters in resources as regular expressions
EACH = 20
"""Requests of each kind for one policy."""
SLASHED = 0.2
"""The share of requests with a slash at the end."""


@dataclass(slots=True)
class Figures:
    """The figures for one kind of API, with or without ``unlisted_routes = "absent"``."""

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
        """All requests that were compared with a policy."""
        return self.ordinary.pairs + self.others.pairs


def measure(kind: str, *, absent: bool, pairs: int, random: Random) -> Figures:
    """Make random APIs until ``pairs`` requests are compared with a policy."""
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
            check_against(api, who, compiled, [*tempting, *hostile], figures.others)
            _check_with_moto(compiled, [asked, *ordinary, *tempting, *hostile], figures)
            _simpler_policies(api, who, asked, ordinary, figures)
            figures.policies += 1
            odd = hostile_request(random.choice, api)
            compare(api, compiler, who, odd, others=[*ordinary, *hostile], tally=figures.others)
    return figures


def measure_hard(*, absent: bool, pairs: int, random: Random) -> Figures:
    """Measure hard cases: large APIs, small policies, slashes at the end, every ``JWT_CACHED_BY``."""
    figures = Figures("5 to 1,000 routes, 700 bytes to 8 KB", absent)
    while figures.pairs < pairs:
        api = random.choice((large_api, large_api, resource_api, random_api))(random.choice, absent=absent)
        if not api.routes:
            continue
        compiler = PolicyCompiler(api.rules, max_bytes=random.choice((700, 1000, 1500, 2500, 4000, 8192)))
        for who in random.sample(principals(), 2):
            for cached_by in ("token", "token", "route", "nothing"):
                ask = random.choice((listed_request, listed_request, hostile_request))
                asked = ask(random.choice, api)
                if random.random() < SLASHED:
                    asked = Asked(asked.method, asked.path + "/")
                ordinary = [listed_request(random.choice, api) for _ in range(EACH)]
                tally = figures.ordinary if cached_by == "token" and ask is listed_request else figures.others
                policy = compare(api, compiler, who, asked, others=ordinary, tally=tally, cached_by=cached_by)
                tempting = [tempting_request(random.choice, policy, api) for _ in range(EACH)]
                hostile = [hostile_request(random.choice, api) for _ in range(EACH)]
                check_against(api, who, policy, [*tempting, *hostile], figures.others)
                _check_with_moto(policy, [asked, *ordinary, *tempting, *hostile], figures)
                figures.policies += 1
    return figures


def _check_with_moto(compiled: Policy, requests: Sequence[Asked], figures: Figures) -> None:
    if not all(PLAIN.fullmatch(one) for statement in compiled.statements for one in statement.resources):
        return
    statements = [
        {"Effect": one.effect, "Action": "execute-api:Invoke", "Resource": [PREFIX + text for text in one.resources]}
        for one in compiled.statements
    ]
    evaluator = IAMPolicy({"policy_document": json.dumps({"Version": "2012-10-17", "Statement": statements})})
    for one in requests:
        permitted = evaluator.is_action_permitted("execute-api:Invoke", PREFIX + one.text) is PermissionResult.PERMITTED
        figures.moto_pairs += 1
        figures.moto_disagrees += permitted is not permits(compiled, one.text)


def _simpler_policies(api: Api, who: Principal, asked: Asked, ordinary: Sequence[Asked], figures: Figures) -> None:
    """Count what a policy for the requested path only leaves out, and what a policy for all paths over-grants."""
    for one in ordinary:
        verdict = oracle(api, who, one)
        figures.alone_left_out += verdict == "allowed" and one != asked
        figures.everything_over_grants += verdict == "refused"


def report(all_figures: Sequence[Figures], seed: int) -> str:
    """Format the figures as Markdown."""
    rows = [
        [
            one.kind,
            "`absent`" if one.absent else "`deny`",
            f"{one.pairs:,}",
            str(one.ordinary.over_grants + one.others.over_grants),
            str(one.ordinary.wrong_for_asked + one.others.wrong_for_asked),
            _share(one.ordinary.left_out, one.ordinary.allowed),
            _share(one.alone_left_out, one.ordinary.allowed) if one.everything_over_grants else "",
            _share(one.everything_over_grants, one.ordinary.pairs) if one.everything_over_grants else "",
        ]
        for one in all_figures
    ]
    pairs, moto = sum(one.pairs for one in all_figures), sum(one.moto_pairs for one in all_figures)
    policies = sum(one.policies for one in all_figures)
    disagree = sum(one.moto_disagrees for one in all_figures)
    return "\n".join(
        [
            f"{pairs:,} requests against {policies:,} policies (seed {seed}).",
            f"For {moto:,} of them moto's evaluator was used as well, and disagreed on {disagree}.",
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
            "Time for routes with ten scopes, and a token that has five of them",
            f"(CPython {platform.python_version()}, {platform.machine()}; the processor's time):",
            "",
            *_table(
                HEAD,
                [time_routes(count, absent=absent).cells() for absent in (True, False) for count in COUNTS],
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
        description="Compare policies with random rules, and write the figures into docs/policies.md."
    )
    parser.add_argument("--pairs", type=int, default=1_000_000, help="the number of requests compared with a policy")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--dry", action="store_true", help="print the figures, and leave docs/policies.md alone")
    arguments = parser.parse_args()
    random = Random(arguments.seed)  # noqa: S311 - examples, not secrets
    each = arguments.pairs // 8
    all_figures = [
        measure(kind, absent=absent, pairs=each, random=random) for kind in KINDS for absent in (True, False)
    ]
    all_figures += [measure_hard(absent=absent, pairs=2 * each, random=random) for absent in (True, False)]
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
