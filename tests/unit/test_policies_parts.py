from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from jwt_authorizer.policies import Statement, policies_for
from jwt_authorizer.policies.compiler import PolicyCompiler
from jwt_authorizer.policies.overlaps import describe_overlaps
from jwt_authorizer.policies.repairs import Repairs
from jwt_authorizer.policies.selection import kept, select
from jwt_authorizer.policies.sizes import Limits, Unit, fit
from jwt_authorizer.policies.verdicts import Item, Verdicts
from jwt_authorizer.policies.words import ANY, OTHER, SLASH, compile_texts, covers, matches, resource
from jwt_authorizer.rules import compile_rules
from tests.properties.apis import PREFIX
from tests.properties.judge import permits
from tests.unit.policy_lines import ORDERS, compiled, listing, resources

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


@pytest.mark.parametrize(("walked", "units"), [(-1, 5), (10_000, 1)])
def test_looking_for_wider_patterns_ends(walked: int, units: int) -> None:
    rules = listing(*(f"GET /a/{number}" for number in range(100)), absent=True)
    repairs = Repairs(rules, Verdicts(rules), rights=1)
    all_units = [
        Unit(frozenset(grant.patterns), grant.denials, frozenset({item}))
        for item in repairs.items
        for grant in repairs.grants(item)
    ]
    limits = Limits(len(PREFIX), 800, walked)
    assert len(fit(repairs, all_units, dict.fromkeys(repairs.items, 1.0), limits, frozenset())) == units


def test_a_wider_pattern_that_saves_nothing_is_not_chosen() -> None:
    rules = listing("GET /a/1", "GET /a/2", "GET /a/refused x", absent=True)
    repairs = Repairs(rules, Verdicts(rules), rights=1)
    units = [
        Unit(frozenset(repairs.grants(item)[0].patterns), frozenset(), frozenset({item})) for item in repairs.items
    ]
    assert fit(repairs, units, dict.fromkeys(repairs.items, 1.0), Limits(len(PREFIX), 500), frozenset()) == units[:1]


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


def test_a_grant_that_needs_too_many_denials_is_not_made() -> None:
    refused = [f"GET /a/r{number} x" for number in range(60)]
    policy = compiled(listing("GET /a/{id}", *refused), "GET /a/1")
    assert resources(policy) == ("GET/a/1",)
    assert policy.left_out == ("GET /a/{id}",)


# ---------------------------------------------------------------------------------------------------------------
# What start-up says


def test_two_routes_that_exclude_each_other_are_named_with_what_to_do() -> None:
    [warning] = PolicyCompiler(listing(*DEEP)).warnings("token")
    assert warning.startswith("GET /a/{x} and GET /a/{x}/b/{y} overlap: no policy can allow both without")
    assert 'unlisted_routes = "absent"' in warning
    assert "JWT_CACHED_BY=route" in warning


def test_a_pair_is_named_once_whichever_of_the_two_is_left_out() -> None:
    rules = listing("GET /a s", "GET /a/{x} s", "GET /a/{x}/b/{y} s", "GET /a/me t", "GET /a/you t", "PUT /a u")
    left_out = {compiled(rules, "GET /none", *scopes).left_out for scopes in (("s", "t", "u"), ("s", "u"))}
    assert left_out == {("GET /a/{x}",), ("GET /a/{x}/b/{y}",)}
    assert len(PolicyCompiler(rules).warnings("token")) == 1


def test_listing_what_is_between_two_routes_mends_it() -> None:
    rules = listing(*DEEP, "GET /a/{rest+}")
    assert PolicyCompiler(rules).warnings("token") == ()
    assert compiled(rules, "GET /a/1").left_out == ()


def test_a_route_that_no_principal_of_some_rights_can_have_is_named() -> None:
    rules = listing("GET /a/{p+}", "GET /a/{x} s", "GET /a/{x}/{y} s", "GET /a/{x}/{y}/{z} s", absent=True)
    [warning] = PolicyCompiler(rules).warnings("token")
    assert warning.startswith("GET /a/{p+} overlaps with routes that")
    assert "absent" not in warning


