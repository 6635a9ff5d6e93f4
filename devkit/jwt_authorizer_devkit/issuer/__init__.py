"""A local OpenID provider for development and tests: discovery, keys, tokens, and faults on request.

::

    with local_issuer(path="/realms/demo", algorithms=("RS256", "ES256")) as issuer:
        token = issuer.token(audience="https://api.example.com", scope="orders:read")
        issuer.rotate("RS256")
        issuer.misbehave("jwks", Fault(FaultKind.STATUS, 503))
        assert issuer.fetches["jwks"] == 1
"""

from jwt_authorizer_devkit.issuer.faults import Fault, FaultKind, Reply, parse_fault
from jwt_authorizer_devkit.issuer.provider import Endpoint, Provider
from jwt_authorizer_devkit.issuer.server import IssuerServer, TlsFiles, local_issuer

__all__ = [
    "Endpoint",
    "Fault",
    "FaultKind",
    "IssuerServer",
    "Provider",
    "Reply",
    "TlsFiles",
    "local_issuer",
    "parse_fault",
]
