"""What a document says about an API's routes, and how alternatives of scopes become one rule."""

from __future__ import annotations

from dataclasses import dataclass, field

from jwt_authorizer.rules import parse_routes
from jwt_authorizer.rules.model import ANY_METHOD, CONNECT, DEFAULT


@dataclass(frozen=True, slots=True)
class Need:
    """The scopes that a route needs: all of ``scopes``, and one of ``any_scopes`` where there are any."""

    scopes: tuple[str, ...] = ()
    any_scopes: tuple[str, ...] = ()


@dataclass(slots=True)
class Listing:
    """The routes that take a token, as (path, method), and what else there is to say.

    ``problems`` are what no rule can express: with any of them the list is not to be used, since
    ``unlisted_routes = "absent"`` promises that it is whole. ``notes`` are worth knowing.
    """

    routes: dict[tuple[str, str], Need] = field(default_factory=dict)
    without_token: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, method: str, path: str, need: Need) -> None:
        """List a route. The same route with other needs is a problem: nobody could tell which holds."""
        if self.routes.setdefault((path, method), need) != need:
            self.problems.append(f"{name(method, path)} is described twice, with different scopes")

    def check(self) -> None:
        """Check the list against what the authorizer itself accepts, and report whatever it refuses."""
        for path, method in self.routes:
            self.without_token.pop(name(method, path), None)  # an event of a template may add what a document left open
        tables = route_tables(self)
        if not tables:
            if not self.problems:
                self.problems.append("no route in it takes a token: there is nothing to write rules about")
            return

        def report(label: str, message: str, value: object = None, /) -> None:
            position = int(label.partition("[")[2].partition("]")[0])
            del value
            self.problems.append(f"{tables[position]['path']}: {message}")

        parse_routes(tables, report)


def name(method: str, path: str) -> str:
    """Name a route as messages do."""
    return path if path in (CONNECT, DEFAULT) else f"{method} {path}"


def route_tables(listing: Listing) -> list[dict[str, object]]:
    """Return the ``[[routes]]`` tables: methods of one path that need the same are one table."""
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
    """Make one rule of alternatives, each of which names scopes that are needed together.

    An alternative that asks for more than another adds nothing. What is left has to differ in one scope each.

    Raises ``ValueError`` where a rule cannot say it.
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
            f"its alternatives ({shown}) can't be one rule: a rule takes scopes that are all needed, and one list of "
            "which one is needed (any_scopes). Have the issuer put one scope in the place of each combination"
        )
    kept = tuple(scope for scope in dict.fromkeys(distinct[0]) if scope in common)
    return Need(kept, tuple(rest[0] for rest in rests))
