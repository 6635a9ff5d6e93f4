"""Check a published key set: weak and unusual keys, algorithms, and the next key rotation."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from jwt_authorizer.keys import parse_key_set
from jwt_authorizer_devkit.doctoring.findings import Finding, Level
from jwt_authorizer_devkit.explaining.redaction import shortened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jwt_authorizer.keys import KeySet

_PRIVATE_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "k"})
_USUAL_EXPONENT = 65537
_MANY = 10


def examine_keys(document: bytes, algorithms: frozenset[str]) -> Iterator[Finding]:
    """Check each key of a set that the function can read. ``algorithms`` are those of the settings."""
    key_set = parse_key_set(document)
    raw = [jwk for jwk in json.loads(document)["keys"] if isinstance(jwk, dict)]
    named = ", ".join(
        f"{shortened(key.kid or 'no kid', 40)} ({_kind(key.public, key.algorithms)})" for key in key_set.keys
    )
    yield Finding("keys", Level.GOOD, f"{len(key_set.keys)} usable: {named}.")
    for skipped in key_set.skipped:
        level = Level.NOTE if "use is not sig" in skipped else Level.WARNING
        fix = (
            None
            if level is Level.NOTE
            else "Replace it at the issuer: RSA with 2048 bits or more, P-256, P-384, P-521 or Ed25519."
        )
        yield Finding("keys", level, f"{skipped[0].upper()}{skipped[1:]}.", fix)
    yield from _secrets(raw)
    yield from _names(key_set)
    yield from _unusual(key_set)
    yield from _algorithms(key_set, algorithms)
    yield from _rotation(key_set)


def _kind(public: object, algorithms: frozenset[str]) -> str:
    size = f"RSA, {public.key_size} bits, " if isinstance(public, RSAPublicKey) else ""
    return f"{size}{'/'.join(sorted(algorithms))}"


def _secrets(raw: list[dict[str, object]]) -> Iterator[Finding]:
    leaked = [str(jwk.get("kid", "one without kid")) for jwk in raw if _PRIVATE_MEMBERS & jwk.keys()]
    if leaked:
        said = f"PRIVATE keys are published: {shortened(', '.join(leaked))}. Anybody can read them and sign tokens."
        yield Finding("keys", Level.PROBLEM, said, "Remove these keys from the set now, and sign with new ones.")


def _names(key_set: KeySet) -> Iterator[Finding]:
    nameless = [key for key in key_set.keys if key.kid is None]
    if nameless and len(key_set.keys) > 1:
        said = f"{len(nameless)} keys have no kid, so tokens cannot name them."
        yield Finding("keys", Level.WARNING, said, "Give each key its own kid at the issuer (RFC 7517 section 4.5).")
    counts = Counter((key.kid, alg) for key in key_set.keys if key.kid is not None for alg in key.algorithms)
    double = sorted({str(kid) for (kid, _), count in counts.items() if count > 1})
    if double:
        said = f"Several keys have the kid {shortened(', '.join(double))}: the function tries each of them."
        yield Finding("keys", Level.WARNING, said, "Give each key its own kid at the issuer.")


def _unusual(key_set: KeySet) -> Iterator[Finding]:
    for key in key_set.keys:
        if isinstance(key.public, RSAPublicKey) and key.public.public_numbers().e != _USUAL_EXPONENT:
            said = (
                f"{shortened(key.kid or 'A key')} has the exponent {key.public.public_numbers().e}, which is unusual."
            )
            yield Finding(
                "keys", Level.WARNING, said, f"Make the issuer's RSA keys with the exponent {_USUAL_EXPONENT}."
            )


def _algorithms(key_set: KeySet, algorithms: frozenset[str]) -> Iterator[Finding]:
    offered = frozenset[str]().union(*(key.algorithms for key in key_set.keys))
    common = offered & algorithms
    if not common:
        said = f"The issuer has no key for the accepted algorithms ({', '.join(sorted(algorithms))})."
        yield Finding("algorithms", Level.PROBLEM, said, f"JWT_ALGORITHMS={','.join(sorted(offered))}")
    elif common != algorithms and len(common) <= len(key_set.keys):
        said = f"The issuer's keys are for {', '.join(sorted(common))}, but the settings accept more."
        yield Finding("algorithms", Level.NOTE, said, f"JWT_ALGORITHMS={','.join(sorted(common))}")
    else:
        yield Finding("algorithms", Level.GOOD, f"Accepted, and the issuer has a key: {', '.join(sorted(common))}.")


def _rotation(key_set: KeySet) -> Iterator[Finding]:
    count = len(key_set.keys)
    if count == 1:
        said = (
            "One key is published. For a key rotation, the issuer has to publish the new key before it signs with it, "
            "and the old key until its last token has expired."
        )
        yield Finding("rotation", Level.NOTE, said)
    elif count > _MANY:
        said = f"{count} keys are published: retired keys are still trusted."
        yield Finding("rotation", Level.NOTE, said, "Remove retired keys at the issuer.")
    else:
        yield Finding("rotation", Level.GOOD, f"{count} keys are published: the next key rotation is prepared.")
