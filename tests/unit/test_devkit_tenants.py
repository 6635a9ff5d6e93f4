"""Tenants at the desk: the local issuer, mint, explain and doctor, against the real thing over a socket."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from jwt_authorizer_devkit.cli.app import run
from jwt_authorizer_devkit.events import sample
from jwt_authorizer_devkit.explaining import explain, watched_function
from jwt_authorizer_devkit.issuer.server import local_issuer
from jwt_authorizer_devkit.issuer.tenants import tenant_of
from jwt_authorizer_devkit.signing import key_set

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jwt_authorizer_devkit.issuer.provider import Provider

AUDIENCE = "https://api.example.com"


@pytest.fixture
def provider() -> Iterator[Provider]:
    with local_issuer(path="/{tenant}/v2.0", algorithms=("ES256",), tenants=("acme", "globex")) as provider:
        yield provider


def environment(provider: Provider, **more: str) -> dict[str, str]:
    return {
        "JWT_ISSUER": provider.url,
        "JWT_AUDIENCE": AUDIENCE,
        "JWT_TENANTS": "acme,globex",
        "JWT_ALLOW_HTTP": "true",
        **more,
    }


def explained(provider: Provider, token: str, tmp_path: Path, key_document: str | None = None, **more: str) -> Any:  # noqa: ANN401 - an explanation
    watched = watched_function(
        environment(provider, **more), now=time.time(), package_root=tmp_path, key_document=key_document
    )
    return explain(sample("rest-request", token), watched)


@pytest.mark.parametrize("tenants", ["acme,globex", "any", "file:tenants.txt"])
def test_explain_knows_the_tenants_issuer(provider: Provider, tmp_path: Path, tenants: str) -> None:
    (tmp_path / "tenants.txt").write_text("acme\nglobex\n")
    acme = tenant_of(provider, "acme")
    found = explained(provider, acme.token(), tmp_path, JWT_TENANTS=tenants)
    assert (found.decision, found.verified) == ("allow", True)
    assert found.log_line["tenant"] == "acme"
    foreign = tenant_of(provider, "globex").token({"iss": acme.url}, key=provider.tenants["globex"].key())
    assert explained(provider, foreign, tmp_path, JWT_TENANTS=tenants).reason in ("unknown_key", "bad_signature")


def test_explain_works_offline(provider: Provider, tmp_path: Path) -> None:
    acme = tenant_of(provider, "acme")
    found = explained(provider, acme.token(), tmp_path, key_document=json.dumps(key_set(acme.keys)))
    assert (found.decision, acme.fetches) == ("allow", {})


def test_explain_advises_on_a_tenant_that_is_not_listed(provider: Provider, tmp_path: Path) -> None:
    found = explained(provider, tenant_of(provider, "globex").token(), tmp_path, JWT_TENANTS="acme")
    assert found.reason == "unknown_issuer"
    assert found.advice.mistake == "other_tenant"
    assert "globex" in found.advice.text


def test_mint_asks_a_tenants_issuer(provider: Provider, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert run(["mint", "--issuer", provider.url, "--tenant", "globex", "--audience", AUDIENCE]) == 0
    found = explained(provider, capsys.readouterr().out.strip(), tmp_path)
    assert (found.decision, found.log_line["tenant"]) == ("allow", "globex")
    assert run(["mint", "--issuer", provider.url]) == 2
    assert run(["mint", "--tenant", "acme"]) == 2
    assert run(["issuer", "--tenant", "acme"]) == 2


@pytest.mark.parametrize(
    ("tenants", "asked"),
    [("acme,globex", {"acme", "globex"}), ("file:tenants.txt", {"acme"}), ("any", set[str]())],
)
def test_doctor_asks_the_tenants_that_are_listed(
    provider: Provider, tmp_path: Path, capsys: pytest.CaptureFixture[str], tenants: str, asked: set[str]
) -> None:
    (tmp_path / "tenants.txt").write_text("acme\n")
    variables = environment(provider, JWT_TENANTS=tenants)
    (tmp_path / ".env").write_text("".join(f"{name}={value}\n" for name, value in variables.items()))
    run(["doctor", "--env", str(tmp_path / ".env"), "--json"])
    said = capsys.readouterr().out
    assert {name for name, it in provider.tenants.items() if it.fetches} == asked
    assert ("Every tenant of" in said) is (tenants == "any")
