"""The local issuer as a client meets it, over HTTP, and what `doctor` finds at an issuer."""

import json
import ssl
import time
from collections.abc import Iterable, Iterator
from copy import replace
from http import HTTPStatus
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc import jws
from joserfc.jwk import KeySet

from jwt_authorizer.issuers.cached_value import Ages
from jwt_authorizer.settings import table as defaults
from jwt_authorizer.settings.model import KeySettings
from jwt_authorizer_devkit.certificate import self_signed
from jwt_authorizer_devkit.cli.app import run
from jwt_authorizer_devkit.doctoring import Finding, Level
from jwt_authorizer_devkit.doctoring.exchanges import Asked
from jwt_authorizer_devkit.doctoring.issuers import examine_issuer
from jwt_authorizer_devkit.doctoring.keys import examine_keys
from jwt_authorizer_devkit.events import sample
from jwt_authorizer_devkit.explaining import Explanation, explain, watched_function
from jwt_authorizer_devkit.issuer import Fault, FaultKind, Provider, local_issuer, parse_fault
from jwt_authorizer_devkit.issuer.tenants import tenant_of
from jwt_authorizer_devkit.mint import access_claims, mint
from jwt_authorizer_devkit.signing import ALGORITHMS, Json, SigningKey, generate, key_set
from tests.factories import signing_key
from tests.unit.desk import fetch


@pytest.fixture
def issuer() -> Iterator[Provider]:
    with local_issuer(path="/realms/demo", algorithms=("ES256",)) as provider:
        yield provider


def get_json(url: str, **form: str) -> dict[str, object]:
    return dict(json.loads(fetch(url, **form)[1]))


def turn(issuer: Provider, knob: str, **document: object) -> int:
    headers = {"Content-Type": "application/json"}
    return fetch(f"{issuer.origin}/-/{knob}", headers, json.dumps(document).encode())[0]


def header_and_claims(token: str, key: SigningKey) -> tuple[dict[str, object], dict[str, object]]:
    published = KeySet.import_key_set(json.loads(json.dumps(key_set((key,)))))
    verified = jws.deserialize_compact(token, published, algorithms=[*ALGORITHMS])
    return dict(verified.headers()), json.loads(verified.payload)


def test_discovery_has_all_that_openid_requires_and_leads_to_the_keys(issuer: Provider) -> None:
    document = get_json(f"{issuer.url}/.well-known/openid-configuration")
    assert (document["issuer"], issuer.url.endswith("/realms/demo")) == (issuer.url, True)
    assert get_json(str(document["jwks_uri"]))["keys"] == [issuer.key().public_jwk()]
    # OpenID Connect Discovery 1.0 section 3, what is marked REQUIRED.
    assert document.keys() >= {
        *("issuer", "authorization_endpoint", "token_endpoint", "jwks_uri", "response_types_supported"),
        *("subject_types_supported", "id_token_signing_alg_values_supported"),
    }


def test_a_token_request_is_answered_as_oauth_has_it(issuer: Provider) -> None:
    issuer.add_key("ES384")
    asked = {"client_id": "me", "scope": "orders:read", "audience": "api", "subject": "alice", "key": "ES384"}
    answer = get_json(issuer.token_url, **asked, grant_type="client_credentials", lifetime="60")
    header, claims = header_and_claims(str(answer.pop("access_token")), issuer.key("ES384"))
    assert answer == {"token_type": "Bearer", "expires_in": 60, "scope": "orders:read"}
    assert header["alg"] == "ES384"
    assert [claims[name] for name in ("iss", "sub", "aud", "client_id")] == [issuer.url, "alice", "api", "me"]


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"grant_type": "password", "client_id": "me"}, "unsupported_grant_type"),
        ({"grant_type": "client_credentials"}, "invalid_client"),
        ({"grant_type": "client_credentials", "client_id": "me", "claims": "[]"}, "invalid_request"),
        ({"grant_type": "client_credentials", "client_id": "me", "key": "no-such"}, "invalid_request"),
    ],
)
def test_a_wrong_token_request_is_told_why(issuer: Provider, form: dict[str, str], error: str) -> None:
    assert get_json(issuer.token_url, **form)["error"] == error


