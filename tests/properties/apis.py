"""Random APIs, tokens and requests, and a second opinion about them: what policies are held against.

The oracle reads ``docs/rules.md`` once more, in the plainest way: regular expressions, one template after
the other. It knows nothing of the tree and the classes that the code works with.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

from jwt_authorizer.claim_conditions import ClaimCondition, parse_condition
from jwt_authorizer.claims import Principal
from jwt_authorizer.events import EventKind, Request
from jwt_authorizer.method_arn import read_method_arn
from jwt_authorizer.policies import Policy
from jwt_authorizer.rules import Route, Rules, compile_rules
from tests.properties.claim_oracle import meets, written

type Pick = Callable[[Sequence[str]], str]

METHODS = ("GET", "PUT", "POST", "DELETE", "PATCH", "HEAD", "OPTIONS")
SCOPES = ("a", "b", "c")
PREFIX = "arn:aws:execute-api:eu-west-1:123456789012:abcdef1234/prod/"
IDS = ("1", "42", "x", "me", "orders", "lines", "%6De", "a%2Fb", "a:b", "ORDERS", "new")
HOSTILE = ("*", "?", "${*}", "${x", "a*b", "m?", "*/*", "//", "..", "$", "m*", "{id}", "", "e\u0301")


@dataclass(frozen=True, slots=True)
class Api:
    """Some routes, and whether they are promised to be all."""

    routes: tuple[Route, ...]
    absent: bool

    @property
    def rules(self) -> Rules:
        return compile_rules(self.routes, absent=self.absent)


@dataclass(frozen=True, slots=True)
class Asked:
    """A method and a path as a caller sends it."""

    method: str
    path: str

    @property
    def text(self) -> str:
        return self.method + self.path


def resource_api(pick: Pick, *, absent: bool) -> Api:
    """Make an API shaped like resources, with methods and scopes at random."""
    names = ("orders", "users", "files")[: int(pick("123"))]
    templates = [
        f"/{name}{rest}" for name in names for rest in ("", "/{id}", "/{id}/lines/{line}", "/me") if pick("yyyn") == "y"
    ]
    return Api(_routes(pick, templates), absent)


def random_api(pick: Pick, *, absent: bool) -> Api:
    """Make an API whose templates have nothing to do with each other."""
    templates: dict[str, str] = {}
    for _ in range(int(pick("23456"))):
        segments = [pick(("a", "b", "c", "{x}", "{x}")) for _ in range(int(pick("1223344")))]
        segments = [part.replace("x", f"x{index}") for index, part in enumerate(segments)]
        if pick("ynnnnnn") == "y":
            segments[-1] = "{rest+}"
        path = "/" + "/".join(segments)
        templates.setdefault(re.sub(r"\{x\d\}", "{}", path), path)
    if pick("ynnnn") == "y":
        templates["/"] = "/"
    if pick("ynnnnnnn") == "y":
        templates["$default"] = "$default"
    return Api(_routes(pick, list(templates.values())), absent)


def large_api(pick: Pick, *, absent: bool, sizes: tuple[str, ...] = ("4", "20", "60", "150")) -> Api:
    """Make an API with 20 to 1,000 routes, so that its policies have to be packed; some names are shared."""
    names = [f"r{number}" for number in range(int(pick(sizes)))]
    rests = ("", "/{id}", "/{id}/lines", "/{id}/lines/{line}", "/me", "/{rest+}")
    start = pick(("", "/v1", "/{tenant}"))
    shapes = [rest for rest in rests if pick("yyn") == "y"] or [""]
    templates = [f"{start}/{name}{rest}" for name in names for rest in shapes]
    templates += [f"{start}/users/{{id}}", f"{start}/users/{{rest+}}"] + (["$default"] if pick("ynn") == "y" else [])
    return Api(_routes(pick, templates)[:1000], absent)


def overlapping(count: int, depth: int, *, absent: bool = False, methods: frozenset[str] | None = None) -> Api:
    """List routes of variables, each with one fixed segment somewhere, and each with a scope of its own."""
    routes = []
    for number in range(count):
        segments = [f"{{p{place}}}" for place in range(depth)]
        segments[number % depth] = f"a{number}"
        routes.append(Route(methods, "/" + "/".join(segments), (f"s{number}",)))
    return Api(tuple(routes), absent)


def _routes(pick: Pick, templates: list[str]) -> tuple[Route, ...]:
    routes = []
    for path in templates:
        wanted = [pick(("GET", "POST", "PUT", "DELETE", "*")) for _ in range(int(pick("1233")))]
        for method in ["*"] if path == "$default" else dict.fromkeys(wanted):
            scope = pick(("", *SCOPES))
            methods = None if method == "*" else frozenset({method})
            claims = _condition(pick, scope) if scope and pick("ynn") == "y" else ()
            routes.append(Route(methods, path, (scope,) if scope and not claims else (), claims=claims))
    return tuple(routes)


def _condition(pick: Pick, role: str) -> tuple[ClaimCondition, ...]:
    """Ask for a role in a claim instead of a scope, in one of the ways to write it."""
    ways: dict[str, object] = {
        "value": role,
        "any": [role, "another"],
        "all": {"all": [role]},
        "two": {"any": ["a", "b"], "all": [role]},
        "like": {"like": f"{role}*"},
    }
    return (parse_condition("/app~1roles/of", ways[pick(list(ways))]),)


def principal(*scopes: str, roles: tuple[str, ...] = ()) -> Principal:
    held: dict[str, object] = {"of": list(roles) if len(roles) != 2 else {role: {} for role in roles}}
    claims: dict[str, object] = {"app/roles": held} if roles else {}
    return Principal("user", "issuer", "user", " ".join(scopes), frozenset(scopes), (), 2, 0, 2, claims, "")


def principals() -> list[Principal]:
    """Every set of scopes, and of roles in a claim, that an API here can tell apart."""
    chosen = [tuple(right for bit, right in enumerate(SCOPES) if number >> bit & 1) for number in range(8)]
    return [principal(*scopes, roles=roles) for scopes in chosen for roles in chosen]


def request(asked: Asked, prefix: str = PREFIX) -> Request:
    stage, *_ = read_method_arn(prefix + asked.text)
    return Request(EventKind.REST_REQUEST, stage, asked.method, asked.path, None, None, (), None, {})


def listed_request(pick: Pick, api: Api) -> Asked:
    """Ask for one of the routes, as an ordinary client does."""
    index = int(pick([str(number) for number in range(len(api.routes))]))
    route = api.routes[index]
    method = pick(METHODS if route.methods is None else sorted(route.methods))
    path = "/" + pick(("some/thing", "")) if route.path == "$default" else route.path
    path = re.sub(r"\{\w+\}", lambda _: pick(("1", "42", "x7")), path)
    return Asked(method, re.sub(r"\{\w+\+\}", lambda _: pick(("1", "1/2", "x/y/z")), path))


def hostile_request(pick: Pick, api: Api) -> Asked:
    """Ask for something near a route: what another rule decides, or none, or what tries to be a pattern."""
    asked = listed_request(pick, api)
    segments = asked.path[1:].split("/")
    for _ in range(int(pick("0112"))):
        at = int(pick([str(number) for number in range(len(segments))]))
        change = pick(("replace", "replace", "add", "drop", "slash", "double", "lead"))
        word = pick((*IDS, *HOSTILE))
        if change == "replace":
            segments[at] = word
        elif change == "add":
            segments.insert(at, word)
        elif change == "drop" and len(segments) > 1:
            del segments[at]
        elif change == "double":
            segments.insert(at, "")
        elif change == "lead":
            segments.insert(0, "")
        else:
            segments.append("")
    method = pick((*METHODS, "TRACE", "*")) if pick("ynnn") == "y" else asked.method
    return Asked(method, "/" + "/".join(segments))


def tempting_request(pick: Pick, compiled: Policy, api: Api) -> Asked:
    """Ask for something that a policy's own patterns cover, which others have to make good where it is not allowed."""
    granted = [one for statement in compiled.statements for one in statement.resources if statement.effect == "Allow"]
    if not granted:
        return hostile_request(pick, api)
    names = sorted({part for route in api.routes for part in route.path.split("/") if part and "{" not in part})
    text = pick(granted)
    if text == "*":
        text = pick(METHODS) + "/*"
    words = ["1", "1/2", "1/", "", "/1", "x/1/y", *names]
    words += [*(f"1/{name}" for name in names), *(f"{name}/" for name in names)]
    text = re.sub(r"\*", lambda found: pick(METHODS) if found.start() == 0 else pick(words), text)
    method, _, path = text.partition("/")
    return Asked(method, "/" + path)


