"""The refresher, a scheduled function of the stack: it copies an issuer's keys to S3 or Parameter Store.

A function in a VPC without a NAT gateway reaches S3 or Parameter Store through an endpoint, but not the issuer. This
one runs outside of the VPC. It fetches the key set as the authorizer would, checks it, and writes it to
``JWT_REFRESH_TARGET``, which the authorizer has as its ``JWT_JWKS``. If fetching fails it writes nothing and raises:
the last copy stays, and the authorizer serves it up to its stale limit, counted from when it was fetched.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from jwt_authorizer.errors import Problem, SettingsError
from jwt_authorizer.issuers.documents import document_writer
from jwt_authorizer.issuers.sources import REFRESHED_AT, key_fetcher

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jwt_authorizer.issuers.documents import Write
    from jwt_authorizer.issuers.https import Get
    from jwt_authorizer.issuers.sources import Fetch

TIMEOUT = 10.0
"""Seconds for fetching, and for writing. No request waits for this function."""
_PUBLIC_MEMBERS = frozenset({"kty", "use", "key_ops", "alg", "kid", "crv", "x", "y", "n", "e", "pub"})
_KEY_TYPES = ("RSA", "EC", "OKP", "AKP")


def lambda_handler(event: object, context: object) -> dict[str, object]:
    """Refresh the copy that the environment configures. The event is ignored."""
    del event, context
    return refresh(os.environ, now=time.time())


def refresh(environment: Mapping[str, str], *, now: float, get: Get | None = None) -> dict[str, object]:
    """Fetch a key set, check it, and write the copy. Return how many keys and bytes were written.

    Reads ``JWT_ISSUER``, ``JWT_REFRESH_SOURCE`` (an ``https://`` URL; without it, discovery) and
    ``JWT_REFRESH_TARGET`` (``ssm:/name`` or ``s3://bucket/key``). ``now`` is Unix time in seconds.
    Raises :class:`SettingsError`, or :class:`jwt_authorizer.issuers.fetched.FetchError` if fetching or writing fails.
    """
    fetch, write = _settings(environment, get)
    fetched = fetch()
    copy = {"keys": _public_keys(fetched.document), REFRESHED_AT: int(now)}
    document = json.dumps(copy, separators=(",", ":")).encode()
    write(document)
    return {"keys": len(fetched.value.keys), "left_out": list(fetched.value.skipped), "bytes": len(document)}


def _settings(environment: Mapping[str, str], get: Get | None) -> tuple[Fetch, Write]:
    """Read the settings. Raises :class:`SettingsError` with every problem at once."""
    names = ("JWT_ISSUER", "JWT_REFRESH_SOURCE", "JWT_REFRESH_TARGET")
    issuer, source, target = (environment.get(name, "").strip() for name in names)
    problems: list[Problem] = []
    fetch: Fetch | None = None
    write: Write | None = None
    try:
        if source and not source.startswith("https://"):
            raise ValueError("keys are refreshed from an https:// URL, or, without this setting, by discovery")  # noqa: TRY301 - joins the other reasons why there is no fetcher
        fetch = key_fetcher(issuer, source or None, allow_http=False, timeout=TIMEOUT, package_root=Path(), get=get)
    except ValueError as error:
        name, value = ("JWT_REFRESH_SOURCE", source) if source else ("JWT_ISSUER", issuer)
        problems.append(Problem.of(name, str(error), value, is_location=bool(source)))
    try:
        write = document_writer(target, timeout=TIMEOUT)
    except ValueError as error:
        problems.append(Problem.of("JWT_REFRESH_TARGET", str(error), target or None, is_location=True))
    if fetch is None or write is None:
        raise SettingsError(tuple(problems))
    return fetch, write


def _public_keys(document: bytes) -> list[dict[str, object]]:
    """Keep the members that verifying needs: no private ones, in case of a leak, and no long certificates."""
    return [
        {name: value for name, value in jwk.items() if name in _PUBLIC_MEMBERS}
        for jwk in json.loads(document)["keys"]
        if isinstance(jwk, dict) and jwk.get("kty") in _KEY_TYPES
    ]
