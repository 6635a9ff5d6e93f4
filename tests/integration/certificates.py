"""Throw-away certificates for servers on this machine."""

from __future__ import annotations

import datetime as dt
import socket
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from jwt_authorizer.issuers.https import HttpsClient

if TYPE_CHECKING:
    from pathlib import Path

    from jwt_authorizer.issuers.ahead import Ahead

_DAY = dt.timedelta(days=1)


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate authority, its certificate in ``file``."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate
    file: Path

    @classmethod
    def create(cls, folder: Path, name: str = "Test authority") -> Authority:
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = (
            _unsigned(_name(name), _name(name), key.public_key(), key.public_key(), expired=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(ca=True), critical=True)
            .sign(key, hashes.SHA256())
        )
        file = folder / f"{name}.pem"
        file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        return cls(key, certificate, file)

    def server_context(self, host: str, *, expired: bool = False) -> ssl.SSLContext:
        """Issue a certificate for ``host`` and make a server's context of it."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.server_file(host, expired=expired))
        return context

    def server_file(self, host: str, *, expired: bool = False, names: tuple[str, ...] | None = None) -> Path:
        """Issue a certificate for ``host``, and write it with its key into a file.

        ``names``: its subject alternative names, if they are not the host alone.
        """
        alternatives = x509.SubjectAlternativeName([x509.DNSName(name) for name in names or (host,)])
        key = ec.generate_private_key(ec.SECP256R1())
        unsigned = _unsigned(
            _name(host), self.certificate.subject, key.public_key(), self.key.public_key(), expired=expired
        )
        certificate = (
            (unsigned if names == () else unsigned.add_extension(alternatives, critical=False))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(ca=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .sign(self.key, hashes.SHA256())
        )
        chain = self.file.with_name(f"{host}-{'expired' if expired else 'valid'}.pem")
        chain.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        return chain

    def client_context(self) -> ssl.SSLContext:
        """Make a context that trusts this authority alone."""
        return ssl.create_default_context(cafile=str(self.file))

    def client(self, port: int, ahead: Ahead | None = None) -> HttpsClient:
        """Make a client that trusts this authority alone, and finds each host at this port of this machine."""
        address = (socket.AF_INET, ("127.0.0.1", port))
        return HttpsClient(resolve=lambda _host, _port: [address], context=self.client_context, ahead=ahead)


def _unsigned(
    subject: x509.Name,
    issuer: x509.Name,
    public: ec.EllipticCurvePublicKey,
    issuer_public: ec.EllipticCurvePublicKey,
    *,
    expired: bool,
) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - 3 * _DAY)
        .not_valid_after(now - _DAY if expired else now + _DAY)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_public), critical=False)
    )


def _usage(*, ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not ca,
        key_cert_sign=ca,
        crl_sign=ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
