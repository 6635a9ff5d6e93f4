"""CloudWatch Logs Insights, as far as the queries of our pages use it: run on log events, here.

The language is that of the CloudWatch Logs user guide ("CloudWatch Logs Insights query syntax", "Supported logs and
discovered fields"). What is not known here is an error. An event is its text; JSON in it becomes fields, and so does
what Insights finds in a ``REPORT`` line of Lambda's.
"""

from __future__ import annotations

import json
import operator
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

type Value = str | float | bool | None
type Event = dict[str, Value]
type Row = dict[str, Value]

_TOKEN = re.compile(
    r"""\s*(?:(?P<text>"[^"]*")|(?P<period>\d+[smhd]\b)|(?P<number>\d+(?:\.\d+)?)|(?P<name>[@A-Za-z_][\w.]*)"""
    r"""|(?P<sign><=|>=|!=|[=<>()\[\],|*/+-]))"""
)
_REGEX = re.compile(r"\s*/((?:\\.|[^/\\])*)/")
_REPORT = {
    "@duration": (r"\tDuration: ([\d.]+) ms", 1),
    "@memorySize": (r"Memory Size: (\d+) MB", 1_000_000),
    "@maxMemoryUsed": (r"Max Memory Used: (\d+) MB", 1_000_000),
}
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def event(message: str, timestamp: float = 0.0) -> Event:
    """Give what Insights finds in one log event."""
    found: Event = {"@message": message, "@timestamp": timestamp}
    if message.startswith("REPORT "):
        found["@type"] = "REPORT"
        for name, (pattern, unit) in _REPORT.items():
            match = re.search(pattern, message)
            assert match, message
            found[name] = float(match[1]) * unit
    start = message.find("{")
    if start >= 0:
        found |= dict(_flat(json.loads(message[start:]), ""))
    return found


def _flat(value: object, path: str) -> Iterator[tuple[str, Value]]:
    match value:
        case dict():
            for name, inner in value.items():
                yield from _flat(inner, f"{path}{name}.")
        case list():
            for index, inner in enumerate(value):
                yield from _flat(inner, f"{path}{index}.")
        case None:
            return
        case str() | bool() | int() | float():
            yield path.removesuffix("."), value
        case _:
            raise AssertionError(value)


def run(query: str, events: Sequence[Event]) -> list[Row]:
    """Run a query. Raises ``AssertionError`` at whatever it does not know."""
    rows: list[Row] = [dict(it) for it in events]
    shown: list[str] | None = None
    parser = _Parser(query)
    while True:
        command = parser.name()
        match command:
            case "filter":
                condition = parser.expression()
                rows = [row for row in rows if condition.of(row) is True]
            case "fields":
                shown = [*(shown or []), *(it.name for it in parser.listed())]
            case "stats":
                wanted = parser.listed()
                groups = parser.listed() if parser.took("by") else []
                rows = _stats(rows, wanted, groups)
                shown = [it.name for it in (*groups, *wanted)]
            case "sort":
                rows = _sorted(rows, parser.expression(), down=parser.took("desc"))
            case "limit":
                rows = rows[: int(parser.number())]
            case _:
                _unknown(command)
        if not parser.took("|"):
            break
    parser.end()
    names = ["@timestamp", "@message"] if shown is None else shown
    return [{name: row.get(name) for name in names} for row in rows]


def fields_of(query: str) -> set[str]:
    """Name the fields that a query reads, without those that it makes."""
    parser = _Parser(query)
    made: set[str] = set()
    read: set[str] = set()
    while parser.left:
        if parser.took("as"):
            made.add(parser.name())
            continue
        token = parser.take()
        if token.kind == "name" and not parser.peek("("):
            read.add(token.text)
    return read - made - _WORDS


_WORDS = {"filter", "fields", "stats", "sort", "limit", "by", "desc", "asc", "and", "or", "not", "in", "like"}


@dataclass(frozen=True, slots=True)
class _Expression:
    """Something with a value for each row: what ``stats`` counts with is :attr:`over`, all rows of a group."""

    name: str
    of: Callable[[Row], Value]
    over: Callable[[Sequence[Row]], Value] | None = None


def _stats(rows: list[Row], wanted: list[_Expression], groups: list[_Expression]) -> list[Row]:
    grouped: dict[tuple[Value, ...], list[Row]] = {}
    for row in rows:
        grouped.setdefault(tuple(it.of(row) for it in groups), []).append(row)
    results = []
    for key, members in grouped.items():
        result: Row = dict(zip((it.name for it in groups), key, strict=True))
        for it in wanted:
            assert it.over is not None, f"{it.name} is no aggregate"
            result[it.name] = it.over(members)
        results.append(result)
    return results


def _sorted(rows: list[Row], by: _Expression, *, down: bool) -> list[Row]:
    return sorted(rows, key=lambda row: _order(by.of(row)), reverse=down)


def _order(value: Value) -> tuple[int, float, str]:
    return (0, 0.0, "") if value is None else (1, value, "") if not isinstance(value, str) else (2, 0.0, value)


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str


