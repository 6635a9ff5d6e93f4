"""Tenants in the whole function: discovery, keys and lists of tenants over a real socket."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from jwt_authorizer.function import create_function
from jwt_authorizer_devkit.signing import SigningKey, generate
from tests.integration.hostile_server import HostileServer, answer_json
from tests.security.lab import NOW, claims, sign, token_event

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DISCOVERY = "/.well-known/openid-configuration"


@dataclass
class Tenants:
    """An issuer with a key for each tenant, and a function in front of which time is set."""

    server: HostileServer
    folder: Path
    keys: dict[str, SigningKey] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    now: float = NOW

    @property
    def template(self) -> str:
        return f"http://127.0.0.1:{self.server.port}/{{tenant}}/v2.0"

    def open(self, tenant: str) -> None:
        issuer = self.template.replace("{tenant}", tenant)
        key = self.keys[tenant] = generate("ES256", "the same kid")
        self.server.behaviours |= {
            f"/{tenant}/v2.0{DISCOVERY}": answer_json({"issuer": issuer, "jwks_uri": f"{issuer}/keys"}),
            f"/{tenant}/v2.0/keys": answer_json({"keys": [key.public_jwk()]}),
        }

    def start(self, **settings: str) -> None:
        environment = {
            "JWT_ISSUER": self.template,
            "JWT_AUDIENCE": str(claims()["aud"]),
            "JWT_ALLOW_HTTP": "true",
            **settings,
        }
        self.function = create_function(
            environment, write=self.lines.append, clock=lambda: self.now, package_root=self.folder
        )

    def ask(self, tenant: str, signer: SigningKey | None = None, **changed: object) -> str:
        """Send a token, and return the decision or the code of what is wrong."""
        payload = claims(iss=self.template.replace("{tenant}", tenant), exp=self.now + 300, **changed)
        event = token_event(sign(payload, signer=signer or self.keys.get(tenant) or self.keys["acme"]))
        try:
            self.answer: Any = self.function(event, None)
        except Exception:  # noqa: BLE001 - the line says which
            self.answer = None
        line = self.line = json.loads(self.lines[-1])
        return str(line["reason"] if "reason" in line else line["decision"])


@pytest.fixture
def tenants(tmp_path: Path) -> Iterator[Tenants]:
    with HostileServer({}) as server:
        made = Tenants(server, tmp_path)
        for tenant in ("acme", "globex"):
            made.open(tenant)
        yield made


def test_each_tenant_has_keys_of_its_own(tenants: Tenants) -> None:
    tenants.start(JWT_TENANTS="acme,globex")
    for tenant, other in (("acme", "globex"), ("globex", "acme")):
        assert tenants.ask(tenant) == "allow"
        assert tenants.answer["context"]["tenant"] == tenants.line["tenant"] == tenant
        assert tenants.answer["context"]["iss"] == tenants.template.replace("{tenant}", tenant)
        assert tenants.ask(tenant, tenants.keys[other], jti="forged") == "bad_signature"
    assert tenants.ask("initech") == "unknown_issuer"
    assert len(tenants.server.asked) == 4, "at start-up, side by side, and never again"


def test_a_document_for_another_tenant_is_none(tenants: Tenants) -> None:
    tenants.server.behaviours[f"/acme/v2.0{DISCOVERY}"] = tenants.server.behaviours[f"/globex/v2.0{DISCOVERY}"]
    tenants.start(JWT_TENANTS="acme,globex")
    assert tenants.ask("acme", tenants.keys["globex"]) == "keys_unavailable"


def test_keys_at_an_address_for_each_tenant_or_for_all(tenants: Tenants) -> None:
    tenants.start(JWT_TENANTS="any", JWT_JWKS=f"{tenants.template}/keys")
    assert tenants.ask("acme") == "allow"
    assert tenants.server.asked == ["/acme/v2.0/keys"]
    shared = tenants.template.replace("{tenant}", "globex")
    tenants.start(JWT_TENANTS="any", JWT_JWKS=f"{shared}/keys", JWT_TENANT_CLAIM="tid")
    for tenant in ("acme", "initech"):
        assert tenants.ask(tenant, tenants.keys["globex"], tid=tenant) == "allow"
        assert tenants.ask(tenant, tenants.keys["globex"], tid="globex") == "invalid_claim"
    assert tenants.server.asked[1:] == ["/globex/v2.0/keys"]


def test_a_list_in_the_package_that_changes(tenants: Tenants) -> None:
    listed = tenants.folder / "tenants.txt"
    listed.write_text("acme\nglobex\n")
    tenants.start(JWT_TENANTS="file:tenants.txt")
    assert tenants.ask("acme") == "allow"
    listed.write_text("globex\n")
    assert tenants.ask("acme") == "allow", "within the TTL"
    tenants.now += 600
    assert tenants.ask("acme") == "unknown_issuer"
    assert tenants.ask("globex") == "allow"


def test_rules_name_an_issuer_as_the_settings_have_it(tenants: Tenants) -> None:
    document = f"""
[[issuers]]
issuer = "{tenants.template}"
audience = "{claims()["aud"]}"
tenants = ["acme"]

[[routes]]
method = "GET"
path = "/orders/{{id}}"
issuers = ["{tenants.template}"]
"""
    tenants.start(JWT_ISSUER="", JWT_AUDIENCE="", JWT_CONFIG=document)
    assert tenants.ask("acme") == "allow"


def test_a_thousand_made_up_tenants_over_the_wire(tenants: Tenants) -> None:
    known = [f"known-{number}" for number in range(20)]
    for tenant in known:
        tenants.open(tenant)
    tenants.start(JWT_TENANTS="any", JWT_TOKEN_CACHE_SIZE="0")
    for number, tenant in enumerate(known):
        tenants.now = NOW + 31 * (number // 10)
        assert tenants.ask(tenant) == "allow"
    tenants.now += 60
    before = len(tenants.server.asked)
    found: dict[str, int] = {}
    for number in range(1_000):
        tenants.now += 0.06  # two cooldowns in all
        reason = tenants.ask(f"made-up-{number}")
        found[reason] = found.get(reason, 0) + 1
        if number % 5 == 0:
            assert tenants.ask(known[number // 5 % 20]) == "allow"
    assert found == {"unknown_issuer": 20, "keys_unavailable": 980}
    assert {path.split("/")[1] for path in tenants.server.asked[before:] if "made-up" not in path} == set()
    assert len(tenants.server.asked) - before <= 2 * 20, "each asked at OpenID's place and at RFC 8414's"
