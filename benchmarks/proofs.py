"""Measure the extra time of a DPoP-bound request (RFC 9449), in raw ES256 checks."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from benchmarks.workload import AUDIENCE, rest_event
from jwt_authorizer.function import create_function
from jwt_authorizer_devkit.issuer.provider import Provider
from jwt_authorizer_devkit.proofs import DpopClient
from jwt_authorizer_devkit.signing import key_set

if TYPE_CHECKING:
    from collections.abc import Callable

_URL = "https://api.example.com/orders"
_LIFETIME = 3600
_MESSAGE = b"x" * 400
"""About as long as a proof's signing input."""


class BoundHandler:
    """A function that checks proofs and records them in memory. It gets one token, with a new proof each time."""

    def __init__(self, write: Callable[[str], object], count: int) -> None:
        """Make ``count`` events, each with its own proof."""
        provider, client = Provider(algorithms=("RS256",)), DpopClient()
        token = provider.token({"cnf": client.cnf}, audience=AUDIENCE, lifetime=_LIFETIME)
        unsent = rest_event(token)
        unsent.pop("multiValueHeaders")
        proofs = [client.proof(token, "GET", _URL) for _ in range(count)]
        self.events = [json.dumps(client.sent(unsent, token, _URL, proof)) for proof in proofs]
        self._write = write
        self._environment = {
            "JWT_ISSUER": provider.url,
            "JWT_AUDIENCE": AUDIENCE,
            "JWT_JWKS": json.dumps(key_set(provider.keys)),
            "JWT_BOUND_TOKENS": "dpop",
            "JWT_CACHED_BY": "nothing",
            "JWT_DPOP_MAX_AGE_SECONDS": str(_LIFETIME),
        }
        self._handle: Callable[[object, object], dict[str, object]] | None = None

    def __call__(self, number: int, event: object, context: object) -> None:
        """Answer an event. Each pass sends the same proofs, so each pass gets a new function."""
        if self._handle is None or number == 0:
            self._handle = create_function(self._environment, write=self._write)
        answer = self._handle(event, context)
        assert '"Allow"' in json.dumps(answer["policyDocument"]) if number == 0 else True  # noqa: S101 - it must be allowed


def raw_check() -> Callable[[int], object]:
    """Return one check of an ES256 signature, the least that a proof costs."""
    private = ec.generate_private_key(ec.SECP256R1())
    public, algorithm = private.public_key(), ec.ECDSA(hashes.SHA256())
    signature = private.sign(_MESSAGE, algorithm)
    return lambda _: public.verify(signature, _MESSAGE, algorithm)
