"""What `doctor` finds at an issuer: asked over the network, with faults, and over TLS."""

from __future__ import annotations

import json
import ssl
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from jwt_authorizer.settings import KeySettings, load_settings
from jwt_authorizer.settings import table as defaults
from jwt_authorizer_devkit.certificate import self_signed
from jwt_authorizer_devkit.doctoring import Finding, Level
from jwt_authorizer_devkit.doctoring.configured import examine_settings
from jwt_authorizer_devkit.doctoring.issuers import Asked, examine_issuer
from jwt_authorizer_devkit.doctoring.keys import examine_keys
from jwt_authorizer_devkit.issuer import Discovery, Fault, FaultKind, local_issuer
from jwt_authorizer_devkit.signing import SigningKey, generate, key_set
from tests.factories import signing_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from jwt_authorizer_devkit.signing import Json

KEYS = KeySettings(ttl=600, max_stale=3600, cooldown=30, timeout=3, allow_http=True)
ALL = defaults.ALGORITHMS.default


def asked(issuer: str, jwks: str | None = None) -> Asked:
    return Asked(issuer, jwks, KEYS, 60, ALL, Path.cwd())


def found(findings: Iterable[Finding], topic: str, level: Level) -> list[Finding]:
    return [finding for finding in findings if (finding.topic, finding.level) == (topic, level)]


def to_mend(findings: Iterable[Finding]) -> list[str]:
    return [finding.topic for finding in findings if finding.to_mend]


def trusting(certificate: Path) -> Callable[[], ssl.SSLContext]:
    return lambda: ssl.create_default_context(cafile=str(certificate))


def test_a_healthy_issuer_over_tls_has_nothing_to_mend(tmp_path: Path) -> None:
    files = self_signed(tmp_path)
    with local_issuer(algorithms=("ES256", "RS256"), name="localhost", tls=files) as issuer:
        findings = examine_issuer(asked(issuer.url), context=trusting(files.certificate))
    assert to_mend(findings) == []
    topics = {finding.topic for finding in findings}
    assert topics == {"discovery", "keys", "latency", "clock", "caching", "algorithms", "rotation", "tls"}
    (tls,) = found(findings, "tls", Level.NOTE)
    assert "TLSv1.3; the certificate ends in 1 days" in tls.said
    assert found(findings, "rotation", Level.GOOD)


def test_a_certificate_that_nobody_trusts(tmp_path: Path) -> None:
    with local_issuer(algorithms=("ES256",), name="localhost", tls=self_signed(tmp_path)) as issuer:
        findings = examine_issuer(asked(issuer.url))
    (keys,) = found(findings, "keys", Level.PROBLEM)
    assert "CERTIFICATE_VERIFY_FAILED" in keys.said
    assert keys.fix is not None
    assert "SSL_CERT_FILE" in keys.fix
    (tls,) = found(findings, "tls", Level.PROBLEM)
    assert "not trusted" in tls.said


def test_an_issuer_that_calls_itself_otherwise() -> None:
    with local_issuer(path="/realms/demo", algorithms=("ES256",)) as issuer:
        (keys,) = found(examine_issuer(asked(issuer.url + "/")), "keys", Level.PROBLEM)
        assert keys.fix == f"JWT_ISSUER={issuer.url}"


def test_the_address_of_the_discovery_document_is_no_issuer() -> None:
    with local_issuer(path="/realms/demo", algorithms=("ES256",)) as issuer:
        well_known = issuer.url + "/.well-known/openid-configuration"
        (keys,) = found(examine_issuer(asked(well_known)), "keys", Level.PROBLEM)
    assert keys.fix is not None
    assert keys.fix.startswith(f"JWT_ISSUER={issuer.url} (leave out /.well-known/openid-configuration: ")


@pytest.mark.parametrize(
    ("issuer", "said", "fix"),
    [
        ("http://issuer.invalid", "the name does not resolve", "Compare http://issuer.invalid with"),
        ("http://127.0.0.1:9", "Connection refused", "Start the issuer"),
    ],
    ids=["name", "port"],
)
def test_an_issuer_that_is_not_there(issuer: str, said: str, fix: str) -> None:
    (keys,) = found(examine_issuer(asked(issuer)), "keys", Level.PROBLEM)
    assert said in keys.said
    assert (keys.fix or "").startswith(fix)


