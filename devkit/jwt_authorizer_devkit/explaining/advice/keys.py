"""Keys that are unknown or unavailable, and signatures that do not verify."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from jwt_authorizer_devkit.aws_access import remedy
from jwt_authorizer_devkit.explaining.advice.facts import Advice
from jwt_authorizer_devkit.explaining.redaction import shortened

if TYPE_CHECKING:
    from jwt_authorizer_devkit.explaining.advice.facts import Facts

_ED25519_SIGNATURE = 64


def symmetric(facts: Facts) -> Advice | None:
    """Recognize algorithms that no public key verifies."""
    alg = "" if facts.seen.token is None else facts.seen.token.alg
    if alg.lower() == "none":
        return Advice("unsigned", "The token is not signed (alg is none): anybody can write one. It is never accepted.")
    if alg.upper().startswith("HS"):
        return Advice(
            "symmetric",
            f"The issuer signs with {alg}, so anybody who can verify its tokens can also forge them. Switch the issuer "
            "(or the API, in Auth0) to RS256 or ES256.",
        )
    return Advice("algorithm", f"Add {shortened(alg)} to JWT_ALGORITHMS, if that is what the issuer signs with.")


def unknown_key(facts: Facts) -> Advice | None:
    """List the published keys, to show whether this is a key rotation or another environment."""
    token, keys = facts.seen.token, facts.seen.keys
    if token is None or keys is None or keys.fetched is None:
        return None
    published = ", ".join(shortened(key.kid or "one without kid", 40) for key in keys.fetched.value.keys[:5])
    if token.kid is None:
        return Advice(
            "no_kid",
            f"The token has no kid, and the issuer does not have exactly one key for {token.alg}. It has {published}.",
        )
    return Advice(
        "unknown_kid",
        f"The issuer publishes {published}, but not {shortened(token.kid, 40)}: the token was signed before a key "
        "rotation, or by another environment with the same iss.",
    )


def keys_out_of_reach(facts: Facts) -> Advice | None:
    """Return why the keys could not be fetched."""
    keys = facts.seen.keys
    if keys is None or keys.problem is None:
        return None
    closer = remedy(keys.problem) or "Run “jwt-authorizer doctor”."
    return Advice(
        "keys_out_of_reach",
        f"{shortened(keys.problem, 300).rstrip('.')}. {closer} With “--keys FILE” (the issuer's key set) explain works "
        "offline.",
    )


def signed_by_another(facts: Facts) -> Advice | None:
    """Distinguish a token that was cut short from one that was changed or has another key's signature."""
    token, keys = facts.seen.token, facts.seen.keys
    if token is None or keys is None:
        return None
    for key in keys.candidates_found:
        wanted = _signature_bytes(key.public)
        if len(token.signature) < wanted:
            return Advice(
                "cut_short",
                f"This token was cut short: its signature has {len(token.signature)} bytes of {wanted}. Copy it "
                "again, whole.",
            )
    return Advice(
        "changed",
        "The issuer's key does not verify the signature: the token was changed after it was signed, or another "
        "environment uses the same key id. Get a new token from the issuer itself.",
    )


def _signature_bytes(key: object) -> int:
    match key:
        case RSAPublicKey():
            return (key.key_size + 7) // 8
        case EllipticCurvePublicKey():
            return 2 * ((key.key_size + 7) // 8)
        case _:
            return _ED25519_SIGNATURE
