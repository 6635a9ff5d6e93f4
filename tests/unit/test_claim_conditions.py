"""Claim pointers, and what a claim must hold."""

from __future__ import annotations

import pytest

from jwt_authorizer.claim_conditions import ABSENT, find, is_met, parse_claim, parse_condition

# RFC 6901 section 5, of what a claim's name can be; the whole document has no name that begins with a slash.
RFC_6901 = {"foo": ["bar", "baz"], "": 0, "a/b": 1, "c%d": 2, "e^f": 3, "g|h": 4, "i\\j": 5, 'k"l': 6, " ": 7, "m~n": 8}


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        *[("/foo", ["bar", "baz"]), ("/foo/0", "bar"), ("/", 0), ("/a~1b", 1), ("/c%d", 2), ("/e^f", 3)],
        *[("/g|h", 4), ("/i\\j", 5), ('/k"l', 6), ("/ ", 7), ("/m~0n", 8)],
        *[(f"/foo/{index}", ABSENT) for index in ("2", "00", "-", "-1", "1e0", "\u0661", "9" * 5000, "", "bar")],
        *[("/foo/0/0", ABSENT), ("/a~1b/x", ABSENT), ("/nothing", ABSENT), ("foo/0", ABSENT), ("a/b", 1), ("", 0)],
    ],
    ids=lambda value: repr(value)[:20],
)
def test_a_pointer_finds_what_the_rfc_says(pointer: str, value: object) -> None:
    assert find(RFC_6901, parse_claim(pointer)) is value or find(RFC_6901, parse_claim(pointer)) == value


def test_tildes_are_unescaped_in_the_right_order() -> None:
    assert find({"~1": "a"}, parse_claim("/~01")) == "a"


@pytest.mark.parametrize("pointer", ["/a~", "/a~2b", "/~/b", "/realm~access"])
def test_a_pointer_that_is_none_is_refused(pointer: str) -> None:
    with pytest.raises(ValueError, match="is not a JSON Pointer"):
        parse_condition(pointer, "x")


@pytest.mark.parametrize(
    ("asked", "met", "not_met"),
    [
        ("a", ["a", ["x", "a"], {"a": False}], ["A", "ab", [], {}, ["b"], [["a"]], {"b": "a"}, None, 5]),
        (["b", "a"], ["a", ["b"], {"b": 1}], ["c", []]),
        (1, [1, 1.0, [1]], [True, "1", {"1": 1}]),
        (True, [True, [True]], [1, "true", {"true": 1}]),
        (False, [False], [0, "", None, [], {}]),
        ({"any": [None]}, [None, [None]], [False, 0, "", {"None": 1}]),
        ({"all": ["a", "b"]}, [["b", "x", "a"], {"a": 1, "b": 1}], ["a", ["a"], {"a": 1}, "a b"]),
        ({"all": "a"}, ["a"], ["b"]),
        ({"like": "repo:*/x:*"}, ["repo:/x:", "repo:a/b/x:y", ["n", "repo:a/x:b"]], ["repo:x:", "srepo:/x:", 5]),
        ({"like": ["a*", "*b"]}, ["a", "xb", {"xb": 1}, "a\nb"], ["ba", "", None, True]),
        ({"like": "a?[b].c"}, ["a?[b].c"], ["aX[b].c", "axbc"]),
        ({"like": "*"}, ["", "x", ["x"]], [1, None, [], {}]),
        ({"like": "ab*ba"}, ["abba"], ["aba"]),
        ({"like": "*a*a*"}, ["aa", "baca"], ["a", "ba"]),
        ({"like": "*ab*b"}, ["abb", "ab-b"], ["ab"]),
        ({"like": "a*b*c"}, ["abc", "a-b-b-c"], ["acb", "ab", "acc"]),
        (
            {"all": ["s"], "any": ["e", "u"], "like": "t-*"},
            [["s", "u", "t-1"]],
            [["s", "u"], ["s", "t-1"], ["e", "t-1"]],
        ),
    ],
    ids=repr,
)
def test_what_a_claim_holds(asked: object, met: list[object], not_met: list[object]) -> None:
    condition = parse_condition("c", asked)
    assert [value for value in met if not is_met(condition, {"c": value})] == []
    assert [value for value in not_met if is_met(condition, {"c": value})] == []
    assert not is_met(condition, {})


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ([], "has an empty list"),
        ({}, "an empty table"),
        ({"any": []}, "has an empty list"),
        ({"all": []}, "has an empty list"),
        ([[1]], "something else"),
        ([{}], "something else"),
        ({"any": {"like": "a"}}, "something else"),
        ({"none": ["a"]}, "has none: expected .* any, all and like"),
        ({"any": "a", "ALL": "b"}, "has ALL"),
        ({"like": 5}, "needs a non-empty string in like"),
        ({"like": ""}, "needs a non-empty string in like"),
        ({"like": ["a*", None]}, "needs a non-empty string in like"),
        ({"like": []}, "needs a non-empty string in like"),
        (float("nan"), "nan or infinite"),
        ({"all": [1.0, float("inf")]}, "nan or infinite"),
        ("{id}", "path variables have no values"),
        ({"any": ["a", "{proxy+}"]}, "path variables have no values"),
    ],
    ids=repr,
)
def test_what_can_never_hold_is_refused(asked: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_condition("c", asked)


def test_a_guid_in_braces_is_not_taken_for_a_path_variable() -> None:
    assert is_met(parse_condition("c", "{7d3c-41}"), {"c": "{7d3c-41}"})


def test_a_pattern_costs_no_more_than_its_text_is_long() -> None:
    assert not is_met(parse_condition("c", {"like": "*a" * 50 + "b"}), {"c": "a" * 16_000})
