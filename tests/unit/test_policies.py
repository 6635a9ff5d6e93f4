"""The policy that an answer carries: what it allows and denies, where a cache replays it for other requests."""

from collections import Counter
from collections.abc import Callable
from copy import replace

import pytest

from jwt_authorizer.errors import ErrorCode
from jwt_authorizer.events import EventKind, Request
from jwt_authorizer.policies import Policy, policies_for
from jwt_authorizer.policies.compiler import PolicyCompiler
from jwt_authorizer.policies.patterns import Matcher
from jwt_authorizer.rules import Allow, Deny, Rules, compile_rules
from jwt_authorizer.rules.classes import Classes
from tests.properties.apis import METHODS, Asked, overlapping, principal
from tests.properties.judge import ORDERS, Tally, asks, compare, compiled, listing, permits, resources

NO_EMPTY = "*//*"
TWO = ("GET/orders", "GET/orders/*")
DEEP = ("GET /a/{x}", "GET /a/{x}/b/{y}")
SHOP = (*ORDERS, "GET /users/{id}", "GET /")
NO_SLASH = "all routes with variables, where a path has no slash at its end"
TOO_LONG = "the request itself: it is too long for a policy"
LONG = "x" * 600
SECRETS = ("GET /files/{p+}", "GET /files/{a}/secret admin", "GET /users")


@pytest.mark.parametrize(
    ("rules", "asked", "cached_by", "allowed", "denied"),
    [
        # Denied: a//b, what is longer than any route (GET/orders/me/ among it), and what another rule refuses.
        (listing(*ORDERS), "GET /orders", "token", TWO, (NO_EMPTY, "GET/orders/*/*", "GET/orders/me")),
        # A refused request gets the policy for all others.
        (listing(*ORDERS), "POST /orders", "token", TWO, (NO_EMPTY, "GET/orders/*/*", "GET/orders/me")),
        (listing(*ORDERS, absent=True), "GET /orders/1", "token", TWO, (NO_EMPTY, "GET/orders/me", "GET/orders/me/*")),
        (listing("* /health", absent=True), "GET /health", "token", ("*/health",), ("*/*/health", NO_EMPTY)),
        (listing("* $default"), "GET /x", "token", ("*",), ()),
        (listing("GET $default", "* $default"), "GET /x", "route", ("*",), ()),
        (listing(*ORDERS, "GET /files/{p+}"), "GET /files//*", "token", ("GET/files//?",), ("*/*/*/*/*",)),
        (listing(*ORDERS), "GET /orders/a:b%2Fc", "nothing", ("GET/orders/a:b%2Fc",), ()),
        (listing(*ORDERS), "POST /orders", "route", (), ("*",)),
        (listing(*ORDERS), "POST /orders", "nothing", (), ("*",)),
        # What cannot be denied alone.
        (listing("GET /a/{id}", absent=True), "GET /a/1/*", "token", (), ("*",)),
        (listing("GET /a/{id}", absent=True), f"GET /a/1/{LONG}", "token", (), ("*",)),
    ],
    ids=range(12),
)
def test_a_policy_has_these_resources(
    rules: Rules, asked: str, cached_by: str, allowed: tuple[str, ...], denied: tuple[str, ...]
) -> None:
    policy = compiled(rules, asked, cached_by=cached_by)
    assert (resources(policy), resources(policy, "Deny")) == (allowed, denied)


