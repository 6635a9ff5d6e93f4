"""Get the tokens and keys of ``jwt-authorizer mint`` from a running local issuer or a file."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from jwt_authorizer_devkit.cli.terminal import UndecidedError, WrongInputError
from jwt_authorizer_devkit.signing import SigningKey

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_TIMEOUT = 10
_LARGEST = 100_000
_NOT_OURS = "is it an issuer of “jwt-authorizer issuer”?"
_CURVES = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}


def ask_issuer(issuer: str, form: Mapping[str, object]) -> str:
    """Request a token from a running local issuer; ``None`` values are left out.

    Raises :class:`WrongInputError` if the issuer rejects the request, :class:`UndecidedError` if it cannot be reached.
    """
    if urlsplit(issuer).scheme not in ("http", "https"):
        raise WrongInputError(f"--issuer {issuer} is not a URL: write http://127.0.0.1:8480")
    body = urlencode({name: value for name, value in form.items() if value is not None}, doseq=True).encode()
    request = urllib.request.Request(  # noqa: S310 - http or https
        issuer.rstrip("/") + "/token", data=body, headers={"Accept": "application/jwt"}
    )
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT) as response:  # noqa: S310 - http or https
            if response.headers.get_content_type() != "application/jwt":
                raise WrongInputError(f"{issuer}/token answered, but not with a token: {_NOT_OURS}")
            token: str = response.read(_LARGEST).decode("ascii")
    except urllib.error.HTTPError as error:
        with error:
            raise WrongInputError(_rejection(issuer, error.code, error.read(_LARGEST))) from None
    except (OSError, ValueError) as error:
        raise UndecidedError(_unreached(issuer, error)) from None
    return token


def _unreached(issuer: str, error: Exception) -> str:
    reason = getattr(error, "reason", None)
    if isinstance(reason, ssl.SSLCertVerificationError):
        said = f"The certificate of {issuer} is not trusted here: {reason.verify_message}."
        return f"{said} Set SSL_CERT_FILE to it, as the issuer prints it."
    if isinstance(reason, ssl.SSLError):
        return f"{issuer} does not use TLS ({reason.reason}): write http:// if the issuer runs without --tls."
    why = getattr(reason, "strerror", None) or reason or error
    return f"There is no issuer at {issuer} ({why}). Start one: jwt-authorizer issuer; or give --key-file."


def _rejection(issuer: str, status: int, body: bytes) -> str:
    try:
        told = json.loads(body)
        why = f"the issuer there is {told['issuer']}" if "issuer" in told else told["error_description"]
    except (ValueError, KeyError, AttributeError, TypeError):
        why = _NOT_OURS
    return f"{issuer}/token answered {status}: {why}"


def read_key(path: Path, kid: str, alg: str | None) -> SigningKey:
    """Read a private key from a PEM file. ``alg`` is needed only if an RSA key is not to sign RS256."""
    try:
        private = load_pem_private_key(path.read_bytes(), None)
    except OSError as error:
        message = (
            f"{path} cannot be read: {error.strerror}. To make one: openssl genpkey -algorithm ed25519 -out {path}"
        )
        raise WrongInputError(message) from None
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise WrongInputError(f"{path} is not an unencrypted private key in PEM.") from None
    match private:
        case rsa.RSAPrivateKey():
            fitting = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"]
        case ec.EllipticCurvePrivateKey() if private.curve.name in _CURVES:
            fitting = [_CURVES[private.curve.name]]
        case mldsa.MLDSA44PrivateKey():
            fitting = ["ML-DSA-44"]
        case mldsa.MLDSA65PrivateKey():
            fitting = ["ML-DSA-65"]
        case mldsa.MLDSA87PrivateKey():
            fitting = ["ML-DSA-87"]
        case ed25519.Ed25519PrivateKey():
            fitting = ["EdDSA", "Ed25519"]
        case _:
            raise WrongInputError(f"The key in {path} cannot sign a JWT: use RSA, P-256, P-384, P-521 or Ed25519.")
    if alg is not None and alg not in fitting:
        raise WrongInputError(f"The key in {path} cannot sign {alg}: it is for {', '.join(fitting)}.")
    return SigningKey(kid, alg or fitting[0], private)
