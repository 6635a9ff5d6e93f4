"""Path templates as API Gateway writes them, and the tree that finds those that match a path.

API Gateway developer guide: "Create routes for HTTP APIs" (route priority), "Set up REST API methods"
(greedy path variables at the end of a path).
"""

from __future__ import annotations

import re
from enum import Enum, auto
from functools import cache
from typing import TYPE_CHECKING, Generic, TypeVar

from jwt_authorizer.errors import shown
from jwt_authorizer.records import dataclass, field
from jwt_authorizer.rules.model import CONNECT, DEFAULT

if TYPE_CHECKING:
    from collections.abc import Sequence

SPECIAL = r"[*?]|\$(?=\{)"
"""A regular expression for what is a pattern in a resource of a policy, or begins a policy variable."""


_STATIC = re.compile(r"[A-Za-z0-9._~:,@!&'()+;=%-]+")
_VARIABLE = re.compile(r"\{([A-Za-z0-9._:-]+)(\+?)\}")


class Variable(Enum):
    """A segment of a template that is no fixed text; listed from the most to the least specific."""

    PARAM = auto()  # {name}: one segment
    GREEDY = auto()  # {name+}: one segment or more, at the end
    REST = auto()  # $default: whatever is left, be it nothing


Segment = str | Variable
Template = tuple[Segment, ...]


@cache  # of the settings' paths: routes share them, and each is read twice
def parse_template(path: str) -> Template:
    """Read a path template. Raises :class:`ValueError`, saying what would be right."""
    if path == DEFAULT:
        return (Variable.REST,)
    if path == CONNECT:
        return (CONNECT,)
    if not path.startswith("/"):
        message = f'expected a path that starts with "/", or {CONNECT} (WebSocket APIs), or {DEFAULT} (HTTP APIs)'
        raise ValueError(message)
    if path == "/":
        return ()
    if path.endswith("/"):
        raise ValueError("API Gateway ignores a slash at the end of a path, and refuses it in a template: leave it out")
    names: list[str] = []
    segments = [_segment(text, names) for text in path[1:].split("/")]
    if Variable.GREEDY in segments[:-1]:
        raise ValueError("a greedy {variable+} takes all that follows: it has to be the last segment")
    if len(set(names)) < len(names):
        raise ValueError("a path variable's name may stand only once in a template")
    return tuple(segments)


def _segment(text: str, names: list[str]) -> Segment:
    variable = _VARIABLE.fullmatch(text)
    if variable is not None:
        names.append(variable[1])
        return Variable.GREEDY if variable[2] else Variable.PARAM
    if not text:
        raise ValueError("a segment is empty: write one slash between two segments")
    if text.startswith(":"):
        raise ValueError(f"API Gateway writes a path variable as {{{shown(text[1:])}}}, not {shown(text)}")
    if not _STATIC.fullmatch(text):
        right = "plain text, {variable}, or {variable+} at the end"
        raise ValueError(f"API Gateway refuses the segment {shown(text)!r}: expected {right}")
    return text


def shape(path: str) -> str:
    """Write a template without its variables' names, so that ``/a/{x}`` and ``/a/{id}`` compare equal."""
    return _VARIABLE.sub(r"{\2}", path)


def read_path(text: str) -> tuple[tuple[str, ...], ...]:
    """Split a path as sent (without its leading slash) into segments, in each way that it may be read.

    API Gateway ignores slashes at the end. Whether it ignores an empty segment in the middle (``a//b``) is
    undocumented, so such a path has two readings: without it, which comes first, and with it.
    """
    text = text.rstrip("/")
    if not text:
        return ((),)
    segments = tuple(text.split("/"))
    if "" not in segments:
        return (segments,)
    return (tuple(segment for segment in segments if segment), segments)


T = TypeVar("T")


@dataclass(slots=True, eq=False)
class Node(Generic[T]):
    """A place in the tree of templates: what goes on from here, and what ends here."""

    static: dict[str, Node[T]] = field(default_factory=dict)
    param: Node[T] | None = None
    greedy: T | None = None
    value: T | None = None

    def insert(self, template: Template, value: T) -> None:
        """Add a template below this node; ``$default`` is not kept here."""
        node = self
        for segment in template:
            if segment is Variable.GREEDY:
                node.greedy = value
                return
            if segment is Variable.PARAM:
                node.param = node.param or Node()
                node = node.param
            else:
                node = node.static.setdefault(str(segment), Node())
        node.value = value

    def find(self, segments: Sequence[str], *, greedy: bool, start: int = 0) -> T | None:
        """Find the most specific template that matches, segment by segment from the left.

        A text beats ``{variable}`` and that beats ``{variable+}``. Without ``greedy``, templates that end
        in ``{variable+}`` are passed over.
        """
        if start == len(segments):
            return self.value
        child = self.static.get(segments[start])
        found = child.find(segments, greedy=greedy, start=start + 1) if child is not None else None
        if found is None and self.param is not None:
            found = self.param.find(segments, greedy=greedy, start=start + 1)
        return self.greedy if found is None and greedy else found
