"""Policies that do not fit as they are, and how resources are matched. What is said of overlaps is said at the desk."""

from copy import replace
from random import Random

import pytest

from jwt_authorizer.events import EventKind, Request
from jwt_authorizer.method_arn import read_method_arn
from jwt_authorizer.policies import Policy, Statement, policies_for
from jwt_authorizer.policies.compiler import PolicyCompiler
from jwt_authorizer.policies.patterns import ANY, Matcher, resource
from jwt_authorizer.rules import Rules, compile_rules
from jwt_authorizer_devkit.explaining.resources import compile_texts
from jwt_authorizer_devkit.routes.overlaps import describe_overlaps
from tests.factories import Watched, authorizer, rest_request_event, token
from tests.properties.apis import PREFIX, principal
from tests.properties.judge import ORDERS, asks, compiled, covers, listing, permits, resources

EVERYTHING = ("*",)
DEEP = ("GET /a/{x}", "GET /a/{x}/b/{y}")

# ---------------------------------------------------------------------------------------------------------------
# Sizes


def many(count: int, *, absent: bool = False) -> Rules:
    lines = [f"GET /a{number}/{{id}} {'x' if number % 2 else 'y'}" for number in range(count)]
    return listing(*lines, "GET /last x", absent=absent)


def test_what_does_not_fit_is_left_out_and_said() -> None:
    policy = compiled(many(300), "GET /last", "x")
    assert permits(policy, "GET/last")
    left_out = len(policy.left_out)
    assert 0 < left_out < 151
    granted = sum(permits(policy, f"GET/a{number}/1") for number in range(300))
    assert granted == 150 - left_out
    size = sum(len(PREFIX) + len(one) + 4 for statement in policy.statements for one in statement.resources)
    assert size <= 8192 - 400


def test_under_absent_wider_patterns_make_room() -> None:
    rules = listing(*(f"GET /a/{number}" for number in range(300)), "POST /a/1 x", absent=True)
    policy = compiled(rules, "GET /a/1")
    assert policy.left_out == ()
    assert all(permits(policy, f"GET/a/{number}") for number in range(300))
    assert not permits(policy, "POST/a/1")


def test_a_wider_pattern_that_would_take_something_away_is_not_chosen() -> None:
    lines = [f"GET /a{number}/{{id}}" for number in range(200)]
    rules = listing(*lines, "GET /{x}/secret x", "GET /a7/{id}/y", absent=True)
    policy = compiled(rules, "GET /a1/1")
    assert permits(policy, "GET/a1/1")
    assert not permits(policy, "GET/b/secret")


def test_a_request_that_is_too_long_for_a_resource_gets_its_route() -> None:
    long = "/orders/" + "x" * 600
    assert permits(compiled(listing(*ORDERS), f"GET {long}", cached_by="nothing"), f"GET{long}")


def test_a_request_that_is_too_long_even_so_is_denied_and_that_is_said() -> None:
    policy = compiled(listing(*ORDERS), "GET /orders//" + "x" * 600, cached_by="nothing")
    assert policy.statements == (Statement("Deny", EVERYTHING),)
    assert policy.left_out == ("the request itself: it is too long for a policy",)


def test_a_promise_broken_by_a_request_too_long_to_deny_denies_everything() -> None:
    policy = compiled(listing("GET /a/{id}", absent=True), "GET /a/1/" + "x" * 600)
    assert policy.statements == (Statement("Deny", EVERYTHING),)


def test_a_route_with_many_refused_ones_inside_costs_no_other_route() -> None:
    refused = [f"GET /a/r{number} x" for number in range(200)]
    policy = compiled(listing("GET /a/{id}", "GET /b/{id}", *refused), "GET /a/1")
    assert permits(policy, "GET/a/1")
    assert permits(policy, "GET/b/1")
    assert not permits(policy, "GET/a/r7")
    assert policy.left_out == ("GET /a/{id}",)


