"""What `doctor` finds at an issuer: asked over the network, with faults, and over TLS."""

import json
import ssl
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from jwt_authorizer.issuers.cached_value import Ages
from jwt_authorizer.settings import table as defaults
from jwt_authorizer.settings.model import KeySettings
from jwt_authorizer_devkit.certificate import self_signed
from jwt_authorizer_devkit.doctoring import Finding, Level
from jwt_authorizer_devkit.doctoring.exchanges import Asked
from jwt_authorizer_devkit.doctoring.issuers import examine_issuer
from jwt_authorizer_devkit.doctoring.keys import examine_keys
from jwt_authorizer_devkit.issuer import Fault, FaultKind, Provider, local_issuer, parse_fault
from jwt_authorizer_devkit.signing import Json, SigningKey, generate, key_set
from tests.factories import signing_key

KEYS = KeySettings(Ages(600, 3600, 30), timeout=3, allow_http=True)
ALL = defaults.ALGORITHMS.default


def asked(issuer: str, jwks: str | None = None) -> Asked:
    return Asked(issuer, jwks, KEYS, 60, ALL, Path.cwd())


def found(findings: Iterable[Finding], topic: str, level: Level) -> list[Finding]:
    return [finding for finding in findings if (finding.topic, finding.level) == (topic, level)]


def problem(asked: Asked) -> Finding:
    (finding,) = found(examine_issuer(asked), "keys", Level.PROBLEM)
    return finding


def test_a_healthy_issuer_over_tls_has_nothing_to_mend(tmp_path: Path) -> None:
    files = self_signed(tmp_path)
    with local_issuer(algorithms=("ES256", "RS256"), name="localhost", tls=files) as issuer:
        findings = examine_issuer(
            asked(issuer.url), context=lambda: ssl.create_default_context(cafile=str(files.certificate))
        )
    assert not any(finding.to_fix for finding in findings)
    topics = {finding.topic for finding in findings}
    assert topics == {"discovery", "keys", "latency", "clock", "caching", "algorithms", "rotation", "tls"}
    (tls,) = found(findings, "tls", Level.NOTE)
    assert "TLSv1.3; the certificate ends in 1 days" in tls.said
    assert found(findings, "rotation", Level.GOOD)


def test_a_certificate_that_nobody_trusts(tmp_path: Path) -> None:
    with local_issuer(algorithms=("ES256",), name="localhost", tls=self_signed(tmp_path)) as provider:
        findings = examine_issuer(asked(provider.url))
    (keys,) = found(findings, "keys", Level.PROBLEM)
    assert "CERTIFICATE_VERIFY_FAILED" in keys.said
    assert "SSL_CERT_FILE" in str(keys.fix)
    assert found(findings, "tls", Level.PROBLEM)


def test_an_issuer_that_calls_itself_otherwise() -> None:
    with local_issuer(path="/realms/demo", algorithms=("ES256",)) as issuer:
        assert problem(asked(issuer.url + "/")).fix == f"JWT_ISSUER={issuer.url}"


@pytest.mark.parametrize(
    ("issuer", "said", "fix"),
    [
        ("http://issuer.invalid", "the name does not resolve", "Compare http://issuer.invalid with"),
        ("http://127.0.0.1:9", "Connection refused", "Start the issuer"),
    ],
)
def test_an_issuer_that_is_not_there(issuer: str, said: str, fix: str) -> None:
    keys = problem(asked(issuer))
    assert said in keys.said
    assert (keys.fix or "").startswith(fix)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("status:503", "answered 503"),
        ("not-json", "is not valid JSON"),
        ("empty-set", "no key that may verify"),
        ("cut", "closed before"),
        ("redirect", "redirects are not followed"),
    ],
)
def test_faults_of_the_key_set_are_reported(issuer: Provider, fault: str, said: str) -> None:
    issuer.misbehave("jwks", parse_fault(fault))
    assert said in problem(asked(issuer.url)).said


def test_an_issuer_that_hangs_and_one_that_is_slow(issuer: Provider) -> None:
    issuer.misbehave("jwks", Fault(FaultKind.HANG, 5))
    hanging = replace(asked(issuer.url), keys=KeySettings(Ages(600, 3600, 30), 1.0, allow_http=True))
    assert "JWT_HTTP_TIMEOUT_SECONDS=8" in str(problem(hanging).fix)
    issuer.misbehave("jwks", Fault(FaultKind.HANG, 1.6))
    (latency,) = found(examine_issuer(asked(issuer.url)), "latency", Level.WARNING)
    assert latency.fix == "JWT_HTTP_TIMEOUT_SECONDS=6"


@pytest.mark.parametrize(
    ("ahead", "level", "said"),
    [
        (0, Level.GOOD, "agree"),
        (-30, Level.NOTE, "ahead of this one"),
        (300, Level.PROBLEM, "more than the leeway of 60 s"),
    ],
)
def test_clocks_are_compared(issuer: Provider, ahead: float, level: Level, said: str) -> None:
    findings = examine_issuer(asked(issuer.url), clock=lambda: time.time() + ahead)
    (clock,) = found(findings, "clock", level)
    assert said in clock.said


@pytest.mark.parametrize(
    ("header", "level", "said"),
    [
        ("no-store", Level.NOTE, "keeps it for 60 s"),
        ("max-age=86400", Level.NOTE, "keeps it for an hour"),
        ("public", Level.GOOD, "JWT_JWKS_TTL_SECONDS=600"),
    ],
)
def test_caching_as_the_function_understands_it(header: str, level: Level, said: str) -> None:
    with local_issuer(algorithms=("ES256",), jwks_headers={"Cache-Control": header}) as issuer:
        (caching,) = found(examine_issuer(asked(issuer.url)), "caching", level)
    assert said in caching.said


def test_a_copy_of_the_keys_in_the_package(tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_text(json.dumps(key_set((signing_key(),))))
    findings = examine_issuer(replace(asked("https://issuer.example.com", "file:keys.json"), package_root=tmp_path))
    assert not any(finding.to_fix for finding in findings)
    assert found(findings, "copy", Level.NOTE)
    assert any("key-1" in finding.said for finding in findings)


def keys_found(*keys: SigningKey | Json) -> list[Finding]:
    jwks = [key if isinstance(key, dict) else key.public_jwk() for key in keys]
    return list(examine_keys(json.dumps({"keys": jwks}).encode(), ALL))


def test_private_weak_and_unusual_keys() -> None:
    leaked = signing_key().public_jwk(d="c2VjcmV0")
    weak = generate("RS256", "weak", rsa_bits=1024)
    odd = SigningKey("odd", "RS256", rsa.generate_private_key(public_exponent=3, key_size=2048))
    findings = keys_found(leaked, weak, odd, {"kty": "oct", "k": "c2VjcmV0", "kid": "shared"})
    said = "\n".join(finding.said for finding in findings if finding.to_fix)
    assert "an RSA key needs 2048 to 8192 bits" in said
    assert "odd has the exponent 3" in said
    assert "PRIVATE keys are published: key-1, shared" in said
    assert "c2VjcmV0" not in said


@pytest.mark.parametrize("number", [1, 11])
def test_a_set_of_one_key_or_of_many_is_noted(number: int) -> None:
    jwks = [signing_key().public_jwk(kid=f"k{at}") for at in range(number)]
    assert found(keys_found(*jwks), "rotation", Level.NOTE)