@pytest.mark.parametrize(
    ("rules", "asked", "cached_by", "permitted", "refused", "left_out"),
    [
        # Two routes that exclude each other: the one asked for is granted.
        (listing(*DEEP), "GET /a/1", "token", ["GET/a/2"], ["GET/a/2/b/3"], DEEP[1:]),
        (listing(*DEEP), "GET /a/1/b/2", "token", ["GET/a/2/b/3"], ["GET/a/2"], DEEP[:1]),
        # A route that costs many others, or whose denials take too much room: only the request is granted.
        (
            listing(*DEEP, "GET /a/{x}/c/{y}", "GET /a/{x}/d/{y}"),
            "GET /a/1",
            "token",
            ["GET/a/1", *(f"GET/a/1/{name}/2" for name in "bcd")],
            ["GET/a/2"],
            DEEP[:1],
        ),
        (
            listing("GET /a/{id}", "GET /b/{id}", *(f"GET /a/r{number} x" for number in range(200))),
            "GET /a/1",
            "token",
            ["GET/a/1", "GET/b/1"],
            ["GET/a/r7", "GET/a/2"],
            ("GET /a/{id}",),
        ),
        # A greedy route with a refused one inside: the longer paths.
        (
            listing("GET /files/{path+}", "GET /files/{name} read"),
            "GET /files/a/b",
            "token",
            ["GET/files/a/b/c"],
            ["GET/files/a"],
            ("GET /files/{path+}",),
        ),
        # A denial that is too long for a resource.
        (
            listing("GET /orders", "GET /orders/{id}", f"GET /orders/{LONG} admin"),
            "GET /orders/1",
            "token",
            ["GET/orders", "GET/orders/1"],
            [f"GET/orders/{LONG}", "GET/orders/2"],
            ("GET /orders/{id}",),
        ),
        # Requests that are too long: their route, or nothing of them, and no other route is lost.
        (listing(*ORDERS), f"GET /orders/{LONG}", "nothing", [f"GET/orders/{LONG}"], ["GET/orders"], ()),
        (listing(*ORDERS), f"GET /orders//{LONG}", "nothing", [], [f"GET/orders//{LONG}"], (TOO_LONG,)),
        (listing(*SECRETS), f"GET /files/{'x/' * 300}secret", "token", ["GET/users", "GET/files/1"], [], (TOO_LONG,)),
        (listing(*SECRETS), f"GET /files/{LONG}//y", "token", ["GET/users", "GET/files/1"], [], (TOO_LONG,)),
        # The promise that there are no other routes is broken by this request.
        (listing("GET /a/{id}", absent=True), "GET /a/1/b", "token", ["GET/a/1"], ["GET/a/1/b"], ()),
        # Odd paths, and paths with a slash at the end: a policy for such paths, if others would be lost.
        (
            listing(*SHOP),
            "GET /orders//1",
            "token",
            ["GET/orders//1", "GET/orders"],
            ["GET/orders/1", "GET/orders/me"],
            ("GET /orders/{id}", "GET /users/{id}"),
        ),
        (
            listing(*SHOP),
            "GET /orders/1//",
            "token",
            ["GET/orders/1//", "GET/orders"],
            ["GET/orders/1", "GET/orders/me"],
            ("GET /orders/{id}", "GET /users/{id}"),
        ),
        (
            listing(*SHOP),
            "GET /orders/1/",
            "token",
            ["GET/orders/1/", "GET/orders/2/", "GET/users/7/", "GET/orders/", "GET/orders", "GET/"],
            ["GET/orders/me/", "GET/orders/me", "GET/orders/1/2/", "GET/orders/1/2", "GET/users/", "GET//", "PUT/"],
            (NO_SLASH,),
        ),
        (listing(*DEEP), "GET /a/1/", "route", ["GET/a/2/"], ["GET/a/1/b/2/"], (NO_SLASH,)),
        (listing(*SHOP, absent=True), "GET /orders/1/", "token", ["GET/orders/1/", "GET/users/7"], [], ()),
        (listing("GET /files/{p+}"), "GET /files/1/", "token", ["GET/files/1/", "GET/files/a/b"], [], ()),
        # One route, with whatever parameters.
        (
            listing(*ORDERS, "GET /orders/{id}/lines/{line}"),
            "GET /orders/1",
            "route",
            ["GET/orders/2"],
            ["GET/orders", "GET/orders/me"],
            (),
        ),
    ],
    ids=range(18),
)
def test_a_policy_permits_as_much_as_it_can_and_names_what_it_leaves_out(  # noqa: PLR0913 - a table of cases
    *, rules: Rules, asked: str, cached_by: str, permitted: list[str], refused: list[str], left_out: tuple[str, ...]
) -> None:
    policy = compiled(rules, asked, cached_by=cached_by)
    assert [text for text in permitted if not permits(policy, text)] == []
    assert [text for text in refused if permits(policy, text)] == []
    assert policy.left_out == left_out


