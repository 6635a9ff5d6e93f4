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
from jwt_authorizer.settings.table import CONFIG, SETTINGS
from jwt_authorizer_devkit import toml_text
from jwt_authorizer_devkit.environment_toml import toml_of
from jwt_authorizer_devkit.schema import config_schema
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


@pytest.mark.parametrize("block", blocks("toml"), ids=str)
def test_the_examples_of_the_pages_are_right_by_it(block: Block) -> None:
    document = complete(tomllib.loads(block.text))
    assert [error.message for error in VALIDATOR.iter_errors(document)] == []


# The examples of the pages have the ordinary ones.
RIGHT: list[dict[str, object]] = [
    {"leeway_seconds": 0, "jwks_ttl_seconds": 86_400, "http_timeout_seconds": 0.1},
    {"audience": "a, b", "issuers": [{"issuer": "https://i.example.com"}]},
    {"token_source": "header:Authorization, query:token"},
    {"required_claims": {"token_use": "access", "level": [1, 2.5, True]}},
    {"required_claims": {"/a~0/b~1c": {"all": ["x"], "any": 1, "like": ["a*"]}, "": {"like": "*"}, "a~": True}},
    {"principal_claim": ["/a/b", "sub"], "scope_claims": "/a/b~1,scope"},
    {"routes": [{"path": "/"}, {"path": "$default"}, {"path": "$connect"}, {"path": "/a/{b}/{c+}", "method": "ANY"}]},
    {"unlisted_routes": "absent", "routes": [{"path": "/orders:batch", "method": ["GET", "PUT"]}]},
]
WRONG: list[dict[str, object]] = [
    {"issuers": []},
    {"issuers": [{"issuer": "https://i.example.com"}]},
    {"issuers": [{"audience": ["a"]}]},
    {"issuers": [{"issuer": "https://i.example.com", "audience": ["a"], "leeway": 3}]},
    {"issuer": "https://i.example.com"},
    {"http_timeout_seconds": 9},
    {"cached_by": "tokens"},
    {"end_with_token": "perhaps"},
    {"token_cache_size": 1.5},
    {"algorithms": "RS256, none"},
    {"token_source": ["Authorization"]},
    {"context": {"sub": "sub"}},
    {"context": {"a b": "c"}},
    {"context": {"a": ""}},
    {"required_claims": {"a": []}},
    {"required_claims": {"/a~": 1}},
    {"required_claims": {"a": {"none": 1}}},
    {"required_claims": {"a": {"like": 1}}},
    {"principal_claim": ["sub", "/a~"]},
    {"required_scopes": ["two words"]},
    {"unlisted_routes": "absent"},
    {"unlisted_routes": "allow", "routes": [{"path": "/a"}]},
    {"routes": [{"method": "GET"}]},
    {"routes": [{"path": "/orders/:id"}]},
    {"routes": [{"path": "/{rest+}/a"}]},
    {"routes": [{"path": "/a", "method": "get"}]},
    {"routes": [{"path": "/a", "scopes": []}]},
    {"routes": [{"path": "/a", "scope": ["a"]}]},
]


@pytest.mark.parametrize("change", RIGHT + WRONG, ids=str)
def test_the_schema_accepts_what_the_function_accepts(change: dict[str, object]) -> None:
    assert loads(complete(change)) is VALIDATOR.is_valid(complete(change)) is (change in RIGHT)


TEXTS = st.text(st.characters(codec="utf-8"))
VALUES = st.recursive(
    TEXTS | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False),
    lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner),
)


@given(st.dictionaries(TEXTS, VALUES))
def test_documents_are_read_as_they_were_written(document: dict[str, object]) -> None:
    assert tomllib.loads(toml_text.document(document)) == document


@pytest.mark.parametrize("value", [None, "half of a pair: \ud83d"])
def test_what_toml_cannot_say_is_an_error(value: object) -> None:
    with pytest.raises(ValueError, match="TOML cannot express"):
        toml_text.document({"a": [value]})


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
    lines = "JWT_ISSUER=https://i.example.com\nJWT_AUDIENCE=a,b\nJWT_CACHED_BY=route\nJWT_CONTEXT_CLAIMS=email"
    code, text = desk.run("config", "from-env", "--env", desk.write("i.env", lines))
    issuer = {"issuer": "https://i.example.com", "audience": ["a", "b"]}
    assert (code, tomllib.loads(text)) == (
        0,
        {"cached_by": "route", "context": {"email": "email"}, "issuers": [issuer]},
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


def test_the_schema_is_printed_and_is_one(desk: Desk) -> None:
    Draft202012Validator.check_schema(config_schema())
    assert desk.json("config", "schema") == (0, json.loads(json.dumps(config_schema())))
