"""Policies that do not fit as they are, and how resources are matched. What is said of overlaps is said at the desk."""

from copy import replace
from random import Random

import pytest

from jwt_authorizer.events import EventKind
from jwt_authorizer.policies import Policy, policies_for
from jwt_authorizer.policies.patterns import ANY, Matcher, resource
from jwt_authorizer.rules import Rules, compile_rules
from jwt_authorizer_devkit.routes.overlaps import describe_overlaps
from tests.factories import Watched, authorizer, rest_request_event, token
from tests.properties.apis import PREFIX, principal
from tests.properties.judge import asks, compiled, covers, listing, permits, resources

DEEP = ("GET /a/{x}", "GET /a/{x}/b/{y}")

# ---------------------------------------------------------------------------------------------------------------
# Sizes


def test_what_does_not_fit_is_left_out_and_said() -> None:
    policy = compiled(listing(*(f"GET /a{number}/{{id}}" for number in range(150)), "GET /last"), "GET /last")
    assert permits(policy, "GET/last")
    granted = sum(permits(policy, f"GET/a{number}/1") for number in range(150))
    assert 0 < granted == 150 - len(policy.left_out) < 150
    size = sum(len(PREFIX) + len(one) + 4 for statement in policy.statements for one in statement.resources)
    assert size <= 8192 - 400


def test_under_absent_wider_patterns_make_room() -> None:
    rules = listing(*(f"GET /a/{number}" for number in range(300)), "POST /a/1 x", absent=True)
    policy = compiled(rules, "GET /a/1")
    assert policy.left_out == ()
    assert all(permits(policy, f"GET/a/{number}") for number in range(300))
    assert not permits(policy, "POST/a/1")


def test_of_an_ordinary_api_nothing_is_left_out() -> None:
    lines = [f"{method} /r{n}{rest} s{n % 5}" for n in range(75) for method in ("GET", "PUT") for rest in ("", "/{id}")]
    assert compiled(listing(*lines, absent=True), "GET /r1", "s0", "s1", "s2", "s3").left_out == ()


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


def test_routes_that_exclude_each_other_are_named_once_with_what_to_do() -> None:
    [warning] = describe_overlaps(listing(*DEEP))
    assert all(route in warning for route in DEEP)
    assert 'unlisted_routes = "absent"' in warning
    assert "JWT_CACHED_BY=route" in warning
    either = listing("GET /a s", "GET /a/{x} s", "GET /a/{x}/b/{y} s", "GET /a/me t", "GET /a/you t", "PUT /a u")
    assert len(describe_overlaps(either)) == 1
    [warning] = describe_overlaps(listing("GET /a/{p+}", "GET /a/{x} s", "GET /a/{x}/{y} s", "GET /a/{x}/{y}/{z} s"))
    assert warning.startswith("GET /a/{p+} overlaps with routes that")


def test_there_is_nothing_to_say_where_nothing_is_left_out() -> None:
    for rules in (listing(*DEEP, "GET /a/{rest+}"), listing(*DEEP, absent=True), compile_rules(None)):
        assert describe_overlaps(rules) == ()


def test_not_more_is_said_than_somebody_reads() -> None:
    lines = [f"GET /r{number}/{rest} s{number // 2}" for number in range(30) for rest in ("{x}", "{x}/b/{y}")]
    warnings = describe_overlaps(listing(*lines))
    assert len(warnings) == 21
    assert warnings[-1] == "10 more pairs of routes overlap like these"


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


# ---------------------------------------------------------------------------------------------------------------
# How far a cached answer reaches: odd paths, routes for any method, and APIs that are not what the rules promise.


def came_by(
    rules: Rules, text: str, route_key: str | None, kind: EventKind = EventKind.HTTP_API_V2, cached_by: str = "route"
) -> Policy:
    request = replace(asks(text, kind), route_key=route_key)
    decision = rules.decide(principal(), request.method, request.path, request.matched)
    return policies_for(rules).compile(principal(), decision, request, cached_by)


def test_a_refused_request_that_cannot_be_denied_alone_costs_only_what_would_let_it_pass() -> None:
    rules = listing("GET /orders/{id}", "GET /orders/me admin", "GET /users")
    path = "/orders/m%65*"
    policy = came_by(rules, f"GET {path}", "/orders/me", EventKind.REST_REQUEST, "token")
    assert not permits(policy, f"GET{path}")
    assert permits(policy, "GET/users")
    assert not permits(policy, "GET/orders/1")
    assert policy.left_out == ("GET /orders/{id}",)


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
    policy = came_by(listing(*rules) if rules else compile_rules(None), "GET /orders/1", route_key, kind)
    assert permits(policy, "GET/orders/2")
    assert permits(policy, "POST/orders/2") is others
    assert not permits(policy, "GET/users")


def test_a_token_authorizer_s_cache_is_keyed_by_the_token_whatever_the_setting_says() -> None:
    rules = listing("GET /orders", "GET /users", "GET /admin admin")
    assert resources(came_by(rules, "GET /admin", None, EventKind.REST_TOKEN)) == ("GET/orders", "GET/users")


# The promise that the API has no routes but those listed.


@pytest.mark.parametrize(
    ("kind", "route_key", "broken"),
    [
        (EventKind.REST_REQUEST, "/{proxy+}", True),
        (EventKind.HTTP_API_V1, "/{proxy+}", True),
        (EventKind.HTTP_API_V2, "ANY /{proxy+}", True),
        (EventKind.HTTP_API_V2, "ANY /orders/{id}", True),
        (EventKind.HTTP_API_V2, "$default", True),
        (EventKind.REST_REQUEST, "/orders/{order}", False),
        (EventKind.HTTP_API_V1, "/orders/{order}", False),
        (EventKind.HTTP_API_V2, "GET /orders/{order}", False),
        (EventKind.REST_TOKEN, None, False),
    ],
)
@pytest.mark.parametrize("cached_by", ["token", "route"])
def test_a_route_that_no_rule_lists_breaks_the_promise(
    *, kind: EventKind, route_key: str | None, broken: bool, cached_by: str
) -> None:
    policy = came_by(listing("GET /orders/{id}", absent=True), "GET /orders/1", route_key, kind, cached_by)
    assert permits(policy, "GET/orders/2")
    assert permits(policy, "GET/orders/1/refund") is not broken
    assert ['unlisted_routes = "absent"' in warning for warning in policy.warnings] == [True] * broken


def test_the_log_says_that_the_promise_is_broken() -> None:
    function = Watched(authorizer(rules=listing("GET /orders/{id}", absent=True)))
    for _ in range(2):  # the second time by what the first one left
        function(rest_request_event(token(), resource="GET/orders/1") | {"resource": "/{proxy+}"})
        (warning,) = function.line["warnings"]
        assert "'/{proxy+}'" in warning