def test_a_policy_for_everything_still_denies_empty_segments() -> None:
    paths = [f"/v1/r{number}{rest}" for number in range(40) for rest in ("", "/{id}")]
    lines = [f"{method} {path}" for path in paths for method in ("GET", "PUT")]
    lines += ["PUT /v1/users/{id}", "POST /v1/users/{id}", "POST /v1/users/{rest+}"]
    rules = listing(*(f"{line} a" for line in lines), absent=True)
    policy = compiled(rules, "GET /v1/r1", "a")
    assert policy.left_out == ()
    assert permits(policy, "PUT/v1/users/42")
    # The rules refuse this: read as it stands, only /v1/users/{rest+} matches it, which lists no PUT.
    assert not permits(policy, "PUT/v1/users//42")


# ---------------------------------------------------------------------------------------------------------------
# What the desk says of overlaps


def test_two_routes_that_exclude_each_other_are_named_with_what_to_do() -> None:
    [warning] = describe_overlaps(listing(*DEEP))
    assert all(route in warning for route in DEEP)
    assert 'unlisted_routes = "absent"' in warning
    assert "JWT_CACHED_BY=route" in warning


def test_a_pair_is_named_once_whichever_of_the_two_is_left_out() -> None:
    rules = listing("GET /a s", "GET /a/{x} s", "GET /a/{x}/b/{y} s", "GET /a/me t", "GET /a/you t", "PUT /a u")
    assert len(describe_overlaps(rules)) == 1


def test_listing_what_is_between_two_routes_mends_it() -> None:
    rules = listing(*DEEP, "GET /a/{rest+}")
    assert describe_overlaps(rules) == ()
    assert compiled(rules, "GET /a/1").left_out == ()


def test_a_route_that_no_principal_of_some_rights_can_have_is_named() -> None:
    rules = listing("GET /a/{p+}", "GET /a/{x} s", "GET /a/{x}/{y} s", "GET /a/{x}/{y}/{z} s", absent=True)
    [warning] = describe_overlaps(rules)
    assert warning.startswith("GET /a/{p+} overlaps with routes that")
    assert "absent" not in warning


def test_there_is_nothing_to_say_where_nothing_is_left_out() -> None:
    assert describe_overlaps(listing(*DEEP, absent=True)) == ()
    assert describe_overlaps(compile_rules(None)) == ()
    assert describe_overlaps(listing("* $connect")) == ()


def test_not_more_is_said_than_somebody_reads() -> None:
    lines = [f"GET /r{number}/{rest}" for number in range(30) for rest in ("{x}", "{x}/b/{y}")]
    warnings = describe_overlaps(listing(*lines))
    assert len(warnings) == 21
    assert warnings[-1] == "10 more pairs of routes overlap like these"


def test_what_many_kinds_of_rights_lead_to_is_not_looked_at_one_by_one() -> None:
    lines = [f"GET /r{number}/{rest} s{number}" for number in range(14) for rest in ("{x}", "{x}/b/{y}")]
    assert len(describe_overlaps(listing(*lines))) == 14


# ---------------------------------------------------------------------------------------------------------------
# Patterns


def test_a_pattern_is_read_as_its_text_is_matched() -> None:
    random = Random(3)  # noqa: S311 - examples, not secrets
    parts, segments = ("a", "b", ANY, ANY, ""), ("a", "b", "c", "")
    for _ in range(3000):
        pattern = tuple(random.choice(parts) for _ in range(random.randint(1, 4)))
        words = tuple(random.choice(segments) for _ in range(random.randint(1, 5)))
        expected = covers(resource(pattern), "/".join(words))
        matcher = Matcher(pattern)
        positions = matcher.start
        for word in words:
            positions = matcher.read(positions, word)
        assert bool(positions & matcher.end) is expected, (pattern, words)
        assert Matcher(("d",), pattern).covers(words) is expected, (pattern, words)


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("GET/a", "GET/a", True),
        ("GET/a", "GET/ab", False),
        ("GET/a.c", "GET/abc", False),
        ("GET/*/b/*/c", "GET/b/b/c/c", True),
        ("GET/*/b/*/c", "GET/a/b/c", False),
        ("GET/*", "GET/", True),
        ("GET/a?c", "GET/a/c", True),
        ("GET/a?c", "GET/ac", False),
        ("*", "", True),
        ("GET/*\n", "GET/x\n", True),
    ],
)
def test_resources_are_matched_as_iam_does(pattern: str, text: str, expected: bool) -> None:  # noqa: FBT001 - a table of cases
    assert (compile_texts([pattern]).match(text) is not None) is expected


