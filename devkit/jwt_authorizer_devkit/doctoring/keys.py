"""A published key set: what is weak, unusual, or will hurt at the next change of keys."""

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
    """Look at each key of a set that the function could read. ``algorithms`` are the settings'."""
    key_set = parse_key_set(document)
    raw = [jwk for jwk in json.loads(document)["keys"] if isinstance(jwk, dict)]
    named = ", ".join(
        f"{shortened(key.kid or 'no kid', 40)} ({_kind(key.public, key.algorithms)})" for key in key_set.keys
    )
    yield Finding("keys", Level.GOOD, f"{len(key_set.keys)} may verify: {named}.")
    for skipped in key_set.skipped:
        level = Level.NOTE if "use is not sig" in skipped else Level.WARNING
        fix = (
            None
            if level is Level.NOTE
            else "Replace it at the issuer: RSA from 2048 bits on, P-256, P-384, P-521 or Ed25519."
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
        said = f"PRIVATE keys are published: {shortened(', '.join(leaked))}. Whoever reads the key set can sign tokens."
        yield Finding("keys", Level.PROBLEM, said, "Take these keys out of the set now, and sign with new ones.")


def _names(key_set: KeySet) -> Iterator[Finding]:
    nameless = [key for key in key_set.keys if key.kid is None]
    if nameless and len(key_set.keys) > 1:
        said = f"{len(nameless)} keys have no kid: no token can name them."
        yield Finding(
            "keys", Level.WARNING, said, "Give each key a kid of its own at the issuer (RFC 7517 section 4.5)."
        )
    counts = Counter((key.kid, alg) for key in key_set.keys if key.kid is not None for alg in key.algorithms)
    double = sorted({str(kid) for (kid, _), count in counts.items() if count > 1})
    if double:
        said = f"Several keys are called {shortened(', '.join(double))}: each of them is tried."
        yield Finding("keys", Level.WARNING, said, "Give each key a kid of its own at the issuer.")


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
        said = f"None of the accepted algorithms ({', '.join(sorted(algorithms))}) fits a key of the issuer."
        yield Finding("algorithms", Level.PROBLEM, said, f"JWT_ALGORITHMS={','.join(sorted(offered))}")
    elif common != algorithms and len(common) <= len(key_set.keys):
        said = f"The issuer's keys are for {', '.join(sorted(common))}, and more is accepted."
        yield Finding("algorithms", Level.NOTE, said, f"JWT_ALGORITHMS={','.join(sorted(common))}")
    else:
        yield Finding("algorithms", Level.GOOD, f"Accepted, and with a key for it: {', '.join(sorted(common))}.")


def _rotation(key_set: KeySet) -> Iterator[Finding]:
    count = len(key_set.keys)
    if count == 1:
        said = (
            "One key is published. See that the issuer publishes a new one before it signs with it, and the old "
            "one until "
            "its last token has ended."
        )
        yield Finding("rotation", Level.NOTE, said)
    elif count > _MANY:
        said = f"{count} keys are published: those that sign no more are still trusted."
        yield Finding("rotation", Level.NOTE, said, "Remove retired keys at the issuer.")
    else:
        yield Finding("rotation", Level.GOOD, f"{count} keys are published: the next change of keys is prepared.")
