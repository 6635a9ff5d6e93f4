"""A second opinion about claim conditions, read from ``docs/rules.md`` in the plainest way, and random ones to try."""

import re
from typing import Any

from hypothesis import strategies as st

from jwt_authorizer.claim_conditions import ClaimCondition

type Json = Any
NOTHING = object()
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
"""Whatever JSON can hold."""


def meets(claims: Json, name: str, asked: Json) -> bool:
    """Return whether claims meet what is written for one name: a value, a list, or a table."""
    value = look_up(claims, name)
    table = asked if isinstance(asked, dict) else {"any": asked}
    lists = {key: wanted if isinstance(wanted, list) else [wanted] for key, wanted in table.items()}
    if value is NOTHING:
        return False
    texts = [item for item in (value if isinstance(value, list | dict) else [value]) if isinstance(item, str)]
    return (
        ("any" not in lists or any(holds(value, wanted) for wanted in lists["any"]))
        and ("all" not in lists or all(holds(value, wanted) for wanted in lists["all"]))
        and ("like" not in lists or any(like(text, pattern) for text in texts for pattern in lists["like"]))
    )


def look_up(claims: Json, name: str) -> Json:
    """Follow RFC 6901 section 4."""
    if not name.startswith("/"):
        return claims.get(name, NOTHING)
    value = claims
    for escaped in name.split("/")[1:]:
        step = escaped.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict) and step in value:
            value = value[step]
        elif isinstance(value, list) and re.fullmatch("0|[1-9][0-9]*", step) and int(step) < len(value):
            value = value[int(step)]
        else:
            return NOTHING
    return value


def holds(value: Json, wanted: Json) -> bool:
    if isinstance(value, list):
        return any(same(item, wanted) for item in value)
    if isinstance(value, dict):
        return isinstance(wanted, str) and wanted in value
    return same(value, wanted)


def same(one: object, other: object) -> bool:
    return (type(one) is bool) == (type(other) is bool) and one == other


def like(text: str, pattern: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), text, re.DOTALL) is not None


def written(condition: ClaimCondition) -> dict[str, list[object]]:
    """Return a condition as the table that it may have been read from."""
    table: dict[str, list[object]] = {
        "any": [*condition.any],
        "all": [*condition.all],
        "like": ["*".join(parts) for parts in condition.like],
    }
    return {key: values for key, values in table.items() if values}


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.floats(-2, 2).map(round)
    | st.sampled_from(["a", "b", "ab", "1"])
)
VALUES = SCALARS | st.lists(SCALARS, min_size=1, max_size=3)
PATTERNS = st.text("ab*", min_size=1, max_size=6)
TABLES = st.fixed_dictionaries(
    {}, optional={"any": VALUES, "all": VALUES, "like": PATTERNS | st.lists(PATTERNS, min_size=1, max_size=2)}
).filter(bool)
ASKED = VALUES | TABLES
KEYS = st.sampled_from(["a", "b", "a/b", "~", "0", "1", ""])
HELD = st.recursive(
    SCALARS | st.text("ab", max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)
CLAIMS = st.dictionaries(KEYS, HELD, max_size=4)
POINTERS = st.lists(KEYS, min_size=1, max_size=3).map(
    lambda steps: "".join("/" + step.replace("~", "~0").replace("/", "~1") for step in steps)
)
NAMES = POINTERS | st.sampled_from(["a", "b", "a.b", "", "/2", "/a/01", "/a/-"])
