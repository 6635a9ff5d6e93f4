"""The key sets that RFC 7517 publishes (appendix A): which of their keys may verify."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from jwt_authorizer.keys import parse_key_set

PUBLISHED = json.loads((Path(__file__).parent / "rfc7517.json").read_text("utf-8"))


def test_of_the_public_keys_the_one_for_signatures_is_taken() -> None:
    keys = parse_key_set(json.dumps(PUBLISHED["public_keys"]))
    assert [(key.kid, key.algorithms) for key in keys.keys] == [("2011-04-29", frozenset({"RS256"}))]
    assert keys.skipped == ("key 0 left out: its use is not sig",)


def test_symmetric_keys_verify_nothing() -> None:
    with pytest.raises(ValueError, match="no key that may verify, of 2"):
        parse_key_set(json.dumps(PUBLISHED["symmetric_keys"]))
