"""DPoP proofs for another URL than the one that was called."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jwt_authorizer.binding.dpop import proof_claims
from jwt_authorizer.binding.target_uri import parse_uri, request_uris
from jwt_authorizer.errors import AuthorizerError
from jwt_authorizer_devkit.explaining.advice.facts import Advice
from jwt_authorizer_devkit.explaining.redaction import shortened

if TYPE_CHECKING:
    from jwt_authorizer_devkit.explaining.advice.facts import Facts


def other_url(facts: Facts) -> Advice | None:
    """Compare the proof's URL (``htu``) with the one that API Gateway reports."""
    request = facts.seen.request
    if request is None or "check 9" not in facts.detail:
        return None
    public = tuple(parse_uri(url) for url in facts.watched.settings.bound_tokens.dpop_urls)
    try:
        htu = proof_claims(request).get("htu")
        called = " or ".join(f"{uri.origin}{uri.path}" for uri in request_uris(request, public))
    except AuthorizerError:
        return None
    return Advice(
        "other_url",
        f"The proof is for {shortened(str(htu))}, and the request went to {shortened(called)}. If clients call that "
        "URL, fix the client. If they call another one (a proxy, a mapping key), set JWT_DPOP_URLS.",
    )
