"""The client certificate in an event, and its thumbprint (RFC 8705 section 3.1)."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from jwt_authorizer.binding.bound_tokens import Binding, BindingSettings, check_binding
from jwt_authorizer.binding.dpop import DpopSettings
from jwt_authorizer.errors import AuthorizerError, Reason
from jwt_authorizer.events import EventKind, read_event
from jwt_authorizer.tokens import BearerToken, Scheme
from jwt_authorizer_devkit.signing import base64url
from tests.factories import EVENTS, NOW

if TYPE_CHECKING:
    from tests.factories import Event


@cache
def certificate(name: str) -> x509.Certificate:
    """Make a self-signed certificate; one with an RSA key, whose DER has a length of two bytes."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    start = datetime(2026, 1, 1, tzinfo=UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=3650))
        .sign(key, SHA256())
    )


def pem(name: str = "client") -> str:
    """Give a certificate as API Gateway passes it on."""
    return certificate(name).public_bytes(Encoding.PEM).decode()


def armored(der: bytes) -> str:
    """Put anything between the lines of PEM."""
    return f"-----BEGIN CERTIFICATE-----\n{base64.b64encode(der).decode()}\n-----END CERTIFICATE-----\n"


DER = certificate("client").public_bytes(Encoding.DER)
BOUND: dict[str, object] = {"cnf": {"x5t#S256": base64url(hashlib.sha256(DER).digest())}}
SETTINGS = BindingSettings(frozenset({Binding.MTLS}), DpopSettings(frozenset()))


def event(kind: EventKind, client_cert: object) -> Event:
    """Give an event that shows this as the client's certificate."""
    made = EVENTS[kind](None)
    member = "authentication" if kind is EventKind.HTTP_API_V2 else "identity"
    made["requestContext"][member] = {"sourceIp": "192.0.2.1", "clientCert": client_cert}
    return made


def outcome(made: Event, claims: dict[str, object] = BOUND, scheme: Scheme | None = Scheme.BEARER) -> Reason | None:
    """Check a request with a bound token: ``None``, or the reason to refuse it."""
    try:
        check_binding(read_event(made), BearerToken("t", scheme), claims, SETTINGS, NOW)
    except AuthorizerError as error:
        return error.code
    return None


@pytest.mark.parametrize("kind", [EventKind.REST_REQUEST, EventKind.HTTP_API_V1, EventKind.HTTP_API_V2])
def test_the_certificate_that_the_token_is_bound_to_passes_and_no_other(kind: EventKind) -> None:
    assert outcome(event(kind, {"clientCertPem": pem()})) is None
    assert outcome(event(kind, {"clientCertPem": pem("other")})) is Reason.CERTIFICATE_MISMATCH
    assert outcome(event(kind, None)) is Reason.CERTIFICATE_MISMATCH
    assert outcome(EVENTS[kind](None)) is Reason.CERTIFICATE_MISMATCH
    assert outcome(EVENTS[kind](None) | {"requestContext": None}) is Reason.CERTIFICATE_MISMATCH


@pytest.mark.parametrize(
    "written",
    [
        pem().replace("\n", "\r\n"),
        pem().replace("\n", "\r"),
        pem().replace("\n", " "),
        pem().replace("\n", "\\n"),
        pem().replace("\n", "\\r\\n"),
        pem().replace("\n", ""),
        armored(DER),
        pem().strip(),
        f"\ufeff Bag Attributes\nsubject=CN = client\n{pem()}",
        pem() + pem("other"),
    ],
    ids=lambda _: "pem",
)
def test_pem_is_read_in_every_form(written: str) -> None:
    assert outcome(event(EventKind.REST_REQUEST, {"clientCertPem": written})) is None


def test_of_several_certificates_the_first_counts() -> None:
    chain = {"clientCertPem": pem("other") + pem()}
    assert outcome(event(EventKind.REST_REQUEST, chain)) is Reason.CERTIFICATE_MISMATCH


@pytest.mark.parametrize(
    "client_cert",
    [
        "text",
        {},
        {"clientCertPem": None},
        {"clientCertPem": 7},
        {"clientCertPem": ""},
        {"clientCertPem": "CERT_CONTENT"},
        {"clientCertPem": pem().replace("END", "BEGIN")},
        {"clientCertPem": pem().replace("MII", "M*I")},
        {"clientCertPem": armored(b"")},
        {"clientCertPem": armored(b"\x30")},
        {"clientCertPem": armored(DER[:-1])},
        {"clientCertPem": armored(DER + b"\x00")},
        {"clientCertPem": armored(b"\x31" + DER[1:])},
        {"clientCertPem": armored(b"\x30\x80" + DER[4:] + b"\x00\x00")},
        {"clientCertPem": armored(b"\x30\x84\x00\x00" + DER[2:])},
    ],
    ids=lambda _: "unreadable",
)
def test_what_can_t_be_read_can_t_be_decided(client_cert: object) -> None:
    for kind in (EventKind.REST_REQUEST, EventKind.HTTP_API_V2):
        assert outcome(event(kind, client_cert)) is Reason.INVALID_EVENT


def test_a_certificate_s_der_may_be_short() -> None:
    short = b"\x30\x03\x02\x01\x05"
    claims: dict[str, object] = {"cnf": {"x5t#S256": base64url(hashlib.sha256(short).digest())}}
    assert outcome(event(EventKind.REST_REQUEST, {"clientCertPem": armored(short)}), claims) is None


def test_the_scheme_dpop_is_not_for_a_token_that_is_bound_to_a_certificate() -> None:
    made = event(EventKind.REST_REQUEST, {"clientCertPem": pem()})
    assert outcome(made, scheme=Scheme.DPOP) is Reason.UNBOUND_TOKEN
    assert outcome(made, scheme=None) is None


def test_a_token_that_is_bound_to_a_dpop_key_is_not_checked_here() -> None:
    assert outcome(event(EventKind.REST_REQUEST, None), {"cnf": {"jkt": "A" * 43}}) is Reason.UNSUPPORTED_BINDING