def test_matching_a_hostile_path_takes_no_long_time() -> None:
    expression = compile_texts(["GET/*/a/*/b/*/a/*/b/*/a/*/c"])
    assert expression.match("GET/x" + "/a/x/b/x" * 20_000) is None


# ---------------------------------------------------------------------------------------------------------------
# How far a cached answer reaches: odd paths, routes for any method, and APIs that are not what the rules promise.


NO_SLASH = "all routes with variables, where a path has no slash at its end"
TOO_LONG = "the request itself: it is too long for a policy"


def came_by(
    rules: Rules,
    text: str,
    route_key: str | None,
    *scopes: str,
    kind: EventKind = EventKind.HTTP_API_V2,
    cached_by: str = "route",
) -> Policy:
    request = replace(asks(text, kind), route_key=route_key)
    who = principal(*scopes)
    decision = rules.decide(who, request.method, request.path, request.matched)
    return policies_for(rules).compile(who, decision, request, cached_by)


# A slash at the end.

SHOP = (*ORDERS, "GET /users/{id}", "GET /")


def test_who_ends_paths_with_a_slash_gets_a_policy_for_such_paths() -> None:
    policy = compiled(listing(*SHOP), "GET /orders/1/")
    for text in ("GET/orders/1/", "GET/orders/2/", "GET/users/7/", "GET/orders/", "GET/orders", "GET/"):
        assert permits(policy, text), text
    for text in ("GET/orders/me/", "GET/orders/me", "GET/orders/1/2/", "GET/orders/1/2", "GET/users/", "GET//", "PUT/"):
        assert not permits(policy, text), text
    assert NO_SLASH in policy.left_out


def test_so_does_who_caches_by_route_where_routes_overlap() -> None:
    rules = listing("GET /a/{x}", "GET /a/{x}/b/{y}")
    policy = compiled(rules, "GET /a/1/", cached_by="route")
    assert permits(policy, "GET/a/2/")
    assert not permits(policy, "GET/a/1/b/2/")
    assert policy.left_out == (NO_SLASH,)


def test_where_no_others_are_lost_a_slash_at_the_end_is_no_matter() -> None:
    for policy in (
        compiled(listing(*SHOP, absent=True), "GET /orders/1/"),
        compiled(listing("GET /files/{p+}"), "GET /files/1/"),
        compiled(listing(*SHOP), "GET /orders/"),
    ):
        assert policy.left_out == ()


def test_what_an_odd_path_costs_is_told() -> None:
    policy = compiled(listing(*SHOP), "GET /orders//1")
    assert not permits(policy, "GET/orders/1")
    assert policy.left_out == ("GET /orders/{id}", "GET /users/{id}")


# Paths that no policy can hold.


@pytest.mark.parametrize("path", ["/files/" + "x/" * 300 + "secret", "/files/" + "x" * 600 + "//y"])
def test_a_request_that_is_too_long_costs_no_other(path: str) -> None:
    rules = listing("GET /files/{p+}", "GET /files/{a}/secret admin", "GET /users")
    policy = compiled(rules, f"GET {path}")
    assert permits(policy, "GET/users")
    assert permits(policy, "GET/files/1")
    assert policy.left_out == (TOO_LONG,)


def test_a_refused_request_that_cannot_be_denied_alone_costs_only_what_would_let_it_pass() -> None:
    rules = listing("GET /orders/{id}", "GET /orders/me admin", "GET /users")
    path = "/orders/m%65*"
    policy = came_by(rules, f"GET {path}", "/orders/me", kind=EventKind.REST_REQUEST, cached_by="token")
    assert not permits(policy, f"GET{path}")
    assert permits(policy, "GET/users")
    assert not permits(policy, "GET/orders/1")
    assert policy.left_out == ("GET /orders/{id}",)


# Caches by route.


