"""The descriptions of the settings, read from the source of their table.

A description is the string below a row of ``jwt_authorizer.settings.table``. Python does not store such strings, so
they are parsed here, for tools only.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

from jwt_authorizer.settings import table
from jwt_authorizer.settings.model import Setting

_SECTION = re.compile(r"^# --- (.+)$")
_LINK = re.compile(r"\[([^\]]+)\]\([^)]+\)")


@dataclass(frozen=True, slots=True)
class Described:
    """A setting and its description."""

    setting: Setting[object, object]
    text: str
    """One paragraph of Markdown. Links are relative to the repository."""
    default: str
    """Markdown: the value between backticks, or words if there is none."""
    section: str

    @property
    def plain(self) -> str:
        """The text without Markdown's links."""
        return _LINK.sub(r"\1", self.text)

    @property
    def parameter(self) -> str:
        """The name of the parameter in ``template.yaml``: ``JwtIssuer``."""
        return "".join(part.capitalize() for part in self.setting.variable.split("_"))


@cache
def described() -> tuple[Described, ...]:
    """Return each setting with its description, in the order of the table.

    Raises:
        LookupError: A row has no description, or there is no section above it.

    """
    source = Path(table.__file__).read_text("utf-8")
    by_constant = {name: it for name, it in vars(table).items() if isinstance(it, Setting)}
    sections = {number: m[1] for number, line in enumerate(source.splitlines(), 1) if (m := _SECTION.match(line))}
    found: dict[str, Described] = {}
    for row, below in pairwise(ast.parse(source).body):
        match row, below:
            case ast.Assign(targets=[ast.Name(name)]), ast.Expr(ast.Constant(str(text))) if name in by_constant:
                section = next((title for line, title in reversed(sections.items()) if line < row.lineno), None)
                if section is not None:
                    found[name] = _described(by_constant[name], text, section)
            case _:
                pass
    if missing := by_constant.keys() - found.keys():
        message = f'{table.__file__}: needs a description below it, and a line "# --- SECTION" above it: {min(missing)}'
        raise LookupError(message)
    return tuple(found[name] for name in by_constant)


def _described(setting: Setting[object, object], text: str, section: str) -> Described:
    text, _, default = text.partition("\n\nDefault: ")
    return Described(setting, " ".join(text.split()), default.strip() or _default(setting.default), section)


def _default(value: object) -> str:
    match value:
        case bool():
            return f"`{str(value).lower()}`"
        case str() | float() | int():
            return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"
        case _ if not value:
            return "none"
        case _:
            raise LookupError(f'write "Default: …" below the description: {value!r} cannot be shown')
