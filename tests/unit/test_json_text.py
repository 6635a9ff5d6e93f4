"""JSON that may be passed on as its sender wrote it."""

from __future__ import annotations

import json

import pytest

from jwt_authorizer.json_text import is_one_line, json_text

ONE_LINE = ['{"a":"b","e":[1, 2]}', '{"a":"\\u00e4\\n"}', "{}", '{ "a": {"b" : [true,null,-1.5e3]}} ']
NOT_ONE_LINE = ["", '{"a":1,\n"b":2}', '{"a":1,\r"b":2}', '{"a":1,\t"b":2}', ' {"a":1}', '{"a":"\x7f"}', '{"a":"ä"}']


@pytest.mark.parametrize("text", ONE_LINE)
def test_a_line_is_printable_ascii(text: str) -> None:
    assert is_one_line(text)
    assert text.isascii()
    assert text.isprintable()


@pytest.mark.parametrize("text", NOT_ONE_LINE)
def test_what_is_longer_or_stranger_is_none(text: str) -> None:
    assert not is_one_line(text)


@pytest.mark.parametrize("text", [text for text in [*ONE_LINE, *NOT_ONE_LINE] if text])
def test_what_we_word_ourselves_is_the_same_on_one_line(text: str) -> None:
    value = json.loads(text)
    assert json.loads(json_text(value)) == value
    assert is_one_line(json_text(value))