@pytest.mark.parametrize(
    ("kind", "route_key", "others"),
    [
        (EventKind.HTTP_API_V2, "ANY /orders/{id}", True),
        (EventKind.HTTP_API_V2, "GET /orders/{id}", False),
        (EventKind.HTTP_API_V1, "/orders/{id}", True),
        (EventKind.REST_REQUEST, "/orders/{id}", False),
    ],
)
@pytest.mark.parametrize("rules", [(), ("GET /orders/{id}", "* /orders/{id}")], ids=["none", "two"])
def test_an_answer_for_a_route_is_for_all_methods_that_the_cache_does_not_tell_apart(
    rules: tuple[str, ...],
    kind: EventKind,
    route_key: str,
    others: bool,  # noqa: FBT001 - pytest's
) -> None:
    policy = came_by(listing(*rules) if rules else compile_rules(None), "GET /orders/1", route_key, kind=kind)
    assert permits(policy, "GET/orders/2")
    assert permits(policy, "POST/orders/2") is others
    assert not permits(policy, "GET/users")


def test_a_catch_all_is_for_all_methods_too() -> None:
    policy = came_by(listing("GET $default", "* $default"), "GET /x", "$default")
    assert permits(policy, "POST/y/z")


def test_a_token_authorizer_s_cache_is_keyed_by_the_token_whatever_the_setting_says() -> None:
    rules = listing("GET /orders", "GET /users", "GET /admin admin")
    request = Request(EventKind.REST_TOKEN, *read_method_arn(f"{PREFIX}GET/admin"), None, None, (), "", {})
    decision = rules.decide(principal(), "GET", "/admin")
    policy = PolicyCompiler(rules).compile(principal(), decision, request, "route")
    assert resources(policy) == ("GET/orders", "GET/users")


# The promise that the API has no routes but those listed.


@pytest.mark.parametrize(
    ("kind", "route_key"),
    [
        (EventKind.REST_REQUEST, "/{proxy+}"),
        (EventKind.HTTP_API_V1, "/{proxy+}"),
        (EventKind.HTTP_API_V2, "ANY /{proxy+}"),
        (EventKind.HTTP_API_V2, "ANY /orders/{id}"),
        (EventKind.HTTP_API_V2, "$default"),
    ],
)
@pytest.mark.parametrize("cached_by", ["token", "route"])
def test_a_route_that_no_rule_lists_breaks_the_promise(kind: EventKind, route_key: str, cached_by: str) -> None:
    rules = listing("GET /orders/{id}", absent=True)
    assert permits(came_by(rules, "GET /orders/1", None, cached_by="token"), "GET/orders/1/refund")
    policy = came_by(rules, "GET /orders/1", route_key, kind=kind, cached_by=cached_by)
    assert permits(policy, "GET/orders/2")
    assert not permits(policy, "GET/orders/1/refund")
    (warning,) = policy.warnings
    assert route_key.rpartition(" ")[2] in warning
    assert 'unlisted_routes = "absent"' in warning


@pytest.mark.parametrize(
    ("kind", "route_key"),
    [
        (EventKind.REST_REQUEST, "/orders/{order}"),
        (EventKind.HTTP_API_V1, "/orders/{order}"),
        (EventKind.HTTP_API_V2, "GET /orders/{order}"),
        (EventKind.REST_TOKEN, None),
    ],
)
def test_a_route_that_is_listed_keeps_it(kind: EventKind, route_key: str | None) -> None:
    rules = listing("GET /orders/{id}", absent=True)
    assert came_by(rules, "GET /orders/1", route_key, kind=kind, cached_by="token").warnings == ()


def test_the_log_says_that_the_promise_is_broken() -> None:
    function = Watched(authorizer(rules=listing("GET /orders/{id}", absent=True)))
    function(rest_request_event(token(), resource="GET/orders/1") | {"resource": "/{proxy+}"})
    (warning,) = function.line["warnings"]
    assert "'/{proxy+}'" in warning


def test_policies_without_the_promise_are_kept_as_others_are() -> None:
    rules = listing("GET /orders/{id}", absent=True)
    request = replace(asks("GET /orders/1"), route_key="/{proxy+}")
    compiler, decision = PolicyCompiler(rules), rules.decide(principal(), "GET", "/orders/1")
    first, second = (compiler.compile(principal(), decision, request, "token") for _ in range(2))
    assert first.statements is second.statements
