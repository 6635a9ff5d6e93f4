"""Mutual TLS: the certificate that API Gateway has seen, and its thumbprint (RFC 8705 section 3.1).

API Gateway checks a client's certificate against the trust store of the custom domain, and passes it on as PEM. The
thumbprint is taken over the certificate's DER, so nothing here reads X.509.
"""

from __future__ import annotations

import re
from binascii import a2b_base64
from hashlib import sha256
from typing import TYPE_CHECKING

from jwt_authorizer.errors import ErrorCode, TokenError, invalid_event
from jwt_authorizer.tokens import base64url_encode

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import NoReturn

# The first certificate. RFC 7468 section 2 allows text around it; section 3 any line ends.
_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----", re.DOTALL)
# White space, also where it was escaped once too often.
_LINE_ENDS = re.compile(r"\s+|\\r|\\n")
_LENGTH_IN_ONE_BYTE = 0x80
_MAX_LENGTH_BYTES = 3


def check_certificate(event: Mapping[str, object], thumbprint: str) -> None:
    """Compare the client certificate in an event with a token's ``cnf["x5t#S256"]``.

    Raises :class:`TokenError` (``certificate_mismatch``) if there is none or another, and :class:`DecisionError`
    (``invalid_event``) if it can't be read.
    """
    pem = _client_certificate(event)
    if pem is None:
        raise TokenError(
            ErrorCode.CERTIFICATE_MISMATCH,
            "the token is bound to a client certificate, and the request came without one: it has to use a custom "
            "domain with mutual TLS",
        )
    if certificate_thumbprint(pem) != thumbprint:
        raise TokenError(
            ErrorCode.CERTIFICATE_MISMATCH, "the request's client certificate is not the one that the token is bound to"
        )


def certificate_thumbprint(pem: str) -> str:
    """Return the SHA-256 of the first certificate's DER, as base64url without padding (RFC 8705 section 3.1).

    Raises :class:`DecisionError` (``invalid_event``) for anything but PEM.
    """
    match = _CERTIFICATE.search(pem)
    if match is None:
        _unreadable("has no BEGIN CERTIFICATE and END CERTIFICATE")
    try:
        der = a2b_base64(_LINE_ENDS.sub("", match[1]), strict_mode=True)
    except ValueError:
        _unreadable("is not valid base64")
    if not _is_one_der_sequence(der):
        _unreadable("is not a complete DER structure")
    return base64url_encode(sha256(der).digest())


def _client_certificate(event: Mapping[str, object]) -> str | None:
    """Find the PEM: in ``identity`` (REST and payload 1.0) or in ``authentication`` (payload 2.0)."""
    context = event.get("requestContext")
    for name in ("identity", "authentication"):
        member = context.get(name) if isinstance(context, dict) else None
        certificate = member.get("clientCert") if isinstance(member, dict) else None
        if certificate is None:
            continue
        pem = certificate.get("clientCertPem") if isinstance(certificate, dict) else None
        if not isinstance(pem, str):
            invalid_event(f"requestContext.{name}.clientCert has no clientCertPem that is a string")
        return pem
    return None


def _is_one_der_sequence(der: bytes) -> bool:
    """Return whether the outermost SEQUENCE is as long as it says (X.690 section 8.1.3)."""
    if len(der) < 2 or der[0] != 0x30:  # noqa: PLR2004 - tag and length; the tag of a SEQUENCE
        return False
    length, header = der[1], 2
    if length >= _LENGTH_IN_ONE_BYTE:
        count = length - _LENGTH_IN_ONE_BYTE
        if not 0 < count <= _MAX_LENGTH_BYTES:
            return False
        header += count
        length = int.from_bytes(der[2:header], "big")
    return len(der) == header + length


def _unreadable(what: str) -> NoReturn:
    invalid_event(f"the client certificate in the event {what}")
