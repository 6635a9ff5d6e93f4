"""A table of cases: the claims of tokens, requests, and expected results."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NoReturn, cast

from jwt_authorizer.errors import ErrorCode
from jwt_authorizer.rules.model import CONNECT
from jwt_authorizer_devkit.routes.documents import read_document

if TYPE_CHECKING:
    from collections.abc import Mapping

OUTCOMES = ("allow", "deny", "reject")
REASONS = tuple(
    str(reason)
    for reason in (
        ErrorCode.UNKNOWN_ISSUER,
        ErrorCode.TOKEN_EXPIRED,
        ErrorCode.TOKEN_NOT_YET_VALID,
        ErrorCode.TOKEN_LIFETIME_TOO_LONG,
        ErrorCode.INVALID_AUDIENCE,
        ErrorCode.INVALID_CLIENT,
        ErrorCode.INVALID_CLAIM,
        ErrorCode.INSUFFICIENT_SCOPE,
        ErrorCode.CLAIM_MISMATCH,
        ErrorCode.ROUTE_NOT_LISTED,
    )
)
"""The error codes of claims and rules. A case has only claims, so those of a token's form or signature can't occur."""
_REQUEST = re.compile(r"([A-Z]+) (/\S*)")
_KEYS = ("name", "token", "request", "expect", "after")


@dataclass(frozen=True, slots=True)
class Asked:
    """A method and a path. For WebSocket APIs, both are ``$connect``."""

    method: str
    path: str

    def __str__(self) -> str:
        """Format it as in a table of cases."""
        return CONNECT if self.path == CONNECT else f"{self.method} {self.path}"


@dataclass(frozen=True, slots=True)
class Case:
    """One case of the table. ``after``: the request whose cached policy decides this one."""

    name: str
    token: str
    claims: Mapping[str, object] = field(repr=False)
    request: Asked
    expect: str
    after: Asked | None = None


class CasesError(Exception):
    """The table is invalid. The error has all of its problems."""

    def __init__(self, problems: list[str]) -> None:
        """Set the problems."""
        super().__init__("".join(f"\n  - {problem}" for problem in problems))
        self.problems = problems


def parse_cases(text: str) -> tuple[Case, ...]:
    """Read a table. Raises :class:`CasesError`."""
    try:
        document = read_document(text)
    except ValueError as error:
        raise CasesError([str(error)]) from None
    unknown = sorted(str(key) for key in document.keys() - {"tokens", "cases"})
    problems = [f"{key}: unknown key: expected tokens and cases" for key in unknown]
    tokens, rows = document.get("tokens", {}), document.get("cases")
    if not isinstance(tokens, dict) or not all(isinstance(claims, dict) for claims in tokens.values()):
        problems.append("tokens: expected a mapping of names to claims")
        tokens = {}
    if not isinstance(rows, list) or not rows:
        problems.append("cases: expected a list with at least one case")
        rows = []
    cases = []
    for number, row in enumerate(rows, 1):
        try:
            cases.append(_case(number, row, tokens))
        except ValueError as error:
            problems.append(f"case {number}: {error}")
    if problems:
        raise CasesError(problems)
    return tuple(cases)


def _case(number: int, row: object, tokens: Mapping[str, object]) -> Case:
    if not isinstance(row, dict):
        _wrong(f"expected a mapping with {', '.join(_KEYS)}")
    unknown = [str(key) for key in row if key not in _KEYS]
    if unknown:
        _wrong(f"unknown key {unknown[0]}: expected {', '.join(_KEYS)}")
    token = row.get("token")
    if isinstance(token, str) and token not in tokens:
        _wrong(f"there is no token {token!r} under tokens; there are {', '.join(tokens) or 'none'}")
    if not isinstance(token, str | dict):
        _wrong("token: expected a name under tokens, or a mapping of claims")
    claims = token if isinstance(token, dict) else cast("dict[str, object]", tokens[token])
    expect = row.get("expect")
    if expect not in (*OUTCOMES, *REASONS):
        _wrong(f"expect: {expect!r} is not one of {', '.join((*OUTCOMES, *REASONS))}")
    request = _asked("request", row.get("request"))
    after = _asked("after", row["after"]) if "after" in row else None
    label = token if isinstance(token, str) else f"case {number}"
    return Case(str(row.get("name") or f"{label}: {request}"), label, claims, request, str(expect), after)


def _asked(key: str, value: object) -> Asked:
    if value == CONNECT:
        return Asked(CONNECT, CONNECT)
    match = _REQUEST.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        _wrong(f'{key}: {value!r} is not a request: write it like "GET /orders/1", or {CONNECT}')
    return Asked(match[1], match[2])


def _wrong(message: str) -> NoReturn:
    raise ValueError(message)