# ---------------------------------------------------------------------------------------------------------------
# The second opinion


def oracle(api: Api, who: Principal, asked: Asked) -> str:
    """Say ``allowed``, ``refused``, or ``impossible``: the promise is that no such route exists."""
    text = asked.path.removeprefix("/").rstrip("/")
    readings = list(dict.fromkeys((re.sub("/+", "/", text).strip("/"), text)))
    verdicts: list[bool] = []
    possible = False
    for number, reading in enumerate(readings):
        matching = [route for route in api.routes if _template(route.path).fullmatch(reading)]
        possible |= any(route.methods is None or asked.method in route.methods for route in matching)
        if not matching and number == 0:
            verdicts.append(False)
        paths = _deciding({route.path for route in matching})
        verdicts += [_holds([route for route in matching if route.path == path], who, asked.method) for path in paths]
    if all(verdicts):
        return "allowed"
    return "refused" if possible or not api.absent else "impossible"


def taken_route(api: Api, asked: Asked) -> str | None:
    """Name the route that an HTTP API with the listed routes sends a request by: the most specific with its method."""
    text = asked.path.removeprefix("/").rstrip("/")
    matching = [
        (method, route.path)
        for route in api.routes
        if _template(route.path).fullmatch(text)
        for method in (("ANY",) if route.methods is None else sorted(route.methods))
        if method in ("ANY", asked.method)
    ]
    best = min(matching, key=lambda found: ("+}" in found[1], _kinds(found[1]), found[0] == "ANY"), default=None)
    return None if best is None else best[1] if best[1] == "$default" else " ".join(best)