@pytest.mark.parametrize("endpoint", ["openid", "jwks"])
def test_a_page_for_people_instead_of_json(endpoint: str) -> None:
    with local_issuer(algorithms=("ES256",)) as issuer:
        issuer.misbehave(endpoint, Fault(FaultKind.NOT_JSON))
        (keys,) = found(examine_issuer(asked(issuer.url)), "keys", Level.PROBLEM)
    where = issuer.jwks_url if endpoint == "jwks" else f"{issuer.url}/.well-known/openid-configuration"
    assert (keys.fix or "").startswith(f"Open {where}: it has to be JSON.")


def test_no_discovery_document() -> None:
    with local_issuer(algorithms=("ES256",), discovery=Discovery.NONE) as issuer:
        (keys,) = found(examine_issuer(asked(issuer.url)), "keys", Level.PROBLEM)
        assert keys.fix == "JWT_JWKS=<the address of the issuer's key set>"
        assert to_mend(examine_issuer(asked(issuer.url, issuer.jwks_url))) == ["tls"]


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Fault(FaultKind.STATUS, 503), "answered 503"),
        (Fault(FaultKind.NOT_JSON), "is not valid JSON"),
        (Fault(FaultKind.EMPTY_SET), "no key that may verify"),
        (Fault(FaultKind.CUT), "closed before"),
        (Fault(FaultKind.REDIRECT), "redirects are not followed"),
    ],
    ids=lambda value: str(value.kind) if isinstance(value, Fault) else "",
)
def test_faults_of_the_key_set_are_told(fault: Fault, said: str) -> None:
    with local_issuer(algorithms=("ES256",)) as issuer:
        issuer.misbehave("jwks", fault)
        (keys,) = found(examine_issuer(asked(issuer.url)), "keys", Level.PROBLEM)
    assert said in keys.said


def test_an_issuer_that_hangs_and_one_that_is_slow() -> None:
    with local_issuer(algorithms=("ES256",)) as issuer:
        issuer.misbehave("jwks", Fault(FaultKind.HANG, 5))
        hanging = replace(asked(issuer.url), keys=KeySettings(600, 3600, 30, 1.0, allow_http=True))
        (keys,) = found(examine_issuer(hanging), "keys", Level.PROBLEM)
        assert keys.fix is not None
        assert "JWT_HTTP_TIMEOUT_SECONDS=8" in keys.fix
        issuer.misbehave("jwks", Fault(FaultKind.HANG, 1.6))
        slow = asked(issuer.url)
        (latency,) = found(examine_issuer(slow), "latency", Level.WARNING)
        assert latency.fix == "JWT_HTTP_TIMEOUT_SECONDS=6"


@pytest.mark.parametrize(
    ("ahead", "level", "said"),
    [
        (0, Level.GOOD, "agree"),
        (30, Level.NOTE, "behind this one, within the leeway"),
        (-30, Level.NOTE, "ahead of this one"),
        (300, Level.PROBLEM, "more than the leeway of 60 s"),
    ],
)
def test_clocks_are_compared(ahead: float, level: Level, said: str) -> None:
    with local_issuer(algorithms=("ES256",)) as issuer:
        findings = examine_issuer(asked(issuer.url), clock=lambda: time.time() + ahead)
    (clock,) = found(findings, "clock", level)
    assert said in clock.said


@pytest.mark.parametrize(
    ("header", "level", "said"),
    [
        ("max-age=300", Level.GOOD, "300 s"),
        ("no-store", Level.NOTE, "keeps it for 60 s"),
        ("max-age=86400", Level.NOTE, "keeps it for an hour"),
        ("public", Level.GOOD, "JWT_JWKS_TTL_SECONDS=600"),
    ],
)
def test_caching_as_the_function_understands_it(header: str, level: Level, said: str) -> None:
    with local_issuer(algorithms=("ES256",), jwks_headers={"Cache-Control": header}) as issuer:
        (caching,) = found(examine_issuer(asked(issuer.url)), "caching", level)
    assert said in caching.said


def test_a_copy_of_the_keys_in_the_settings(tmp_path: Path) -> None:
    document = json.dumps(key_set((signing_key(),)))
    findings = examine_issuer(asked("https://issuer.example.com", document))
    assert to_mend(findings) == []
    assert found(findings, "copy", Level.NOTE)
    assert any("key-1" in finding.said for finding in findings)
    (tmp_path / "keys.json").write_text(document)
    in_package = replace(asked("https://issuer.example.com", "file:keys.json"), package_root=tmp_path)
    assert any("key-1" in finding.said for finding in examine_issuer(in_package))


