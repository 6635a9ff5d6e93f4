"""Write the tables of settings and parameters in pages.

A table is between ``<!-- make generate: settings -->`` and ``<!-- end -->``. Names after ``settings`` choose rows:
``<!-- make generate: settings JWT_ISSUER JWT_AUDIENCE -->``. The table ``parameters`` has the stack's other parameters.
"""

from __future__ import annotations

import posixpath
import re

from jwt_authorizer_devkit.described import Described, described
from jwt_authorizer_packaging.template import template

_TABLE = re.compile(r"(<!-- make generate: settings(?P<names>[A-Z_ ]*) -->\n\n).*?(<!-- end -->\n)", re.DOTALL)
_PARAMETERS = re.compile(r"(<!-- make generate: parameters -->\n\n).*?(<!-- end -->\n)", re.DOTALL)
_PAGE = re.compile(r"\bdocs/[a-z-]+\.md\b")
_LINK = re.compile(r"\]\((?!https?:)([^)#]*)(#[^)]*)?\)")


def with_tables(text: str, page: str) -> str:
    """Return a page with its tables updated. ``page`` is its path in the repository.

    Raises:
        LookupError: The page names a setting that does not exist.

    """

    def written(table: re.Match[str]) -> str:
        rows = {it.setting.variable: it for it in described()}
        names = table["names"].split() or rows
        return table[1] + _settings([rows[name] for name in names], page) + table[3]

    text = _PARAMETERS.sub(lambda table: table[1] + _parameters(page) + table[2], text)
    return _TABLE.sub(written, text)


def _settings(rows: list[Described], page: str) -> str:
    lines = ["| Variable | Default | What it does |", "| --- | --- | --- |"]
    lines += [f"| `{it.setting.variable}` | {it.default} | {_relative(it.text, page)} |" for it in rows]
    return "\n".join(lines) + "\n\n"


def _parameters(page: str) -> str:
    stack = template()
    groups = stack["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    settings = {it.parameter for it in described()}
    lines = ["| Parameter | Default | What it does |", "| --- | --- | --- |"]
    for name in (name for group in groups for name in group["Parameters"] if name not in settings):
        parameter = stack["Parameters"][name]
        default = f"`{parameter['Default']}`" if parameter["Default"] != "" else "none"
        linked = _PAGE.sub(lambda path: f"[{path[0].removeprefix('docs/')}]({path[0]})", parameter["Description"])
        lines.append(f"| `{name}` | {default} | {_relative(linked, page)} |")
    return "\n".join(lines) + "\n\n"


def _relative(text: str, page: str) -> str:
    """Convert links that are relative to the repository into links that are relative to a page."""

    def turned(link: re.Match[str]) -> str:
        path, anchor = link[1], link[2] or ""
        target = "" if path == page else posixpath.relpath(path, posixpath.dirname(page))
        return f"]({target}{anchor})"

    return _LINK.sub(turned, text)
