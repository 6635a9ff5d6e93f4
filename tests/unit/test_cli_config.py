"""``jwt-authorizer config``: the schema on its way out, and documents that say what variables say."""

from __future__ import annotations

import json
import re
import tomllib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from jwt_authorizer.settings import load_settings
from jwt_authorizer.settings.table import CONFIG, ISSUER, SETTINGS
from jwt_authorizer_devkit.cli.app import run
from jwt_authorizer_devkit.environment_toml import toml_of
from jwt_authorizer_devkit.schema import config_schema, setting_schema
from tests.unit.pages import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from jwt_authorizer.settings import Settings
    from jwt_authorizer.settings.table import Setting

WORDS = st.text(st.characters(codec="utf-8", exclude_characters=",=\0"), min_size=1, max_size=8).filter(
    lambda text: text.strip()[:1] not in ("", "*", *"[{\"'")
)
NAMES = st.from_regex(r"[a-z][a-z0-9_.:-]{0,6}", fullmatch=True)
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5)
)
CLAIMS = st.dictionaries(
    st.text(max_size=6), SCALARS | st.lists(SCALARS, min_size=1, max_size=3), min_size=1, max_size=3
)


def joined(items: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.lists(items, min_size=1, max_size=3).map(", ".join)


def number(least: float, most: float) -> st.SearchStrategy[str]:
    return st.integers(int(least * 10), int(most * 10)).map(lambda tenths: f"{tenths / 10:g}")


def one_of(*choices: str) -> st.SearchStrategy[str]:
    return st.sampled_from(choices)


def of_kind(setting: Setting[object, object]) -> st.SearchStrategy[str]:
    match setting_schema(setting):
        case {"type": "number", "minimum": float() | int() as least, **bounds}:
            return number(least, float(str(bounds.get("maximum", 90_000))))
        case {"type": "integer"}:
            return st.integers(0, 10_000).map(str)
        case {"type": "boolean"}:
            return one_of("true", "false", "TRUE")
        case {"enum": [*choices]}:
            return one_of(*map(str, choices), f" {choices[0]} ")
        case {"anyOf": _}:
            return joined(WORDS)
        case _:
            return WORDS


INTROSPECTION = {
    "JWT_INTROSPECTION": one_of("discovery", "https://i.example.com/introspect"),
    "JWT_INTROSPECTION_CLIENT_ID": WORDS,
    "JWT_INTROSPECTION_SECRET": one_of("ssm:/secret", "secretsmanager:secret"),
}
TENANTS = {
    "JWT_ISSUER": one_of("https://i.example.com/{tenant}/v2.0"),
    "JWT_TENANTS": one_of("any", "acme, other", "ssm:/tenants"),
    "JWT_TENANT_CLAIM": one_of("tid", "/org/id"),
}
VALUES = {
    setting.variable: of_kind(setting)
    for setting in SETTINGS
    if setting not in (ISSUER, CONFIG) and not re.search("INTROSPECT|TENANT", setting.variable)
} | {
    "JWT_REVOKED": one_of("https://revoked.example.com/list", "ssm:/list", "s3://bucket/list"),
    "JWT_ANY_AUDIENCE": one_of("false"),
    "JWT_JWKS": one_of("https://keys.example.com/jwks", "ssm:/keys", "s3://bucket/keys"),
    "JWT_LOG_PRINCIPAL": one_of("plain", "none"),
    "JWT_HOOK": one_of("checks:check", "my.checks:check"),
    "JWT_RESOURCE_METADATA": one_of("https://api.example.com/metadata"),
    "JWT_ALGORITHMS": joined(one_of("RS256", "ES256", "EdDSA", "Ed25519", "PS512")),
    "JWT_TOKEN_TYPES": joined(one_of("at+jwt", "JWT", "application/at+jwt")),
    "JWT_REQUIRED_CLAIMS": CLAIMS.map(json.dumps),
    "JWT_REQUIRED_SCOPES": joined(NAMES),
    "JWT_TOKEN_SOURCE": joined(one_of("header:Authorization", "cookie:session", "query:token")),
    "JWT_BOUND_TOKENS": one_of("refuse", "ignore"),
    "JWT_REQUIRE_BOUND_TOKENS": one_of("false"),
    "JWT_DPOP_URLS": joined(one_of("https://api.example.com", "https://www.example.com/v1/")),
    "JWT_DPOP_REPLAY": one_of("memory", "dynamodb:used-proofs"),
    "JWT_CONTEXT_CLAIMS": st.dictionaries(NAMES.map("my_{}".format), WORDS, min_size=1, max_size=3).map(
        lambda pairs: ",".join(f"{key}={claim}" for key, claim in pairs.items())
    ),
}
ENVIRONMENTS = st.builds(
    lambda more, usual: usual | more,
    st.just({}) | st.fixed_dictionaries(INTROSPECTION) | st.fixed_dictionaries(TENANTS),
    st.fixed_dictionaries(
        {
            "JWT_ISSUER": one_of("https://i.example.com", "https://i.example.com/a/"),
            "JWT_AUDIENCE": VALUES["JWT_AUDIENCE"],
        },
        optional={name: values for name, values in VALUES.items() if name != "JWT_AUDIENCE"},
    ),
)


def said(settings: Settings) -> list[object]:
    """Give what settings say; there are no rules in the environment, and two sets of rules are never equal."""
    claims = [repr(one.claim_rules.required_claims) for one in settings.issuers]
    shown = [
        settings.token_sources,
        settings.answers,
        settings.keys,
        settings.bound_tokens,
        settings.log,
        settings.hook,
    ]
    return [settings.issuers, claims, *shown]


@given(ENVIRONMENTS)
def test_the_document_says_what_the_variables_say(environment: dict[str, str]) -> None:
    text = toml_of(environment, ROOT)
    before, after = load_settings(environment, ROOT), load_settings({"JWT_CONFIG": text}, ROOT)
    assert said(after) == said(before)
    assert after.token_cache_size == before.token_cache_size
    assert not after.rules.configured


@given(ENVIRONMENTS)
def test_the_document_is_right_by_the_schema(environment: dict[str, str]) -> None:
    document = tomllib.loads(toml_of(environment, ROOT))
    for issuer in document["issuers"]:
        if isinstance(issuer.get("required_claims"), str):  # null is no value of TOML
            del issuer["required_claims"]
    assert [error.message for error in Draft202012Validator(config_schema()).iter_errors(document)] == []


@pytest.fixture
def env(tmp_path: Path) -> Callable[[str], str]:
    def write(text: str) -> str:
        path = tmp_path / "function.env"
        path.write_text(text, "utf-8")
        return str(path)

    return write


def test_a_file_of_variables_becomes_a_document(env: Callable[[str], str], capsys: pytest.CaptureFixture[str]) -> None:
    lines = ["JWT_ISSUER=https://i.example.com", "JWT_AUDIENCE=a,b", "JWT_LEEWAY_SECONDS=30", "JWT_CACHED_BY=route"]
    lines += [
        "JWT_CONTEXT_CLAIMS=email,is_verified=https://example.com/v",
        'JWT_REQUIRED_CLAIMS={"token_use": "access"}',
    ]
    assert run(["config", "from-env", "--env", env("\n".join(lines))]) == 0
    assert capsys.readouterr().out == (
        "# Set JWT_CONFIG to this document, and take the other JWT_ variables out.\n"
        'cached_by = "route"\n\n[context]\nemail = "email"\nis_verified = "https://example.com/v"\n\n'
        '[[issuers]]\nissuer = "https://i.example.com"\naudience = ["a", "b"]\nleeway_seconds = 30\n'
        'required_claims = { token_use = "access" }\n'
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("JWT_ISSUER=https://i.example.com", "an audience or a client_id is required"),
        ("JWT_CONFIG=file:authorizer.toml", "JWT_CONFIG is set already"),
        ("JWT_ISSUER", "is not NAME=value"),
    ],
)
def test_what_cannot_become_a_document_is_told(
    text: str, message: str, env: Callable[[str], str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["config", "from-env", "--env", env(text)]) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert not captured.out


@pytest.mark.parametrize("arguments", [[], ["--json"]])
def test_the_schema_is_printed(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["config", "schema", *arguments]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads(json.dumps(config_schema()))