def test_whether_one_answer_does_for_a_route_of_the_api() -> None:
    def on(route_key: str) -> Request:
        return replace(asks("GET /orders", EventKind.HTTP_API_V2), route_key=route_key)

    yes, no = Allow("GET /orders"), Deny(ErrorCode.INSUFFICIENT_SCOPE)
    assert policies_for(compile_rules(None)).one_answer(principal(), yes, on("GET /x"))
    assert policies_for(compile_rules(None)).may_be_allowed(principal(), on("GET /x"))
    compiler = PolicyCompiler(listing("GET /orders", "GET /orders/{id} read"))
    for number in range(300):  # more than are kept
        assert compiler.one_answer(principal(), no, on(f"GET /none{number}"))
    for who, held in ((principal(), False), (principal("read"), True), (principal(), False)):
        for route_key, right, may in (
            ("GET /{proxy+}", (), True),
            ("GET /orders/{order}", (yes if held else no,), held),
        ):
            assert tuple(one for one in (yes, no) if compiler.one_answer(who, one, on(route_key))) == right
            assert compiler.may_be_allowed(who, on(route_key)) is may


# ---------------------------------------------------------------------------------------------------------------
# Routes that overlap a lot, on purpose or not: finding a policy is bounded, and what it has not found is left out.


@pytest.mark.parametrize("absent", [True, False])
@pytest.mark.parametrize(("count", "depth"), [(20, 5), (12, 12), (300, 6)])
def test_what_is_found_within_the_budget_is_right(count: int, depth: int, *, absent: bool) -> None:
    api = overlapping(count, depth, absent=absent, methods=frozenset({"GET"}))
    compiler = PolicyCompiler(api.rules, most_work=5_000)
    who = principal(*(f"s{number}" for number in range(1, count)))
    paths = ["/x" * place + f"/a{place}" + "/x" * (depth - place - 1) for place in (0, 1, 4)]
    asked = [Asked("GET", path) for path in (*paths, "/a0/a1" + "/x" * (depth - 2), "/x/a1" + "/*" * (depth - 2))]
    tally = Tally()
    for one in asked:
        assert compare(api, compiler, who, one, others=asked, tally=tally).left_out
    assert (tally.wrong_for_asked, tally.over_grants) == (0, 0)


TENANTS = [f"GET /{{tenant}}/r{n}{rest} s{n % 10}" for n in range(100) for rest in ("", "/{id}", "/{id}/lines/{line}")]
EACH_METHOD = [f"{('*', METHODS[n % 7])[n % 2]} /r{n}/{{id}} s{n % 10}" for n in range(300)]


@pytest.mark.parametrize("absent", [True, False])
@pytest.mark.parametrize(
    "make",
    [
        lambda absent: overlapping(300, 6, absent=absent).rules,
        lambda absent: overlapping(40, 40, absent=absent).rules,
        lambda absent: listing(*TENANTS, absent=absent),
        lambda absent: listing(*EACH_METHOD, absent=absent),
    ],
    ids=["overlapping", "deep", "tenants", "each method"],
)
def test_the_work_is_bounded_whatever_the_rules(
    make: Callable[[bool], Rules], monkeypatch: pytest.MonkeyPatch, *, absent: bool
) -> None:
    counts: Counter[str] = Counter()

    def count(owner: type, name: str) -> None:
        real = getattr(owner, name)

        def counted(*arguments: object) -> object:
            counts[name] += 1
            return real(*arguments)

        monkeypatch.setattr(owner, name, counted)

    count(Classes, "step")
    count(Matcher, "read")
    compiled(make(absent), "GET /none", *(f"s{number}" for number in range(1, 10)))
    assert counts["step"] < 300_000
    assert counts["read"] < 3_000_000


def test_only_so_many_policies_are_kept() -> None:
    rules = listing(*(f"* /r{number} s{number}" for number in range(9)))
    compiler = PolicyCompiler(rules)

    def ask(rights: int) -> Policy:
        return compiled(rules, "GET /r0", *(f"s{bit}" for bit in range(9) if rights >> bit & 1), compiler=compiler)

    first = ask(1)
    assert ask(1) is first
    for rights in range(2, 300):
        ask(rights)
    assert ask(1) == first
    assert ask(1) is not first
