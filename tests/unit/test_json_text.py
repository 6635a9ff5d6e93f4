"""JSON that may be passed on as its sender wrote it."""

from __future__ import annotations

import json

import pytest

from authorizer.json_text import is_compact, json_text

COMPACT = ['{"a":"b, c: d","e":[1, 2]}', '{"a":"\\u00e4\\n"}', "{}", '{"a":{"b":[true,null,-1.5e3]}}']
NOT_COMPACT = [
    "",
    '{"a": 1}',
    '{"a":1, "b":2}',
    '{"a":1,\n"b":2}',
    '{"a":1,\r"b":2}',
    '{"a":1,\t"b":2}',
    ' {"a":1}',
    '{"a":1} ',
    '{"a":"\x7f"}',
    '{"a":"ä"}',
]


@pytest.mark.parametrize("text", COMPACT)
def test_compact_text_is_ascii_on_one_line(text: str) -> None:
    assert is_compact(text)
    assert text.isascii()
    assert text.isprintable()


@pytest.mark.parametrize("text", NOT_COMPACT)
def test_what_is_longer_or_stranger_than_need_be_is_not_compact(text: str) -> None:
    assert not is_compact(text)


@pytest.mark.parametrize("text", [text for text in [*COMPACT, *NOT_COMPACT] if text])
def test_what_we_word_ourselves_is_the_same_and_compact(text: str) -> None:
    value = json.loads(text)
    assert json.loads(json_text(value)) == value
    assert is_compact(json_text({"plain": "text", "list": [1, 2]}))
    assert json_text(value).isascii()
    assert json_text(value).isprintable()
