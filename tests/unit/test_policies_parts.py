"""Policies that do not fit as they are, and how resources are matched. What is said of overlaps is said at the desk."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest

from jwt_authorizer.policies import Statement
from jwt_authorizer.policies.patterns import ANY, Matcher, Tree, resource
from jwt_authorizer.rules import compile_rules
from jwt_authorizer_devkit.explaining.resources import compile_texts
from jwt_authorizer_devkit.routes.overlaps import describe_overlaps
from tests.properties.apis import PREFIX
from tests.properties.judge import covers, permits
from tests.unit.policy_lines import ORDERS, compiled, listing

if TYPE_CHECKING:
    from jwt_authorizer.rules import Rules

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


def test_what_was_asked_for_has_room_before_all_others() -> None:
    rules = many(300)
    for number in (1, 299):
        policy = compiled(rules, f"GET /a{number}/7", "x")
        assert permits(policy, f"GET/a{number}/7")


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


def test_a_long_request_passes_where_a_pattern_covers_it() -> None:
    long = "/orders/" + "x" * 600
    assert permits(compiled(listing(*ORDERS), f"GET {long}"), f"GET{long}")


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
        positions = 1
        matcher = Matcher(pattern)
        for word in words:
            positions = matcher.read(positions, word)
        assert bool(positions & matcher.end) is expected, (pattern, words)
        assert Tree([("d",), pattern]).covers(words) is expected, (pattern, words)


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


def test_no_resources_match_nothing() -> None:
    assert compile_texts([]).match("") is None


def test_matching_a_hostile_path_takes_no_long_time() -> None:
    expression = compile_texts(["GET/*/a/*/b/*/a/*/b/*/a/*/c"])
    assert expression.match("GET/x" + "/a/x/b/x" * 20_000) is None