def test_a_fault_lasts_as_often_as_told(issuer: Provider) -> None:
    issuer.misbehave("jwks", Fault(FaultKind.STATUS, 500, times=2))
    assert [fetch(issuer.jwks_url)[0] for _ in range(3)] == [500, 500, 200]


def test_faults_that_doctor_does_not_meet(issuer: Provider) -> None:
    issuer.misbehave("openid", parse_fault("wrong-issuer"))
    discovery_url = f"{issuer.url}/.well-known/openid-configuration"
    assert get_json(discovery_url) == issuer.metadata() | {"issuer": "https://another-issuer.example.com"}
    issuer.misbehave("jwks", parse_fault("too-large:100000"))
    assert len(fetch(issuer.jwks_url)[1]) > 100_000
    issuer.misbehave("jwks", parse_fault("drip:0.001"))
    started = time.monotonic()
    assert get_json(issuer.jwks_url)["keys"]
    assert time.monotonic() - started >= 0.1


def test_knobs_over_http(issuer: Provider) -> None:
    assert turn(issuer, "rotate", alg="EdDSA") == HTTPStatus.OK
    assert ([key.alg for key in issuer.keys], issuer.key().alg) == (["EdDSA", "ES256"], "EdDSA")
    assert turn(issuer, "remove", kid="ES256-1") == HTTPStatus.OK
    assert [key.alg for key in issuer.keys] == ["EdDSA"]
    assert turn(issuer, "misbehave", endpoint="jwks", fault="status") == HTTPStatus.OK
    assert fetch(issuer.jwks_url)[0] == HTTPStatus.SERVICE_UNAVAILABLE
    assert turn(issuer, "heal") == HTTPStatus.OK
    assert fetch(issuer.jwks_url)[0] == HTTPStatus.OK
    assert get_json(f"{issuer.origin}/-/state")["fetches"] == {"jwks": 2}
    assert turn(issuer, "remove", kid="no-such") == HTTPStatus.BAD_REQUEST
    assert turn(issuer, "polish") == HTTPStatus.NOT_FOUND


def test_a_web_page_cannot_turn_knobs(issuer: Provider) -> None:
    status, _ = fetch(f"{issuer.origin}/-/rotate", {"Content-Type": "text/plain"}, b"{}")
    assert (status, len(issuer.keys)) == (HTTPStatus.UNSUPPORTED_MEDIA_TYPE, 1)


# Tenants: the local issuer, mint, explain and doctor.

AUDIENCE = "https://api.example.com"


@pytest.fixture
def provider() -> Iterator[Provider]:
    with local_issuer(path="/{tenant}/v2.0", algorithms=("ES256",), tenants=("acme", "globex")) as provider:
        yield provider


def environment(provider: Provider, **more: str) -> dict[str, str]:
    issuer = {"JWT_ISSUER": provider.url, "JWT_AUDIENCE": AUDIENCE, "JWT_ALLOW_HTTP": "true"}
    return {**issuer, "JWT_TENANTS": "acme,globex", **more}


def explained(provider: Provider, token: str, tmp_path: Path, **more: str) -> Explanation:
    watched = watched_function(environment(provider, **more), now=time.time(), package_root=tmp_path)
    return explain(sample("rest-request", token), watched)


@pytest.mark.parametrize("tenants", ["acme,globex", "any", "file:tenants.txt"])
def test_explain_knows_the_tenants_issuer(provider: Provider, tmp_path: Path, tenants: str) -> None:
    (tmp_path / "tenants.txt").write_text("acme\nglobex\n")
    acme = tenant_of(provider, "acme")
    found = explained(provider, acme.token(), tmp_path, JWT_TENANTS=tenants)
    assert (found.decision, found.log_line["tenant"]) == ("allow", "acme")
    foreign = tenant_of(provider, "globex").token({"iss": acme.url}, key=provider.tenants["globex"].key())
    assert explained(provider, foreign, tmp_path, JWT_TENANTS=tenants).reason in ("unknown_key", "bad_signature")