def _deciding(paths: set[str]) -> set[str]:
    """Pick the most specific template as REST APIs do, and as HTTP APIs do."""
    by_segment = sorted(paths, key=_kinds)
    plain = [path for path in by_segment if "+}" not in path and path != "$default"]
    return {*by_segment[:1], *(plain[:1] or by_segment[:1])}


def _kinds(path: str) -> list[int]:
    if path == "$default":
        return [9]
    return [2 if part.endswith("+}") else 1 if part.startswith("{") else 0 for part in path[1:].split("/")]


@cache
def _template(path: str) -> re.Pattern[str]:
    if path == "$default":
        return re.compile(".*", re.DOTALL)
    parts = [
        ".+" if part.endswith("+}") else "[^/]*" if part.startswith("{") else re.escape(part)
        for part in path[1:].split("/")
    ]
    # A variable may be empty only between two slashes; a path that is nothing is the root and no variable.
    return re.compile("/".join(parts) if path == "/" else "(?!$)" + "/".join(parts), re.DOTALL)


def _holds(routes: list[Route], who: Principal, method: str) -> bool:
    own = [route for route in routes if route.methods is not None and method in route.methods]
    found = own or [route for route in routes if route.methods is None]
    return (
        bool(found)
        and set(found[0].scopes) <= who.scopes
        and all(meets(who.claims, asked.claim.name, written(asked)) for asked in found[0].claims)
    )
