"""The routes in a document, and how alternatives of scopes become one rule."""

from __future__ import annotations

from dataclasses import dataclass, field

from jwt_authorizer.rules import parse_routes
from jwt_authorizer.rules.model import ANY_METHOD, CONNECT, DEFAULT


@dataclass(frozen=True, slots=True)
class Need:
    """The scopes that a route needs: all of ``scopes``, and one of ``any_scopes`` if there are any."""

    scopes: tuple[str, ...] = ()
    any_scopes: tuple[str, ...] = ()


@dataclass(slots=True)
class Listing:
    """The routes that take a token, as (path, method), with problems and notes.

    ``problems`` are what rules cannot express. With any of them the list must not be used, since
    ``unlisted_routes = "absent"`` promises that it is complete.
    """

    routes: dict[tuple[str, str], Need] = field(default_factory=dict)
    without_token: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, method: str, path: str, need: Need) -> None:
        """Add a route. The same route with other scopes is a problem."""
        if self.routes.setdefault((path, method), need) != need:
            self.problems.append(f"{name(method, path)} is described twice, with different scopes")

    def check(self) -> None:
        """Check the list with the authorizer's own parser, and report its errors as problems."""
        for path, method in self.routes:
            self.without_token.pop(
                name(method, path), None
            )  # an event of a template may add a route that the document leaves open
        tables = route_tables(self)
        if not tables:
            if not self.problems:
                self.problems.append("no route in it takes a token, so there are no rules to write")
            return

        def report(label: str, message: str, value: object = None, /) -> None:
            position = int(label.partition("[")[2].partition("]")[0])
            del value
            self.problems.append(f"{tables[position]['path']}: {message}")

        parse_routes(tables, report)


def name(method: str, path: str) -> str:
    """Return a route's name for messages."""
    return path if path in (CONNECT, DEFAULT) else f"{method} {path}"


def route_tables(listing: Listing) -> list[dict[str, object]]:
    """Return the ``[[routes]]`` tables. Methods of a path with the same scopes share a table."""
    merged: dict[tuple[str, Need, bool], list[str]] = {}
    for (path, method), need in listing.routes.items():
        merged.setdefault((path, need, method == ANY_METHOD), []).append(method)
    tables: list[dict[str, object]] = []
    for (path, need, _), methods in merged.items():
        table: dict[str, object] = {}
        if path not in (CONNECT, DEFAULT):
            table["method"] = methods[0] if len(methods) == 1 else methods
        table["path"] = path
        if need.scopes:
            table["scopes"] = list(need.scopes)
        if need.any_scopes:
            table["any_scopes"] = list(need.any_scopes)
        tables.append(table)
    return tables


def combine(alternatives: list[tuple[str, ...]]) -> Need:
    """Make one rule of alternatives. Each lists scopes that are needed together.

    An alternative that needs all scopes of another one is dropped. The others have to differ in one scope each.

    Raises ``ValueError`` if a rule cannot express them.
    """
    sets = [frozenset(scopes) for scopes in alternatives]
    least = [scopes for scopes, own in zip(alternatives, sets, strict=True) if not any(other < own for other in sets)]
    distinct = list({frozenset(scopes): scopes for scopes in least}.values())
    if len(distinct) == 1:
        return Need(scopes=tuple(dict.fromkeys(distinct[0])))
    common = frozenset.intersection(*(frozenset(scopes) for scopes in distinct))
    rests = [[scope for scope in dict.fromkeys(scopes) if scope not in common] for scopes in distinct]
    if any(len(rest) > 1 for rest in rests):
        shown = ", or ".join(" and ".join(scopes) for scopes in distinct)
        raise ValueError(
            f"its alternatives ({shown}) can't be one rule: a rule has scopes that are all needed, and one list of "
            "which one is needed (any_scopes). Have the issuer replace each combination by one scope"
        )
    kept = tuple(scope for scope in dict.fromkeys(distinct[0]) if scope in common)
    return Need(kept, tuple(rest[0] for rest in rests))
