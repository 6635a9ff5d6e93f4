"""The JSON Schema of ``JWT_CONFIG`` against the settings' table, the pages' examples, and documents that are wrong."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

import pytest
from jsonschema import Draft202012Validator

from jwt_authorizer.errors import SettingsError
from jwt_authorizer.settings import load_settings
from jwt_authorizer.settings.table import CONFIG, CONTEXT_CLAIMS, ISSUER, SETTINGS, Place, Setting
from jwt_authorizer_devkit import toml_text
from jwt_authorizer_devkit.schema import config_schema, setting_schema
from tests.unit.pages import ROOT, Block, blocks

if TYPE_CHECKING:
    from collections.abc import Mapping

VALIDATOR = Draft202012Validator(config_schema())
ISSUERS: dict[str, object] = {"issuers": [{"issuer": "https://i.example.com", "audience": ["orders"]}]}


def complete(document: Mapping[str, object]) -> dict[str, object]:
    """Add an issuer to an example that is about something else."""
    return {**ISSUERS, **document}


def loads(document: Mapping[str, object]) -> bool:
    try:
        load_settings({"JWT_CONFIG": toml_text.document(document)}, ROOT)
    except SettingsError:
        return False
    return True


def test_it_is_a_schema() -> None:
    Draft202012Validator.check_schema(config_schema())


def test_every_setting_of_a_document_is_in_it_where_it_belongs() -> None:
    schema = config_schema()
    top = schema["properties"]
    assert isinstance(top, dict)
    of_issuer = top["issuers"]["items"]["properties"]
    assert set(of_issuer) == {one.name for one in SETTINGS if one.place is Place.ISSUER}
    expected = {one.name for one in SETTINGS} - {ISSUER.name, CONFIG.name, CONTEXT_CLAIMS.name}
    assert set(top) == expected | {"context", "issuers", "routes", "fields", "unlisted_routes"}


def test_a_setting_that_is_read_in_a_new_way_needs_a_schema() -> None:
    with pytest.raises(LookupError, match="no schema"):
        setting_schema(Setting("new", str, "", Place.EITHER))


def test_defaults_and_bounds_are_those_of_the_table() -> None:
    by_name = {one.name: setting_schema(one) for one in SETTINGS if one is not CONFIG}
    assert by_name["http_timeout_seconds"]["minimum"] == 0.1
    assert by_name["http_timeout_seconds"]["maximum"] == 8
    assert "maximum" not in by_name["leeway_seconds"]
    assert by_name["leeway_seconds"]["default"] == 60
    assert by_name["cached_by"]["enum"] == ["token", "route", "nothing"]
    assert by_name["principal_claim"]["default"] == ["sub"]
    assert by_name["allow_http"]["default"] is False
    assert "default" not in by_name["jwks"]


@pytest.mark.parametrize("block", blocks("toml"), ids=str)
def test_the_examples_of_the_pages_are_right_by_it(block: Block) -> None:
    document = complete(tomllib.loads(block.text))
    assert [error.message for error in VALIDATOR.iter_errors(document)] == []


RIGHT: list[dict[str, object]] = [
    {},
    {"leeway_seconds": 0, "jwks_ttl_seconds": 86_400, "http_timeout_seconds": 0.1},
    {"audience": "a, b", "issuers": [{"issuer": "https://i.example.com"}]},
    {"token_source": ["header:Authorization", "cookie:session"], "token_types": ["at+jwt"]},
    {"token_source": "header:Authorization, query:token"},
    {"algorithms": "RS256, ES256"},
    {"context": {"email": "email", "is_verified": "https://authgear.com/claims/user/is_verified"}},
    {"required_claims": {"token_use": "access", "level": [1, 2.5, True]}},
    {"required_claims": {"/a~0/b~1c": {"all": ["x"], "any": 1, "like": ["a*"]}, "": {"like": "*"}, "a~": True}},
    {"principal_claim": ["/a/b", "sub"], "scope_claims": "/a/b~1,scope"},
    {"context": {"a": "/b/c"}},
    {"routes": [{"path": "/"}, {"path": "$default"}, {"path": "$connect"}, {"path": "/a/{b}/{c+}", "method": "ANY"}]},
    {"routes": [{"path": "/a", "method": ["GET", "PUT"], "any_scopes": ["a", "b"], "claims": {"g": ["x"]}}]},
    {"unlisted_routes": "absent", "routes": [{"path": "/orders:batch"}]},
]
WRONG: list[dict[str, object]] = [
    {"issuers": []},
    {"issuers": [{"issuer": "https://i.example.com"}]},
    {"issuers": [{"audience": ["a"]}]},
    {"issuers": [{"issuer": "https://i.example.com", "audience": []}]},
    {"issuers": [{"issuer": "https://i.example.com", "audience": ["a"], "leeway": 3}]},
    {"issuer": "https://i.example.com"},
    {"leeway_seconds": -1},
    {"http_timeout_seconds": 9},
    {"cached_by": "tokens"},
    {"end_with_token": "perhaps"},
    {"token_cache_size": 1.5},
    {"algorithms": ["HS256"]},
    {"algorithms": "RS256, none"},
    {"token_source": ["Authorization"]},
    {"context": {"sub": "sub"}},
    {"context": {"a b": "c"}},
    {"context": {"a": ""}},
    {"required_claims": {}},
    {"required_claims": {"a": []}},
    {"required_claims": {"/a~": 1}},
    {"required_claims": {"a": {"none": 1}}},
    {"required_claims": {"a": {"like": 1}}},
    {"required_claims": {"a": {"any": []}}},
    {"usage_key_claim": "/a~2"},
    {"principal_claim": ["sub", "/a~"]},
    {"context": {"a": "/b~"}},
    {"required_scopes": ["two words"]},
    {"unlisted_routes": "absent"},
    {"unlisted_routes": "allow", "routes": [{"path": "/a"}]},
    {"routes": []},
    {"routes": [{"method": "GET"}]},
    {"routes": [{"path": "orders"}]},
    {"routes": [{"path": "/orders/"}]},
    {"routes": [{"path": "/orders/:id"}]},
    {"routes": [{"path": "/{rest+}/a"}]},
    {"routes": [{"path": "/a", "method": "get"}]},
    {"routes": [{"path": "/a", "method": []}]},
    {"routes": [{"path": "/a", "scopes": []}]},
    {"routes": [{"path": "/a", "scope": ["a"]}]},
    {"routes": [{"path": "/a", "claims": {"g": []}}]},
    {"unlisted": "deny"},
]


@pytest.mark.parametrize("change", RIGHT, ids=str)
def test_what_the_function_takes_is_right(change: dict[str, object]) -> None:
    document = complete(change)
    assert loads(document)
    assert VALIDATOR.is_valid(document)


@pytest.mark.parametrize("change", WRONG, ids=str)
def test_what_the_function_refuses_is_wrong(change: dict[str, object]) -> None:
    document = complete(change)
    assert not loads(document)
    assert not VALIDATOR.is_valid(document)


@pytest.mark.parametrize("value", [None, "half of a pair: \ud83d"])
def test_what_toml_cannot_say_is_an_error(value: object) -> None:
    with pytest.raises(ValueError, match="TOML has no way to write"):
        toml_text.document({"a": [value]})


def test_documents_are_written_as_they_are_read() -> None:
    document = {
        "text": 'a "quoted" \\ \n \x7f \x01 é',
        "numbers": [1, -2.5, 1e300, True],
        "empty": {},
        "a key": {"b.c": {"d": [{}]}},
        "tables": [{"x": 1}, {}],
    }
    assert tomllib.loads(toml_text.document(document)) == document