@dataclass(slots=True)
class _Parser:
    """Reads a query from left to right."""

    query: str
    at: int = 0
    left: list[_Token] = field(default_factory=list)

    def __post_init__(self) -> None:
        while self.query[self.at :].strip():
            regex = _REGEX.match(self.query, self.at) if self.left and self.left[-1].text == "like" else None
            match = regex or _TOKEN.match(self.query, self.at)
            assert match, f"cannot be read: {self.query[self.at :]}"
            self.at = match.end()
            kind = "regex" if regex else str(match.lastgroup)
            self.left.append(_Token(kind, match[1] if regex else match[kind]))

    def peek(self, text: str) -> bool:
        return bool(self.left) and self.left[0].text == text

    def took(self, text: str) -> bool:
        if self.peek(text):
            del self.left[0]
            return True
        return False

    def take(self, kind: str | None = None) -> _Token:
        assert self.left, "ends too soon"
        token = self.left.pop(0)
        assert kind in (None, token.kind), f"{token.text} is no {kind}"
        return token

    def name(self) -> str:
        return self.take("name").text

    def number(self) -> float:
        return float(self.take("number").text)

    def end(self) -> None:
        assert not self.left, f"left over: {self.left}"

    def listed(self) -> list[_Expression]:
        found = []
        while True:
            it = self.expression()
            found.append(_Expression(self.name(), it.of, it.over) if self.took("as") else it)
            if not self.took(","):
                return found

    def expression(self) -> _Expression:
        one = self._all_of()
        while self.took("or"):
            one = _either(one, self._all_of())
        return one

    def _all_of(self) -> _Expression:
        one = self._compared()
        while self.took("and"):
            one = _both(one, self._compared())
        return one

    def _compared(self) -> _Expression:
        one = self._product()
        if self.took("like"):
            pattern = re.compile(self.take("regex").text)
            return _Expression("", lambda row: pattern.search(str(one.of(row) or "")) is not None)
        if self.took("in"):
            assert self.took("[")
            allowed = [self._atom().of({})]
            while self.took(","):
                allowed.append(self._atom().of({}))
            assert self.took("]")
            return _Expression("", lambda row: one.of(row) in allowed)
        sign = next((it for it in _COMPARE if self.took(it)), None)
        if sign is None:
            return one
        compare, other = _COMPARE[sign], self._product()
        return _Expression("", lambda row: _held(compare, one.of(row), other.of(row)))

    def _product(self) -> _Expression:
        one = self._atom()
        while self.took("/"):
            by = self.number()
            one = _divided(one, by)
        return one

    def _atom(self) -> _Expression:
        token = self.take()
        match token.kind:
            case "number":
                number = float(token.text)
                return _Expression(token.text, lambda _: number)
            case "text":
                text = token.text[1:-1]
                return _Expression(text, lambda _: text)
            case "name" if self.took("("):
                return self._called(token.text)
            case "name":
                return _Expression(token.text, lambda row: row.get(token.text))
            case _:
                return _unknown(token.text)

    def _called(self, function: str) -> _Expression:
        match function:
            case "count":
                assert self.took("*")
                made = _Expression("count(*)", _row_by_row, lambda rows: float(len(rows)))
            case "max" | "min":
                of = self.expression().of
                pick: Callable[[Iterable[float]], float] = {"max": max, "min": min}[function]
                made = _Expression(function, _row_by_row, lambda rows: _picked(pick, [of(row) for row in rows]))
            case "bin":
                period = self.take("period").text
                seconds = int(period[:-1]) * _SECONDS[period[-1]]
                made = _Expression(f"bin({period})", lambda row: _number(row["@timestamp"]) // seconds * seconds)
            case _:
                _unknown(function)
        assert self.took(")")
        return made


def _either(one: _Expression, other: _Expression) -> _Expression:
    return _Expression("", lambda row: one.of(row) is True or other.of(row) is True)


def _both(one: _Expression, other: _Expression) -> _Expression:
    return _Expression("", lambda row: one.of(row) is True and other.of(row) is True)


def _divided(one: _Expression, by: float) -> _Expression:
    return _Expression("", lambda row: None if one.of(row) is None else _number(one.of(row)) / by)


def _held(compare: Callable[[float, float], bool], one: Value, other: Value) -> bool:
    """Compare two values of one kind; what is missing compares with nothing."""
    if one is None or other is None or isinstance(one, str) is not isinstance(other, str):
        return False
    return compare(one, other)  # type: ignore[arg-type]  # two texts compare as two numbers do


def _picked(pick: Callable[[Iterable[float]], float], values: list[Value]) -> Value:
    numbers = [_number(it) for it in values if it is not None]
    return pick(numbers) if numbers else None


def _number(value: Value) -> float:
    assert isinstance(value, int | float), value
    return float(value)


def _row_by_row(_: Row) -> NoReturn:
    message = "an aggregate has no value for a row"
    raise AssertionError(message)


def _unknown(what: str) -> NoReturn:
    message = f"not known here: {what}"
    raise AssertionError(message)