def test_there_is_nothing_to_say_where_nothing_is_left_out() -> None:
    assert PolicyCompiler(listing(*DEEP, absent=True)).warnings("token") == ()
    assert PolicyCompiler(listing(*DEEP)).warnings("route") == ()
    assert policies_for(compile_rules(None)).warnings("token") == ()
    assert PolicyCompiler(listing("* $connect")).warnings("token") == ()


def test_not_more_is_said_than_somebody_reads() -> None:
    lines = [f"GET /r{number}/{rest}" for number in range(30) for rest in ("{x}", "{x}/b/{y}")]
    warnings = PolicyCompiler(listing(*lines)).warnings("token")
    assert len(warnings) == 21
    assert warnings[-1] == "10 more pairs of routes overlap like these"


def test_what_many_kinds_of_rights_lead_to_is_not_looked_at_one_by_one() -> None:
    lines = [f"GET /r{number}/{rest} s{number}" for number in range(14) for rest in ("{x}", "{x}/b/{y}")]
    assert len(PolicyCompiler(listing(*lines)).warnings("token")) == 14


def test_looking_for_overlaps_ends() -> None:
    # Only who has one right and not the other loses a route; the principal with both is looked at first.
    rules = listing("GET /a/{x} s", "GET /a/{x}/{y} t", "GET /a/{x}/{y}/{z} s", absent=True)
    assert len(describe_overlaps(rules, Verdicts(rules))) == 1
    assert describe_overlaps(rules, Verdicts(rules), most_walked=0) == ()


# ---------------------------------------------------------------------------------------------------------------
# The parts


@pytest.mark.parametrize(
    ("pattern", "word", "expected"),
    [
        (("GET", ANY), "GET a", True),
        (("GET", ANY), "GET a b", True),
        (("GET", ANY), "GET", False),
        (("GET", ANY, "x"), "GET a x x", True),
        (("GET", ANY, "x"), "GET x", False),
        ((ANY,), "GET", True),
        (("GET", "a"), "GET a b", False),
    ],
)
def test_any_is_one_segment_or_more(pattern: tuple[str | None, ...], word: str, expected: bool) -> None:  # noqa: FBT001 - a table of cases
    assert matches(pattern, word.split()) is expected


def test_one_pattern_covers_another() -> None:
    assert covers(("GET", ANY), ("GET", "a", ANY, "b"))
    assert covers((ANY, "a"), ("GET", "a"))
    assert not covers(("GET", "a", ANY), ("GET", ANY))


def test_what_is_longer_than_a_denied_word_is_looked_at_all_the_same() -> None:
    walk = Verdicts(listing("GET /a/{x}")).explore(("GET", ANY), without=(("GET", "a"), ("GET", OTHER)))
    words = [word for word, _, _ in walk]
    assert ("GET", "a", OTHER) in words
    assert ("GET", "a") not in words


def test_patterns_are_written_as_resources() -> None:
    assert [resource(one) for one in ((ANY,), ("GET", SLASH), ("GET", "a", ANY, "b"), (ANY, "a", SLASH))] == [
        "*",
        "GET/",
        "GET/a/*/b",
        "*/a/",
    ]


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


def test_many_choices_are_approached_step_by_step_and_what_must_be_is() -> None:
    # The first excludes all others, and there are too many of them to try every combination.
    rules = listing("GET /{x}", *(f"GET /{{x}}/r{number}/{{y}}" for number in range(12)))
    repairs = Repairs(rules, Verdicts(rules), rights=1)
    options = {item: repairs.grants(item) for item in repairs.items}
    wide, *others = repairs.items
    best = select(repairs, options, frozenset())
    assert [best[item] is not None for item in repairs.items] == [False] + [True] * 12
    assert select(repairs, options, frozenset({wide}))[wide] is not None
    assert select(repairs, options, frozenset({others[3]}))[others[3]] is not None
    assert kept(repairs, select(repairs, options, frozenset({wide})))[others[0]] == 0


def test_items_are_ordered_by_resource() -> None:
    assert sorted([Item(2, "GET"), Item(1, "PUT"), Item(1, "*")]) == [Item(1, "*"), Item(1, "PUT"), Item(2, "GET")]
