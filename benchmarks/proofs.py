"""What a DPoP proof costs, checked and remembered, in raw ES256 checks (RFC 9449)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from jwt_authorizer.binding.bound_tokens import Binding, BindingSettings, binding_check
from jwt_authorizer.binding.dpop import DpopSettings
from jwt_authorizer.binding.replay import MemoryReplayStore
from jwt_authorizer.events import read_event
from jwt_authorizer.tokens import BearerToken, Scheme
from jwt_authorizer_devkit.proofs import DpopClient

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

NOW = 1_800_000_000.0
_ARN = "arn:aws:execute-api:eu-west-1:123456789012:abcdef1234/prod/GET/orders"
_MESSAGE = b"x" * 400
"""About as long as what a proof's signature covers."""


def proofs(tokens: Sequence[str]) -> dict[str, Callable[[int], object]]:
    """Return the raw check, and the check of a proof for each token, each by a client with a key of its own."""
    settings = BindingSettings(frozenset({Binding.DPOP}), DpopSettings(frozenset({"ES256"})))
    requests, claims = [], []
    for token in tokens:
        client = DpopClient()
        url = "https://api.example.com/orders"
        proof = client.proof(token, "GET", url, now=NOW)
        requests.append(read_event(client.sent({"type": "REQUEST", "methodArn": _ARN}, token, url, proof)))
        claims.append({"cnf": client.cnf})
    private = ec.generate_private_key(ec.SECP256R1())
    public, algorithm = private.public_key(), ec.ECDSA(hashes.SHA256())
    signature = private.sign(_MESSAGE, algorithm)
    # Each pass checks the same proofs, so each has a memory of its own.
    stores = [MemoryReplayStore()]

    def check(number: int) -> None:
        if number == 0:
            stores[0] = MemoryReplayStore()
        record = binding_check(settings, stores[0])(
            requests[number], BearerToken(tokens[number], Scheme.DPOP), claims[number], NOW
        )
        assert record is not None  # noqa: S101 - each of them is bound
        record()

    return {"DPoP proof": check, "raw ES256 check": lambda _: public.verify(signature, _MESSAGE, algorithm)}
