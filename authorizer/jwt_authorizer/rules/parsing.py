"""``[[routes]]`` as TOML gives them become :class:`Route`s; whatever is wrong with them is reported, all of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Protocol

from jwt_authorizer.claim_conditions import parse_condition
from jwt_authorizer.errors import shown
from jwt_authorizer.records import dataclass
from jwt_authorizer.rules.decisions import Field, Requirement
from jwt_authorizer.rules.model import ANY_METHOD, CONNECT, DEFAULT, HTTP_METHODS, Route
from jwt_authorizer.rules.templates import Template, parse_template

if TYPE_CHECKING:
    from jwt_authorizer.claim_conditions import ClaimCondition

_RIGHTS = ("scopes", "any_scopes", "claims", "issuers")
_KEYS = ("method", "path", *_RIGHTS)
_FIELD = r"[_A-Za-z][_0-9A-Za-z]*\.[_A-Za-z][_0-9A-Za-z]*"  # GraphQL section 2.1.9, "Name"
_SCOPE = r"[\x21\x23-\x5B\x5D-\x7E]+"  # RFC 6749 section 3.3


class Report(Protocol):
    """Takes one problem: where it is, what would be right, and the value."""

    def __call__(self, name: str, message: str, value: object = None, /) -> None:
        """Note the problem; the reading goes on."""


@dataclass(frozen=True, slots=True)
class _Table:
    """One table under ``[[routes]]``, with the name that problems call it by."""

    label: str
    values: dict[str, object]
    report: Report

    def problem(self, key: str, message: str) -> None:
        self.report(f"{self.label}.{key}", message, self.values.get(key))


def parse_routes(raw: object, report: Report) -> tuple[Route, ...]:
    """Read the value of ``routes`` as :mod:`tomllib` gives it. Every problem goes to ``report``, none is raised.

    The routes returned are only of use where nothing was reported.
    """
    if not isinstance(raw, list):
        report("routes", "expected [[routes]] tables", raw)
        return ()
    if not raw:
        report("routes", "lists no route, so every request would be refused: add [[routes]], or leave the key out")
    routes: list[Route] = []
    listed: dict[Template, dict[str, str]] = {}
    for position, values in enumerate(raw):
        label = f"routes[{position}]"
        if not isinstance(values, dict):
            report(label, "expected a table: write [[routes]] above it", values)
            continue
        table = _Table(label, values, report)
        _check_keys(table, _KEYS, "route")
        template = _template(table)
        route = Route(
            methods=_methods(table),
            path=str(values.get("path")),
            scopes=_scopes(table, "scopes"),
            any_scopes=_scopes(table, "any_scopes"),
            claims=_claims(table),
            issuers=frozenset(_texts(table, "issuers")),
        )
        if template is not None:
            _check_unique(table, route, listed.setdefault(template, {}))
            routes.append(route)
    return tuple(routes)


def parse_fields(raw: object, report: Report) -> tuple[Field, ...]:
    """Read the value of ``fields``, GraphQL fields of AppSync that need more rights, as :func:`parse_routes` does."""
    if not isinstance(raw, list):
        report("fields", "expected [[fields]] tables", raw)
        return ()
    fields: dict[str, Field] = {}
    for position, values in enumerate(raw):
        label = f"fields[{position}]"
        if not isinstance(values, dict):
            report(label, "expected a table: write [[fields]] above it", values)
            continue
        table = _Table(label, values, report)
        _check_keys(table, ("field", *_RIGHTS), "field")
        name = values.get("field")
        if not isinstance(name, str) or not re.fullmatch(_FIELD, name):
            table.problem("field", "expected a type and one of its fields, such as Mutation.deleteOrder")
            continue
        if name in fields:
            table.problem("field", "this field is listed twice: put what it needs into one table")
        if not values.keys() & set(_RIGHTS):
            table.problem("field", f"asks for nothing: add {', '.join(_RIGHTS)}, or leave the field out")
        scopes, any_scopes = _scopes(table, "scopes"), _scopes(table, "any_scopes")
        fields[name] = Field(name, Requirement(scopes, any_scopes, _claims(table), frozenset(_texts(table, "issuers"))))
    return tuple(fields.values())


def _check_keys(table: _Table, keys: tuple[str, ...], kind: str) -> None:
    for key in table.values:
        if key not in keys:
            import difflib  # noqa: PLC0415 - only a start-up that fails needs it

            near = difflib.get_close_matches(key, keys, 1)
            meant = f"did you mean {near[0]}?" if near else f"expected {', '.join(keys)}"
            table.report(f"{table.label}.{key}", f"there is no such key of a {kind}: {meant}")


def _template(table: _Table) -> Template | None:
    path = table.values.get("path")
    if not isinstance(path, str):
        table.problem("path", 'is required: the path template of the route, such as "/orders/{id}"')
        return None
    try:
        return parse_template(path)
    except ValueError as error:
        table.problem("path", str(error))
        return None


def _methods(table: _Table) -> frozenset[str] | None:
    """Read a method, a list of them, or ``"*"``, which is also what a missing one means: ``None``."""
    if "method" not in table.values:
        return None
    value = table.values["method"]
    names = value if isinstance(value, list) else [value]
    if not names:
        table.problem("method", 'an empty list is no method: name one, or write "*" for all')
    allowed = (*HTTP_METHODS, ANY_METHOD)
    methods = {ANY_METHOD if name == "ANY" else name for name in names if isinstance(name, str)}
    if len(methods) < len(names) or not methods.issubset(allowed):
        table.problem("method", f"expected one or more of {', '.join(allowed)}, in capitals, each once")
    if ANY_METHOD not in methods:
        if table.values.get("path") not in (CONNECT, DEFAULT):
            return frozenset(methods)
        table.problem("method", "this route has no method of its own: leave the key out")
    if len(methods) > 1:
        table.problem("method", '"*" means all methods: leave out the others, or give them a route of their own')
    return None


def _texts(table: _Table, key: str) -> tuple[str, ...]:
    if key not in table.values:
        return ()
    value = table.values[key]
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        table.problem(key, "expected a list of strings")
        return ()
    if not value:
        table.problem(key, "an empty list would ask for nothing: name what is needed, or leave the key out")
    return tuple(dict.fromkeys(value))


def _scopes(table: _Table, key: str) -> tuple[str, ...]:
    scopes = _texts(table, key)
    for scope in scopes:
        if not re.fullmatch(_SCOPE, scope):
            table.problem(
                key, f"{shown(scope)!r} can be no scope: scopes hold no space, quote or backslash; one item for each"
            )
    return scopes


def _claims(table: _Table) -> tuple[ClaimCondition, ...]:
    value = table.values.get("claims", {})
    if not isinstance(value, dict):
        table.problem("claims", "expected a table of claims and what they must hold")
        return ()
    if not value and "claims" in table.values:
        table.problem("claims", "an empty table would ask for nothing: name a claim, or leave the key out")
    conditions: list[ClaimCondition] = []
    for name, asked in value.items():
        try:
            conditions.append(parse_condition(name, asked))
        except ValueError as error:
            table.problem("claims", str(error))
    return tuple(conditions)


def _check_unique(table: _Table, route: Route, listed: dict[str, str]) -> None:
    """Reject a second rule for the same requests. Variables' names don't tell two templates apart."""
    for method in sorted(route.methods or (ANY_METHOD,)):
        if method in listed:
            table.problem(
                "path", f"the route {method} {shown(route.path)} stands twice: {listed[method]} has it as well"
            )
        listed[method] = table.label