@pytest.mark.parametrize(("age", "level"), [(600, Level.GOOD), (3000, Level.WARNING), (5000, Level.PROBLEM)])
def test_a_copy_that_a_refresher_keeps(tmp_path: Path, age: int, level: Level) -> None:
    document = key_set((signing_key(),)) | {"refreshed_at": 1_000_000}
    (tmp_path / "keys.json").write_text(json.dumps(document))
    in_package = replace(asked("https://issuer.example.com", "file:keys.json"), package_root=tmp_path)
    (copy,) = found(examine_issuer(in_package, clock=lambda: 1_000_000 + age), "copy", level)
    assert f"{age} s old, and good for 4200 s" in copy.said


def test_nobody_at_all() -> None:
    findings = examine_issuer(asked("http://127.0.0.1:9"))
    assert to_mend(findings) == ["keys", "tls"]
    assert "refused" in findings[0].said


def published(*keys: SigningKey | Json) -> bytes:
    jwks = [key if isinstance(key, dict) else key.public_jwk() for key in keys]
    return json.dumps({"keys": jwks}).encode()


def keys_found(*keys: SigningKey | Json, algorithms: frozenset[str] = ALL) -> list[Finding]:
    return list(examine_keys(published(*keys), algorithms))


def test_a_private_key_in_public() -> None:
    jwk = signing_key().public_jwk(d="c2VjcmV0")
    (leak,) = found(keys_found(jwk), "keys", Level.PROBLEM)
    assert "PRIVATE keys are published: key-1" in leak.said
    assert "c2VjcmV0" not in leak.said


def test_weak_and_unusual_keys() -> None:
    weak = generate("RS256", "weak", rsa_bits=1024)
    odd = SigningKey("odd", "RS256", rsa.generate_private_key(public_exponent=3, key_size=2048))
    findings = keys_found(signing_key(), weak, odd, {"kty": "oct", "k": "c2VjcmV0", "kid": "shared"})
    said = [finding.said for finding in findings if finding.to_mend]
    assert any("an RSA key needs 2048 to 8192 bits" in one for one in said)
    assert any("odd has the exponent 3" in one for one in said)
    assert any("PRIVATE keys are published: shared" in one for one in said)


def test_an_encryption_key_is_nothing_to_mend() -> None:
    findings = keys_found(signing_key(), signing_key("RS256", "key-2").public_jwk(use="enc"))
    assert to_mend(findings) == []
    assert found(findings, "keys", Level.NOTE)


def test_names_that_are_missing_or_double() -> None:
    one, other = signing_key(), signing_key("ES256", "key-3")
    nameless = found(keys_found(one.public_jwk(kid=None), other), "keys", Level.WARNING)
    assert ["no kid" in finding.said for finding in nameless] == [True]
    double = found(keys_found(one, other.public_jwk(kid="key-1")), "keys", Level.WARNING)
    assert ["Several keys are called key-1" in finding.said for finding in double] == [True]


def test_algorithms_that_fit_and_that_do_not() -> None:
    (none,) = found(keys_found(signing_key(), algorithms=frozenset({"RS256"})), "algorithms", Level.PROBLEM)
    assert none.fix == "JWT_ALGORITHMS=ES256"
    (more,) = found(keys_found(signing_key()), "algorithms", Level.NOTE)
    assert more.fix == "JWT_ALGORITHMS=ES256"
    assert found(keys_found(signing_key(), algorithms=frozenset({"ES256"})), "algorithms", Level.GOOD)


def test_one_key_two_keys_many_keys() -> None:
    one = signing_key()
    assert found(keys_found(one), "rotation", Level.NOTE)
    assert found(keys_found(one, signing_key("EdDSA", "key-2")), "rotation", Level.GOOD)
    many = [one.public_jwk(kid=f"k{number}") for number in range(11)]
    (note,) = found(keys_found(*many), "rotation", Level.NOTE)
    assert "11 keys" in note.said


def test_settings_that_deserve_a_look() -> None:
    environment = {
        "JWT_ISSUER": "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Example",
        "JWT_CLIENT_ID": "x",
        "JWT_ALLOW_HTTP": "true",
        "JWT_LEEWAY_SECONDS": "900",
        "JWT_JWKS": json.dumps(key_set((signing_key(),))),
    }
    findings = list(examine_settings(load_settings(environment, Path.cwd())))
    fixes = [finding.fix or "" for finding in findings if finding.to_mend]
    assert [fix.partition("=")[0] for fix in fixes] == ["JWT_ALLOW_HTTP", "JWT_LEEWAY_SECONDS", "JWT_REQUIRED_CLAIMS"]
