"""The table of settings: public names and defaults, each as the contract with users has it."""

from pathlib import Path

import pytest

from jwt_authorizer.settings import table
from jwt_authorizer.settings.table import SETTINGS
from jwt_authorizer_devkit.described import described
from jwt_authorizer_packaging.generate import generated
from jwt_authorizer_packaging.pages import with_tables
from jwt_authorizer_packaging.template import ROOT
from tests.unit.test_settings_loading import ARRIVES

BY_VARIABLE = {setting.variable: setting for setting in SETTINGS}
NOTHING: tuple[object, ...] = ()

# Of the settings whose default does not show in test_settings_loading.py's ARRIVES.
DEFAULTS = {
    "JWT_ISSUER": None,
    "JWT_ANY_AUDIENCE": "false",
    "JWT_TENANTS": None,
    "JWT_TENANT_CLAIM": None,
    "JWT_ALGORITHMS": "RS256,RS384,RS512,PS256,PS384,PS512,ES256,ES384,ES512,EdDSA",
    "JWT_INTROSPECTION": None,
    "JWT_INTROSPECT": "opaque",
    "JWT_INTROSPECTION_CLIENT_ID": None,
    "JWT_INTROSPECTION_SECRET": None,
    "JWT_INTROSPECTION_AUTH": "client_secret_basic",
    "JWT_INTROSPECTION_CACHE_SECONDS": "60",
    "JWT_BOUND_TOKENS": "refuse",
    "JWT_REQUIRE_BOUND_TOKENS": "false",
    "JWT_DPOP_URLS": NOTHING,
    "JWT_DPOP_MAX_AGE_SECONDS": "60",
    "JWT_DPOP_REPLAY": "memory",
    "JWT_LOG_PRINCIPAL_KEY": None,
    "JWT_REVOKED": None,
    "JWT_REVOKED_TTL_SECONDS": "60",
    "JWT_REVOKED_MAX_STALE_SECONDS": "600",
    "JWT_CONFIG": None,
}


def test_there_are_these_settings_and_no_others() -> None:
    assert BY_VARIABLE.keys() == DEFAULTS.keys() | {variable for variable, *_ in ARRIVES}
    assert len(SETTINGS) == len(BY_VARIABLE)


@pytest.mark.parametrize("variable", DEFAULTS)
def test_the_default_is_what_its_text_would_be_read_as(variable: str) -> None:
    setting, default = BY_VARIABLE[variable], DEFAULTS[variable]
    assert setting.default == (setting.read(default) if isinstance(default, str) else default)


@pytest.mark.parametrize(
    ("variable", "least", "most"),
    [
        ("JWT_LEEWAY_SECONDS", 0, None),
        ("JWT_MAX_LIFETIME_SECONDS", 1, None),
        ("JWT_JWKS_TTL_SECONDS", 1, 86_400),
        ("JWT_JWKS_MAX_STALE_SECONDS", 0, None),
        ("JWT_JWKS_COOLDOWN_SECONDS", 1, 3600),
        ("JWT_HTTP_TIMEOUT_SECONDS", 0.1, 8),
    ],
)
def test_durations_have_bounds(variable: str, least: float, most: float | None) -> None:
    read = BY_VARIABLE[variable].read
    assert read(least) == least
    with pytest.raises(ValueError, match="number of seconds"):
        read(least - 0.01)
    if most is not None:
        assert read(most) == most
        with pytest.raises(ValueError, match="number of seconds"):
            read(most + 0.01)


@pytest.mark.parametrize(
    ("variable", "value", "accepted"),
    [
        ("JWT_HOOK", "checks:check", True),
        ("JWT_HOOK", "my.checks:check", True),
        ("JWT_HOOK", "checks", False),
        ("JWT_HOOK", "checks.py:check", True),  # a module of that name: that it is not there is found when it is loaded
        ("JWT_HOOK", "checks:check()", False),
        ("JWT_HOOK", "../checks:check", False),
        ("JWT_RESOURCE_METADATA", "https://api.example.com/.well-known/oauth-protected-resource/mcp", True),
        ("JWT_RESOURCE_METADATA", "http://api.example.com/", False),
        ("JWT_RESOURCE_METADATA", 'https://api.example.com/", error="none', False),
        ("JWT_RESOURCE_METADATA", "https://api.example.com/\\", False),
        ("JWT_RESOURCE_METADATA", "https://api.example.com/\r\nX: y", False),
        ("JWT_RESOURCE_METADATA", "https://ä.example.com/", False),
    ],
)
def test_what_goes_into_an_import_or_a_header_is_nothing_else(variable: str, value: str, accepted: bool) -> None:  # noqa: FBT001 - a parameter of pytest's
    read = BY_VARIABLE[variable].read
    if accepted:
        assert read(value) == value
    else:
        with pytest.raises(ValueError, match="must be"):
            read(value)


# What ``make generate`` writes: it is committed, and up to date.


GENERATED = generated(ROOT)
PAGE = "First.\n\n<!-- make generate: settings{} -->\n\n| old |\n\n<!-- end -->\n\nLast.\n"


@pytest.mark.parametrize("path", GENERATED)
def test_what_is_committed_is_up_to_date(path: str) -> None:
    assert (ROOT / path).read_text("utf-8") == GENERATED[path], "run `make generate`"


def test_the_table_of_a_page_has_a_row_for_each_setting_or_for_those_it_names() -> None:
    page = with_tables(PAGE.format(""), "docs/page.md")
    assert [line.split("`")[1] for line in page.splitlines() if line.startswith("| `")] == [
        setting.variable for setting in SETTINGS
    ]
    assert page.startswith("First.\n\n<!--")
    assert page.endswith(" |\n\n<!-- end -->\n\nLast.\n")
    some = with_tables(PAGE.format(" JWT_JWKS JWT_CACHED_BY"), "docs/page.md")
    assert [line.split("`")[1] for line in some.splitlines() if line.startswith("| `")] == ["JWT_JWKS", "JWT_CACHED_BY"]
    with pytest.raises(LookupError, match="JWT_JWK'"):
        with_tables(PAGE.format(" JWT_JWK"), "docs/page.md")


@pytest.mark.parametrize(
    ("page", "link"),
    [
        ("README.md", "](docs/caching.md)"),
        ("docs/settings.md", "](caching.md)"),
        ("x/y/z.md", "(../../docs/caching.md)"),
    ],
)
def test_a_link_of_a_description_leads_there_from_each_page(page: str, link: str) -> None:
    assert link in with_tables(PAGE.format(" JWT_CACHED_BY"), page)


@pytest.mark.parametrize(
    "row",
    [
        'NEW = Setting("new", values.string, None, _I)\n"""No section above."""\n# --- Section\n',
        '# --- Section\nNEW = Setting("new", values.string, None, _I)\nOTHER = 3\n',
    ],
)
def test_a_setting_without_a_description_or_a_section_is_an_error(
    row: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    described.cache_clear()
    (tmp_path / "table.py").write_text(row, "utf-8")
    monkeypatch.setattr(table, "__file__", str(tmp_path / "table.py"))
    monkeypatch.setattr(table, "NEW", SETTINGS[0], raising=False)
    with pytest.raises(LookupError, match="needs a text below it"):
        described()
