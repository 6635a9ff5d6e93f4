"""Client authentication at the introspection endpoint (RFC 6749 section 2.3.1, RFC 7523 section 2.2)."""

from __future__ import annotations

import json
import os
from base64 import b64encode
from typing import TYPE_CHECKING
from urllib.parse import quote_plus

from jwt_authorizer.issuers.fetched import FetchError
from jwt_authorizer.records import dataclass, field

if TYPE_CHECKING:
    from typing import Any

    from jwt_authorizer.issuers.documents import Read

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_ASSERTION_SECONDS = 60
_EC_ALGORITHMS = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}


@dataclass(slots=True, eq=False)
class ClientAuth:
    """The client's id, how it authenticates, and the function that reads its secret or private key (then cached).

    ``method``: ``client_secret_basic``, ``client_secret_post`` or ``private_key_jwt`` (OpenID Connect Core section 9).
    """

    client_id: str
    method: str
    read: Read = field(repr=False)
    _secret: str = field(init=False, default="", repr=False)

    def credentials(self, audience: str, now: float, *, fresh: bool) -> tuple[dict[str, str], dict[str, str]]:
        """Return the headers and the form members that authenticate a request.

        ``audience``: the issuer, for whom an assertion is meant. ``now``: seconds since 1970. ``fresh``: read the
        secret again, because the issuer rejected it. Raises :class:`FetchError` if it can't be read, or is not a key.
        """
        if fresh or not self._secret:
            self._secret = self.read().decode().strip("\r\n")  # a file that was uploaded ends with a line break
        secret = self._secret
        if self.method == "client_secret_post":
            return {}, {"client_id": self.client_id, "client_secret": secret}
        if self.method == "client_secret_basic":
            # Both are encoded as form values first: an id may contain a colon (RFC 6749 section 2.3.1).
            pair = f"{quote_plus(self.client_id)}:{quote_plus(secret)}"
            return {"Authorization": f"Basic {b64encode(pair.encode()).decode()}"}, {}
        form = {"client_id": self.client_id, "client_assertion_type": ASSERTION_TYPE}
        return {}, form | {"client_assertion": _assertion(secret, self.client_id, audience, now)}


def _assertion(private_key: str, client_id: str, audience: str, now: float) -> str:
    """Sign a client assertion (RFC 7523 section 3) with a private key: a JWK, or PEM."""
    import jwt  # noqa: PLC0415 - the whole of PyJWT, for private_key_jwt alone

    claims = {
        "iss": client_id,
        "sub": client_id,
        "aud": audience,
        "jti": os.urandom(16).hex(),
        "iat": int(now),
        "exp": int(now) + _ASSERTION_SECONDS,
    }
    try:
        key, algorithm, headers = _signing_key(private_key)
        return jwt.encode(claims, key, algorithm, headers)
    except Exception as error:  # noqa: BLE001 - whatever it is: its message could hold a part of the key
        message = f"the private key for client authentication is neither a JWK nor PEM ({type(error).__name__})"
        raise FetchError(message) from None


def _signing_key(text: str) -> tuple[Any, str, dict[str, str]]:
    """Read a private key. A JWK may name its ``alg`` and ``kid``; else the algorithm follows from the key."""
    if text.lstrip().startswith("{"):
        import jwt  # noqa: PLC0415 - only for private_key_jwt

        jwk = json.loads(text)
        key = jwt.PyJWK(jwk)
        return key.key, key.algorithm_name, {"kid": jwk["kid"]} if "kid" in jwk else {}
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415 - only for PEM

    loaded: Any = load_pem_private_key(text.encode(), None)
    curve = getattr(getattr(loaded, "curve", None), "name", None)
    return loaded, _EC_ALGORITHMS[curve] if curve else "RS256" if hasattr(loaded, "key_size") else "EdDSA", {}
