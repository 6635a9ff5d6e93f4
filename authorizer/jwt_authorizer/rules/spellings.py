"""Requests whose paths hold ``*``, ``?`` or ``${``, which are patterns in a policy."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from jwt_authorizer.rules.classes import specificity
from jwt_authorizer.rules.templates import SPECIAL, Variable, read_path

if TYPE_CHECKING:
    from jwt_authorizer.rules.decisions import Resource, Rules


def is_plain(text: str) -> bool:
    """Return whether a text means itself in a resource."""
    return re.search(SPECIAL, text) is None


def exact_resource(rules: Rules, rights: int, method: str, path: str) -> tuple[str, tuple[str, ...]]:
    """Return a resource for one request that the rules allow, whatever the caller has put into it, and what to deny.

    In a resource ``*`` and ``?`` are patterns, and ``${`` begins a policy variable (IAM user guide: "IAM policy
    elements: Variables and tags"). ``?`` matches them all, one character each. ``${*}``, ``${?}`` and ``${$}`` stand
    for the characters themselves, but not every evaluator of policies knows them: so ``?`` is used if what else it
    matches is allowed as well.
    """
    text = f"{method}{path}"
    if is_plain(text):
        return text, ()
    # ? and * match slashes; a text of this many segments at most cannot have one where this text has none.
    longer = "*/" * (text.count("/") + 1) + "*"
    if is_plain(method) and _allows_any_characters(rules, rights, method, path[1:]):
        return re.sub(SPECIAL, "?", text), (longer,)
    return re.sub(SPECIAL, lambda found: f"${{{found[0]}}}", text), (longer,)


def _allows_any_characters(rules: Rules, rights: int, method: str, path: str) -> bool:
    """Return whether the rules allow a path with any characters but slashes in place of its special ones."""
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
