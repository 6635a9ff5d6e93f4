"""Matching resources of a policy as IAM does, whoever wrote them.

Source: IAM user guide, "IAM JSON policy elements: Resource".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def compile_texts(texts: Iterable[str]) -> re.Pattern[str]:
    """Compile resources to one regular expression that matches as IAM does, in time linear in the text for each."""
    return re.compile("|".join(f"(?:{_expression(text)})\\Z" for text in texts) or r"(?!)", re.DOTALL)


def _expression(text: str) -> str:
    first, *rest = [re.escape(chunk).replace(r"\?", ".") for chunk in text.split("*")]
    if not rest:
        return first
    # Between two stars the leftmost match is as good as any other, so there is nothing to go back for.
    *middle, last = rest
    return first + "".join(f"(?>.*?{chunk})" for chunk in middle) + ".*" + last
