"""The workload of all measurements: an issuer over TLS, an access token, an event.

The token is as large as those of Cognito and Auth0: an RS256 signature by a 2048-bit key, 13 claims. The event is a
REST API's ``REQUEST`` with the headers of a browser behind CloudFront.
"""

from __future__ import annotations

import json
import ssl
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from jwt_authorizer_devkit.certificate import self_signed
from jwt_authorizer_devkit.issuer.provider import Provider
from jwt_authorizer_devkit.issuer.server import IssuerServer
from jwt_authorizer_devkit.signing import key_set

if TYPE_CHECKING:
    from collections.abc import Iterator

AUDIENCE = "https://api.example.com"
ROOT = Path(__file__).resolve().parent.parent
_HOUR = 3600
_SYSTEM_CERTIFICATES = (Path("/etc/ssl/certs/ca-certificates.crt"), Path("/etc/pki/tls/certs/ca-bundle.crt"))


@dataclass(frozen=True, slots=True)
class Workload:
    """A running issuer, and the certificates to trust it with."""

    provider: Provider
    certificates: Path
    """The system's certificate authorities and the issuer's, in one file."""
    hashed: Path
    """Only the issuer's authority, in a folder with names by OpenSSL's hash."""

    @property
    def issuer(self) -> str:
        """The tokens' ``iss``."""
        return self.provider.url

    def token(self, number: int = 0) -> str:
        """Sign a token. Each ``number`` gives another token."""
        more = {
            "jti": f"2b9c7f8e-5a61-4a41-9d6f-{number:012d}",
            "auth_time": int(time.time()) - 60,
            "azp": "4f2example4f2example4f2exa",
            "email": "somebody@example.com",
            "email_verified": True,
            "groups": ["staff", "beta-testers"],
        }
        return self.provider.token(
            more,
            audience=AUDIENCE,
            subject="248289761001",
            client_id="4f2example4f2example4f2exa",
            scope="openid profile email orders:read orders:write",
            lifetime=_HOUR,
        )

    def jwks(self) -> str:
        """Return the issuer's key set."""
        return json.dumps(key_set(self.provider.keys))

    def event(self, token: str) -> dict[str, object]:
        """Return the event that a REST API sends to its REQUEST authorizer."""
        return rest_event(token)


def rest_event(token: str) -> dict[str, object]:
    """Return the sample event of a REST API with this token in it."""
    event: dict[str, object] = json.loads((ROOT / "events" / "rest-request.json").read_text("utf-8"))
    headers, many = event["headers"], event["multiValueHeaders"]
    assert isinstance(headers, dict)  # noqa: S101 - tells mypy
    assert isinstance(many, dict)  # noqa: S101 - tells mypy
    headers["Authorization"] = f"Bearer {token}"
    many["Authorization"] = [f"Bearer {token}"]
    return event


@contextmanager
def workload(folder: Path) -> Iterator[Workload]:
    """Run the issuer. Its certificate is in ``folder``, after the system's own as on Lambda."""
    tls = self_signed(folder, "localhost")
    certificates = folder / "trusted.pem"
    certificates.write_text(_system_certificates() + tls.certificate.read_text("ascii"), "utf-8")
    provider = Provider(algorithms=("RS256",))
    server = IssuerServer(provider, name="localhost", tls=tls, keep_alive=True).start()
    try:
        yield Workload(provider, certificates, _hashed(tls.certificate))
    finally:
        server.stop()


def _hashed(certificate: Path) -> Path:
    command = ["openssl", "x509", "-noout", "-subject_hash", "-in", str(certificate)]
    named = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()  # noqa: S603 - our own arguments
    folder = certificate.with_name("hashed")
    folder.mkdir()
    (folder / f"{named}.0").write_bytes(certificate.read_bytes())
    return folder


def _system_certificates() -> str:
    """Return the system's certificate authorities, since loading them is part of a first fetch."""
    known = ssl.get_default_verify_paths().cafile
    for path in (*([Path(known)] if known else []), *_SYSTEM_CERTIFICATES):
        if path.is_file():
            return path.read_text("utf-8")
    return ""
