"""One request as a resource: exact whatever a caller has put into its path.

In a resource ``*`` and ``?`` are patterns, and ``${`` begins a policy variable (IAM user guide: "IAM policy
elements: Variables and tags"). ``?`` matches them all, one character each, and needs no more than IAM's
matching; ``${*}``, ``${?}`` and ``${$}`` stand for the characters themselves, but not every evaluator of policies
knows them. So ``?`` is used wherever what else it matches is allowed as well.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from jwt_authorizer.policies.policy import is_plain
from jwt_authorizer.policies.verdicts import specificity
from jwt_authorizer.policies.words import SPECIAL
from jwt_authorizer.records import dataclass
from jwt_authorizer.rules.templates import Variable, read_path

if TYPE_CHECKING:
    from jwt_authorizer.rules import Resource, Rules


@dataclass(frozen=True, slots=True)
class Literal:
    """Resources that allow one request, relative to the stage, and what has to be denied beside them."""

    allowed: str
    denied: tuple[str, ...]


def literal(rules: Rules, rights: int, method: str, path: str) -> Literal:
    """Word a request that the rules allow. ``path`` begins with a slash."""
    text = f"{method}{path}"
    if is_plain(text):
        return Literal(text, ())
    # ? and * match slashes; a text of this many segments at most cannot have one where this text has none.
    longer = "*/" * (text.count("/") + 1) + "*"
    if is_plain(method) and _others_allowed(rules, rights, method, path[1:]):
        return Literal(re.sub(SPECIAL, "?", text), (longer,))
    return Literal(re.sub(SPECIAL, lambda found: f"${{{found[0]}}}", text), (longer,))


def _others_allowed(rules: Rules, rights: int, method: str, path: str) -> bool:
    """Tell whether the rules allow what a path becomes when its special characters are replaced by any but a slash."""
    deciding = rules.find(f"/{path}")
    least = max(specificity(resource) for resource in deciding)
    for resource in rules.resources:
        if specificity(resource) > least or not any(_may_match(resource, reading) for reading in read_path(path)):
            continue
        listed = resource.listed(method)
        if listed is None or not rights >> resource.methods[listed] & 1:
            return False
    return True


def _may_match(resource: Resource, segments: tuple[str, ...]) -> bool:
    template = resource.template
    if resource.greedy:
        template = template[:-1]
        segments = segments[: len(template)]
    if len(template) != len(segments):
        return False
    return all(
        isinstance(part, Variable)
        or re.fullmatch(re.escape(re.sub(SPECIAL, "\0", segment)).replace("\0", "."), part) is not None
        for part, segment in zip(template, segments, strict=True)
    )
