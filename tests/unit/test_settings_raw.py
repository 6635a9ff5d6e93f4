"""Settings as written, from the environment or from a TOML document: where each goes, and what is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from jwt_authorizer.settings.raw import RawSettings, Written, read_raw
from jwt_authorizer.settings.table import AUDIENCE, CACHED_BY, ISSUER, SETTINGS, TOKEN_SOURCE

if TYPE_CHECKING:
    from collections.abc import Mapping

ONE_ISSUER = '[[issuers]]\nissuer = "https://a.example.com"\n'


def read(environment: Mapping[str, str]) -> RawSettings:
    return read_raw(environment, lambda config: config)


def read_document(document: str, **environment: str) -> RawSettings:
    return read({"JWT_CONFIG": document, **environment})


def problems(raw: RawSettings) -> dict[str, str]:
    return {problem.name: problem.message for problem in raw.problems}


def test_without_a_document_the_environment_describes_one_issuer() -> None:
    raw = read({"JWT_ISSUER": "https://a.example.com", "JWT_TOKEN_SOURCE": "cookie:session", "PATH": "/bin"})
    assert [issuer.written for issuer in raw.issuers] == [{"issuer": Written("JWT_ISSUER", "https://a.example.com")}]
    assert raw.document == {"token_source": Written("JWT_TOKEN_SOURCE", "cookie:session")}
    assert (raw.problems, raw.routes, raw.unlisted_routes) == ([], None, None)


def test_a_variable_set_to_nothing_counts_as_not_set() -> None:
    raw = read({"JWT_AUDIENCE": "", "JWT_CACHED_BY": "  ", "JWT_CONFIG": " ", "JWT_NO_SUCH_THING": ""})
    assert [issuer.written for issuer in raw.issuers] == [{}]
    assert raw.document == {}
    assert raw.problems == []


def test_an_unknown_variable_is_a_problem_with_a_suggestion() -> None:
    assert problems(read({"JWT_AUDIENC": "a", "JWT_XXXXXXXXXXXXXXXX": "b"})) == {
        "JWT_AUDIENC": "there is no such setting: did you mean JWT_AUDIENCE?",
        "JWT_XXXXXXXXXXXXXXXX": "there is no such setting; there are "
        + ", ".join(sorted(setting.variable for setting in SETTINGS)),
    }


def test_a_document_is_read_into_its_rooms() -> None:
    raw = read_document(
        """
        leeway_seconds = 5
        cached_by = "route"
        unlisted_routes = "absent"
        [context]
        email = "mail"
        [[issuers]]
        issuer = "https://a.example.com"
        [[issuers]]
        issuer = "https://b.example.com"
        leeway_seconds = 10
        [[routes]]
        path = "/orders"
        """
    )
    assert raw.problems == []
    above = Written("leeway_seconds", 5)
    assert [issuer.written for issuer in raw.issuers] == [
        {"leeway_seconds": above, "issuer": Written("issuers[0].issuer", "https://a.example.com")},
        {
            "leeway_seconds": Written("issuers[1].leeway_seconds", 10),
            "issuer": Written("issuers[1].issuer", "https://b.example.com"),
        },
    ]
    assert raw.document == {
        "cached_by": Written("cached_by", "route"),
        "context_claims": Written("context", {"email": "mail"}),
    }
    assert raw.routes == Written("routes", [{"path": "/orders"}])
    assert raw.unlisted_routes == Written("unlisted_routes", "absent")


def test_beside_a_document_its_settings_are_no_longer_variables() -> None:
    raw = read_document(ONE_ISSUER, JWT_AUDIENCE="a", JWT_PRINCIPAL_CLAIM="email", JWT_CONTEXT_CLAIMS="email")
    assert problems(raw) == {
        variable: f"belongs into the document of JWT_CONFIG ({where}), once that is set"
        for variable, where in (
            ("JWT_AUDIENCE", "audience = … under [[issuers]]"),
            ("JWT_PRINCIPAL_CLAIM", "principal_claim = … under [[issuers]]"),
            ("JWT_CONTEXT_CLAIMS", 'under [context]: key = "claim"'),
        )
    }


def test_beside_a_document_the_later_settings_may_be_variables_but_not_both() -> None:
    assert read_document(ONE_ISSUER, JWT_CACHED_BY="route").document == {"cached_by": Written("JWT_CACHED_BY", "route")}
    both = read_document(f'cached_by = "route"\n{ONE_ISSUER}', JWT_CACHED_BY="route")
    assert problems(both) == {"cached_by": "is set here and as JWT_CACHED_BY: keep one of them"}


@pytest.mark.parametrize(
    ("document", "name", "message"),
    [
        ("", "issuers", "expected at least one [[issuers]] table"),
        ("issuers = []", "issuers", "expected at least one [[issuers]] table"),
        ('issuers = "https://a.example.com"', "issuers", "expected at least one [[issuers]] table"),
        ("issuers = [5]", "issuers[0]", "expected a table: write [[issuers]] above it"),
        (f"leeway = 5\n{ONE_ISSUER}", "leeway", "there is no such setting: did you mean leeway_seconds?"),
        (f'config = "file:a"\n{ONE_ISSUER}', "config", "there is no such setting"),
        (f'issuer = "https://a.example.com"\n{ONE_ISSUER}', "issuer", "did you mean issuers?"),
        (f'context_claims = ["email"]\n{ONE_ISSUER}', "context_claims", "there is no such setting"),
        (f"[contexts]\n{ONE_ISSUER}", "contexts", "did you mean context?"),
        (f"{ONE_ISSUER}audiences = 5", "issuers[0].audiences", "of an issuer: did you mean audience?"),
        (f"{ONE_ISSUER}cached_by = 5", "issuers[0].cached_by", "there is no such setting of an issuer; there are"),
        ("a b", "JWT_CONFIG", "is not a TOML document: Expected"),
        ("a = 1\na = 2", "JWT_CONFIG", "is not a TOML document: Cannot overwrite a value"),
        ("a = " + "[" * 100_000, "JWT_CONFIG", "is not a TOML document: "),
    ],
)
def test_a_wrong_document_says_where_and_what(document: str, name: str, message: str) -> None:
    found = problems(read_document(document or "#"))
    assert list(found) == [name]
    assert message in found[name]


def test_a_missing_setting_is_called_as_its_writer_would_call_it() -> None:
    (from_environment,) = read({"JWT_ISSUER": "https://a.example.com"}).issuers
    assert (from_environment.label(ISSUER), from_environment.label(AUDIENCE)) == ("JWT_ISSUER", "JWT_AUDIENCE")
    (from_table,) = read_document(f'audience = "a"\n{ONE_ISSUER}').issuers
    assert from_table.label(ISSUER) == "issuers[0].issuer"
    assert from_table.label(AUDIENCE) == "audience"
    assert (from_table.label(TOKEN_SOURCE), from_table.label(CACHED_BY)) == (
        "issuers[0].token_source",
        "issuers[0].cached_by",
    )
