"""How a policy is judged: character by character, as IAM documents it, and request by request against the oracle."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from jwt_authorizer.rules import Deny
from tests.properties.apis import oracle, request

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jwt_authorizer.claims import Principal
    from jwt_authorizer.policies import Policy
    from jwt_authorizer.policies.compiler import PolicyCompiler
    from tests.properties.apis import Api, Asked


def permits(compiled: Policy, text: str) -> bool:
    """Evaluate a policy as IAM does: some Allow covers the request, and no Deny."""
    covered = {statement.effect: False for statement in compiled.statements}
    for statement in compiled.statements:
        covered[statement.effect] |= any(covers(resource, text) for resource in statement.resources)
    return covered.get("Allow", False) and not covered.get("Deny", False)


def covers(pattern: str, text: str) -> bool:
    """Match an IAM resource pattern: ``*`` is any text, ``?`` one character, ``${*}`` the star itself."""
    return _expression(pattern).fullmatch(text) is not None


@cache
def _expression(pattern: str) -> re.Pattern[str]:
    meaning = {"*": ".*", "?": ".", "${*}": r"\*", "${?}": r"\?", "${$}": r"\$"}
    parts = re.split(r"(\$\{[*?$]\}|[*?])", pattern)
    return re.compile("".join(meaning.get(part) or re.escape(part) for part in parts), re.DOTALL)


@dataclass(slots=True)
class Tally:
    """What came out of comparing a policy with the rules, request by request."""

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
    """Compare a policy with the oracle, request by request."""
    for other in others:
        verdict = oracle(api, who, other)
        granted = permits(compiled, other.text)
        tally.pairs += 1
        tally.over_grants += granted and verdict == "refused"
        tally.allowed += verdict == "allowed"
        tally.left_out += verdict == "allowed" and not granted
