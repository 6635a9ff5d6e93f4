"""JSON that no two parsers read differently."""

from __future__ import annotations

import json

import pytest

from jwt_authorizer.json_text import is_one_line, json_text
from jwt_authorizer.strict_json import MAX_NESTING, BadJsonError, json_object


def read(text: str) -> dict[str, object]:
    members, own_text = json_object(text.encode())
    assert own_text == text
    return members


def refused(document: str | bytes) -> str:
    with pytest.raises(BadJsonError) as caught:
        json_object(document if isinstance(document, bytes) else document.encode())
    return str(caught.value)


BAD_JSON = [
    ("", "valid JSON"),
    (" ", "valid JSON"),
    ("{", "valid JSON"),
    ("{} {}", "valid JSON"),
    ("[]", "not a JSON object"),
    ("null", "not a JSON object"),
    ('"text"', "not a JSON object"),
    ('{"a":1,"a":1}', "a member is listed twice"),
    ('{"b":{"a":1,"a":2}}', "a member is listed twice"),
    ('{"a":NaN}', "NaN is not JSON"),
    ('{"a":Infinity}', "Infinity is not JSON"),
    ('{"a":-Infinity}', "-Infinity is not JSON"),
    ('{"a":1e999}', "a number is too large"),
    ('{"a":-1e999}', "a number is too large"),
    (f'{{"a":{"1" * 5000}}}', "valid JSON"),
    ('{"a":"\\ud800"}', "valid JSON"),
    ('{"\\udfff":1}', "valid JSON"),
    (b'{"a":"\xff"}', "valid JSON"),
    (b"\xef\xbb\xbf{}", "valid JSON"),
    ("{}".encode("utf-16-le"), "valid JSON"),
    (f'{{"a":{"[" * 32}{"]" * 32}}}', "nested deeper than 32 levels"),
    ("[" * 5000, "nested deeper than 32 levels"),
    ('{"a":' * 2000, "nested deeper than 32 levels"),
]


@pytest.mark.parametrize(("document", "detail"), BAD_JSON)
def test_what_parsers_might_disagree_about_is_refused(document: str | bytes, detail: str) -> None:
    assert detail in refused(document)
    assert refused(document).startswith("is ")


def test_nesting_is_counted_outside_texts_up_to_the_limit() -> None:
    deepest = "[" * (MAX_NESTING - 1) + "]" * (MAX_NESTING - 1)
    assert read(f'{{"a":{deepest},"b":[],"c":{deepest}}}')["b"] == []
    assert "nested deeper" in refused(f'{{"a":{deepest},"b":[{deepest}]}}')
    many = json.dumps({"text": "[{" * 100 + '\\"', "list": [[], {}] * 50})
    assert read(many)["text"] == "[{" * 100 + '\\"'


def test_pairs_of_escaped_surrogates_are_text() -> None:
    assert read('{"a":"\\ud83d\\ude00\\u00e4"}') == {"a": "\U0001f600ä"}


def test_nobody_waits_for_a_payload_of_quotes() -> None:
    # Counting levels must not try each quote anew as the start of a text: that would take seconds.
    payload = "[" * (MAX_NESTING + 1) + '"' * 11_000
    assert "nested deeper" in refused(payload)
    assert "valid JSON" in refused("[]" * (MAX_NESTING + 1) + '"\\' * 5_500)


# JSON that may be passed on as its sender wrote it.


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
