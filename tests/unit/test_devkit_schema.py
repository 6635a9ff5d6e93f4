"""The JSON Schema of ``JWT_CONFIG`` against the settings' table, the pages' examples, and documents that are wrong."""

import json
import tomllib
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from jwt_authorizer.errors import SettingsError
from jwt_authorizer.settings import Settings, load_settings
from jwt_authorizer.settings.model import Place, Setting
from jwt_authorizer.settings.table import CONFIG, CONTEXT_CLAIMS, ISSUER, SETTINGS
from jwt_authorizer_devkit import toml_text
from jwt_authorizer_devkit.environment_toml import toml_of
from jwt_authorizer_devkit.schema import config_schema, setting_schema
from tests.unit.desk import Desk
from tests.unit.pages import ROOT, Block, blocks
from tests.unit.test_settings_loading import ARRIVES

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
    assert (by_name["http_timeout_seconds"]["minimum"], by_name["http_timeout_seconds"]["maximum"]) == (0.1, 8)
    assert (by_name["leeway_seconds"]["default"], "maximum" in by_name["leeway_seconds"]) == (60, False)
    assert by_name["cached_by"]["enum"] == ["token", "route", "nothing"]
    assert (by_name["principal_claim"]["default"], by_name["allow_http"]["default"]) == (["sub"], False)
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


TEXTS = st.text(st.characters(codec="utf-8"))
VALUES = st.recursive(
    TEXTS | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False),
    lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner),
)


@given(st.dictionaries(TEXTS, VALUES))
def test_documents_are_read_as_they_were_written(document: dict[str, object]) -> None:
    assert tomllib.loads(toml_text.document(document)) == document


# ``jwt-authorizer config``: the schema, and documents that say what variables say.

EXAMPLES: list[dict[str, str]] = [
    *({variable: value} for variable, value, *_ in ARRIVES),
    {"JWT_ISSUER": "https://i.example.com/{tenant}/v2.0", "JWT_TENANTS": "acme, other", "JWT_TENANT_CLAIM": "/org/id"},
    {
        "JWT_INTROSPECTION": "discovery",
        "JWT_INTROSPECT": "always",
        "JWT_INTROSPECTION_CLIENT_ID": "orders-api",
        "JWT_INTROSPECTION_SECRET": "ssm:/secret",
        "JWT_INTROSPECTION_AUTH": "client_secret_post",
        "JWT_INTROSPECTION_CACHE_SECONDS": "30",
    },
    {
        "JWT_BOUND_TOKENS": "dpop, mtls",
        "JWT_REQUIRE_BOUND_TOKENS": "true",
        "JWT_CACHED_BY": "nothing",
        "JWT_DPOP_URLS": "https://api.example.com, https://www.example.com/v1/",
        "JWT_DPOP_MAX_AGE_SECONDS": "30",
        "JWT_DPOP_REPLAY": "dynamodb:used-proofs",
    },
    {"JWT_REVOKED": "ssm:/list", "JWT_REVOKED_TTL_SECONDS": "70", "JWT_REVOKED_MAX_STALE_SECONDS": "700"},
    {"JWT_ANY_AUDIENCE": "true", "JWT_AUDIENCE": ""},
    {"JWT_LOG_PRINCIPAL": "hash", "JWT_LOG_PRINCIPAL_KEY": "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk"},
    # Values that are written otherwise in TOML, or cannot be.
    {"JWT_AUDIENCE": 'say "a\\b", é'},
    {"JWT_LEEWAY_SECONDS": "2.5", "JWT_ALLOW_HTTP": "TRUE", "JWT_CACHED_BY": " route "},
    {"JWT_CONTEXT_CLAIMS": "email,verified=https://example.com/v"},
    {"JWT_REQUIRED_CLAIMS": '{"a": null, "b": [1, "x", 2.5]}'},
]


def said(settings: Settings) -> list[object]:
    """Give what settings say; there are no rules in the environment, and two sets of rules are never equal."""
    claims = [repr(one.claim_rules.required_claims) for one in settings.issuers]
    shown = [settings.token_sources, settings.answers, settings.keys, settings.bound_tokens, settings.log]
    return [settings.issuers, claims, *shown, settings.hook, settings.revocation, settings.token_cache_size]


@pytest.mark.parametrize("change", EXAMPLES, ids=" ".join)
def test_the_document_says_what_the_variables_say_and_is_right_by_the_schema(change: dict[str, str]) -> None:
    environment = {"JWT_ISSUER": "https://i.example.com", "JWT_AUDIENCE": "orders"} | change
    text = toml_of(environment, ROOT)
    before, after = load_settings(environment, ROOT), load_settings({"JWT_CONFIG": text}, ROOT)
    assert said(after) == said(before)
    assert not after.rules.configured
    document = tomllib.loads(text)
    for issuer in document["issuers"]:
        if isinstance(issuer.get("required_claims"), str):  # TOML has no null
            del issuer["required_claims"]
    assert [error.message for error in VALIDATOR.iter_errors(document)] == []


def test_each_setting_has_an_example() -> None:
    named = {variable for example in EXAMPLES for variable in example}
    assert {setting.variable for setting in SETTINGS} - named == {CONFIG.variable}


def test_a_file_of_variables_becomes_a_document(desk: Desk) -> None:
    lines = ["JWT_ISSUER=https://i.example.com", "JWT_AUDIENCE=a,b", "JWT_LEEWAY_SECONDS=30", "JWT_CACHED_BY=route"]
    lines += ["JWT_CONTEXT_CLAIMS=email,verified=https://example.com/v", 'JWT_REQUIRED_CLAIMS={"token_use": "access"}']
    code, text = desk.run("config", "from-env", "--env", desk.write("i.env", "\n".join(lines)))
    issuer = {"issuer": "https://i.example.com", "audience": ["a", "b"], "leeway_seconds": 30}
    assert (code, tomllib.loads(text)) == (
        0,
        {
            "cached_by": "route",
            "context": {"email": "email", "verified": "https://example.com/v"},
            "issuers": [issuer | {"required_claims": {"token_use": "access"}}],
        },
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("JWT_ISSUER=https://i.example.com", "an audience or a client_id is required"),
        ("JWT_CONFIG=file:authorizer.toml", "JWT_CONFIG is set already"),
        ("JWT_ISSUER", "is not NAME=value"),
    ],
)
def test_what_cannot_become_a_document_is_an_error(desk: Desk, text: str, message: str) -> None:
    code, said = desk.run("config", "from-env", "--env", desk.write("i.env", text))
    assert (code, message in said) == (2, True)


def test_the_schema_is_printed(desk: Desk) -> None:
    assert desk.json("config", "schema") == (0, json.loads(json.dumps(config_schema())))
