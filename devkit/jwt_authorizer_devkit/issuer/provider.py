"""The issuer itself: keys, documents, tokens, faults. ``server`` serves it over HTTP."""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING

from jwt_authorizer_devkit.issuer.faults import Fault, Reply, by_name, json_reply, spoil
from jwt_authorizer_devkit.mint import Defect, access_claims, mint
from jwt_authorizer_devkit.signing import ALGORITHMS, SigningKey, generate, key_set

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from jwt_authorizer_devkit.signing import Json


class Endpoint(StrEnum):
    """The endpoints. Faults and counts use these names."""

    OPENID = "openid"
    JWKS = "jwks"
    TOKEN = "token"
    AUTHORIZATION = "authorization"
    """Discovery has to name one. It answers 501, since nobody can sign in here."""


_NO_USERS = "users cannot sign in here: use the token endpoint, with grant_type=client_credentials"


class Provider:
    """An OpenID provider's state, safe to use from several threads.

    ``origin`` (``http://127.0.0.1:8080``) is set by the server once it knows its port.
    """

    def __init__(
        self,
        *,
        path: str = "",
        algorithms: tuple[str, ...] = ("RS256",),
        jwks_headers: Mapping[str, str] | None = None,
    ) -> None:
        """Make one key for each of ``algorithms``. The first signs by default.

        ``path``: the issuer's, such as ``/realms/demo``. A trailing slash is also in the issuer's URL.
        ``jwks_headers``: further response headers of the key set, such as ``Cache-Control``.
        """
        self.path = path
        self.jwks_headers = dict(jwks_headers or {})
        self.origin = "http://issuer.invalid"
        self.fetches: Counter[str] = Counter()
        self.tenants: dict[str, Provider] = {}
        self._lock = threading.RLock()
        self._made = 0
        self._keys: list[SigningKey] = []
        self._faults: dict[str, Fault] = {}
        for alg in algorithms:
            self.add_key(alg)

    # --- URLs

    @property
    def url(self) -> str:
        """The issuer identifier: exactly the tokens' ``iss``."""
        return self.origin + self.path

    @property
    def jwks_url(self) -> str:
        """The key set's URL."""
        return self.url.rstrip("/") + "/jwks"

    @property
    def token_url(self) -> str:
        """The token endpoint (RFC 6749 section 3.2)."""
        return self.url.rstrip("/") + "/token"

    @property
    def authorization_url(self) -> str:
        """The authorization endpoint, where users would sign in (RFC 6749 section 3.1)."""
        return self.url.rstrip("/") + "/authorize"

    def endpoint(self, path: str) -> Endpoint | None:
        """Return the endpoint at ``path`` (without query), if any."""
        base = self.path.rstrip("/")
        return {
            f"{base}/.well-known/openid-configuration": Endpoint.OPENID,
            f"{base}/jwks": Endpoint.JWKS,
            f"{base}/token": Endpoint.TOKEN,
            f"{base}/authorize": Endpoint.AUTHORIZATION,
        }.get(path)

    # --- Keys

    @property
    def keys(self) -> tuple[SigningKey, ...]:
        """The published keys; the first signs."""
        with self._lock:
            return tuple(self._keys)

    def add_key(self, key: SigningKey | str, *, first: bool = False) -> SigningKey:
        """Publish a key, or a new one for an algorithm. ``first``: sign with it from now on."""
        with self._lock:
            if isinstance(key, str):
                self._made += 1
                key = generate(key, f"{key}-{self._made}")
            self._keys.insert(0 if first else len(self._keys), key)
            return key

    def rotate(self, alg: str | None = None) -> SigningKey:
        """Sign with a new key from now on. The old keys stay published until :meth:`remove_key`."""
        with self._lock:
            return self.add_key(alg or self._keys[0].alg, first=True)

    def remove_key(self, kid: str | None) -> None:
        """Stop publishing the key ``kid``. Raises ``KeyError`` if there is no such key."""
        with self._lock:
            left = [key for key in self._keys if key.kid != kid]
            if len(left) == len(self._keys):
                raise KeyError(kid)
            self._keys = left

    def key(self, which: str | None = None) -> SigningKey:
        """Return the key that signs, or the first whose ``kid`` or ``alg`` is ``which``. Raises ``KeyError``."""
        for key in self.keys:
            if which in {None, key.kid, key.alg}:
                return key
        raise KeyError(which)

    # --- Tokens

    def token(  # noqa: PLR0913 - one keyword for each thing a test may want to be different
        self,
        claims: Mapping[str, object] | None = None,
        *,
        audience: str | list[str] | None = "https://api.example.com",
        subject: str = "user-1",
        client_id: str = "demo-client",
        scope: str | None = None,
        lifetime: float = 300,
        defect: Defect | str | None = None,
        key: SigningKey | str | None = None,
        header: Mapping[str, object] | None = None,
    ) -> str:
        """Sign an access token; see :mod:`jwt_authorizer_devkit.mint`.

        ``claims`` are further claims, or other values; ``None`` leaves one out. ``key`` is a key, a ``kid`` or an
        ``alg``. Raises ``KeyError`` if there is no such key, ``ValueError`` if there is no such defect.
        """
        all_claims = access_claims(
            self.url,
            claims,
            audience=audience,
            now=time.time(),
            subject=subject,
            client_id=client_id,
            scope=scope,
            lifetime=lifetime,
        )
        signer = key if isinstance(key, SigningKey) else self.key(key)
        return mint(signer, all_claims, defect=None if defect is None else by_name(Defect, defect), header=header)

    # --- Faults

    def misbehave(self, endpoint: Endpoint | str, fault: Fault) -> None:
        """Answer requests for ``endpoint`` with a fault from now on. Raises ``ValueError`` for an unknown endpoint."""
        with self._lock:
            self._faults[by_name(Endpoint, endpoint)] = fault

    def heal(self) -> None:
        """End all faults."""
        with self._lock:
            self._faults.clear()

    # --- Documents

    def metadata(self) -> Json:
        """Return the discovery document (OpenID Connect Discovery 1.0 section 3)."""
        return {
            "issuer": self.url,
            "jwks_uri": self.jwks_url,
            "authorization_endpoint": self.authorization_url,
            "token_endpoint": self.token_url,
            "response_types_supported": ["token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": sorted({key.alg for key in self.keys}),
            "grant_types_supported": ["client_credentials"],
            "dpop_signing_alg_values_supported": list(ALGORITHMS),
        }

    def serve(self, endpoint: Endpoint, make_token: Callable[[], Reply]) -> Reply:
        """Count and answer a request for ``endpoint``, with its fault if any. ``make_token`` answers token requests."""
        with self._lock:
            self.fetches[endpoint] += 1
            fault = self._take_fault(endpoint)
        match endpoint:
            case Endpoint.JWKS:
                reply = json_reply(200, key_set(self.keys))
                reply = replace(reply, headers={**reply.headers, **self.jwks_headers})
            case Endpoint.TOKEN:
                reply = make_token()
            case Endpoint.OPENID:
                reply = json_reply(200, self.metadata())
            case _:  # Endpoint.AUTHORIZATION
                reply = json_reply(501, {"error": "not_implemented", "error_description": _NO_USERS})
        return reply if fault is None else spoil(reply, fault)

    def _take_fault(self, endpoint: Endpoint) -> Fault | None:
        fault = self._faults.get(endpoint)
        if fault is None or fault.times is None:
            return fault
        if fault.times > 1:
            self._faults[endpoint] = replace(fault, times=fault.times - 1)
        else:
            del self._faults[endpoint]
        return fault
