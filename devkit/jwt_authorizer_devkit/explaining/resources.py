"""Match the resources of any policy as IAM does.

Source: IAM user guide, "IAM JSON policy elements: Resource".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def compile_patterns(patterns: Iterable[str]) -> re.Pattern[str]:
    """Compile IAM patterns into one regular expression, which takes linear time for each pattern."""
    return re.compile("|".join(f"(?:{_expression(pattern)})\\Z" for pattern in patterns) or r"(?!)", re.DOTALL)


def _expression(pattern: str) -> str:
    first, *rest = [re.escape(chunk).replace(r"\?", ".") for chunk in pattern.split("*")]
    if not rest:
        return first
    # Between two stars the leftmost match is as good as any other, so backtracking is not needed.
    *middle, last = rest
    return first + "".join(f"(?>.*?{chunk})" for chunk in middle) + ".*" + last