def test_explain_advises_on_a_tenant_that_is_not_listed(provider: Provider, tmp_path: Path) -> None:
    found = explained(provider, tenant_of(provider, "globex").token(), tmp_path, JWT_TENANTS="acme")
    assert (found.reason, found.advice and found.advice.mistake) == ("unknown_issuer", "other_tenant")


def test_mint_asks_a_tenants_issuer(provider: Provider, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert run(["mint", "--issuer", provider.url, "--tenant", "globex", "--audience", AUDIENCE]) == 0
    found = explained(provider, capsys.readouterr().out.strip(), tmp_path)
    assert (found.decision, found.log_line["tenant"]) == ("allow", "globex")
    for wrong in (["mint", "--issuer", provider.url], ["mint", "--tenant", "acme"], ["issuer", "--tenant", "acme"]):
        assert run(wrong) == 2


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
    assert ("Every tenant of" in capsys.readouterr().out) is (tenants == "any")
    assert {name for name, it in provider.tenants.items() if it.fetches} == asked


# Keys and tokens of the devkit, read back by another library than the one that wrote them.


# joserfc wants RFC 9864's names instead of EdDSA; issuers still write EdDSA.
@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
# It does not know ML-DSA: what the devkit makes of that is compared with RFC 9964's keys in tests/vectors.
@pytest.mark.parametrize("alg", [alg for alg in ALGORITHMS if not alg.startswith("ML-DSA")])
def test_another_library_verifies_what_each_algorithm_signs(alg: str) -> None:
    key = generate(alg, "key-1")
    claims = access_claims("https://issuer.example.com", audience="api", now=1_700_000_000)
    assert header_and_claims(mint(key, claims), key) == ({"alg": alg, "typ": "at+jwt", "kid": "key-1"}, claims)
    jwk = key.public_jwk()
    assert (jwk["kid"], jwk["alg"], jwk["use"], "d" in jwk) == ("key-1", alg, "sig", False)


# What `doctor` finds at an issuer: asked over the network, with faults, and over TLS.

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
    assert "TLSv1.3; the certificate expires in 1 days" in tls.said
    assert found(findings, "rotation", Level.GOOD)


def test_a_certificate_that_nobody_trusts(tmp_path: Path) -> None:
    with local_issuer(algorithms=("ES256",), name="localhost", tls=self_signed(tmp_path)) as provider:
        findings = examine_issuer(asked(provider.url))
    (keys,) = found(findings, "keys", Level.PROBLEM)
    assert "CERTIFICATE_VERIFY_FAILED" in keys.said
    assert "SSL_CERT_FILE" in str(keys.fix)
    assert found(findings, "tls", Level.PROBLEM)


def test_an_issuer_that_calls_itself_otherwise(issuer: Provider) -> None:
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
    ("ahead", "header", "topic", "level", "said"),
    [
        (-30, "public", "clock", Level.NOTE, "ahead of this one"),
        (300, "public", "clock", Level.PROBLEM, "more than the leeway of 60 s"),
        (0, "public", "caching", Level.GOOD, "JWT_JWKS_TTL_SECONDS=600"),
        (0, "no-store", "caching", Level.NOTE, "the function caches it for 60 s"),
        (0, "max-age=86400", "caching", Level.NOTE, "the function caches it for an hour"),
    ],
)
def test_clocks_are_compared_and_caching_is_understood_as_the_function_does(
    ahead: float, header: str, topic: str, level: Level, said: str
) -> None:
    with local_issuer(algorithms=("ES256",), jwks_headers={"Cache-Control": header}) as issuer:
        findings = examine_issuer(asked(issuer.url), clock=lambda: time.time() + ahead)
    (finding,) = found(findings, topic, level)
    assert said in finding.said


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
