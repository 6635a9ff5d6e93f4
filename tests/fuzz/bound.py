"""DPoP proofs and their ``htu``: what must hold for every input, read by other means than the authorizer's."""

import hashlib
import json
import time
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

from cryptography.hazmat.primitives.asymmetric import ec

from jwt_authorizer.binding.bound_tokens import Binding, BindingSettings, check_binding
from jwt_authorizer.binding.dpop import DpopSettings
from jwt_authorizer.binding.target_uri import is_same_uri, normalized_path, parse_uri
from jwt_authorizer.errors import ErrorCode, TokenError
from jwt_authorizer.events import EventKind, read_event
from jwt_authorizer.tokens import BearerToken, Scheme
from jwt_authorizer_devkit.proofs import proof_jwk, thumbprint
from jwt_authorizer_devkit.signing import SigningKey, base64url
from tests.security.lab import ARN, CPU_LIMIT, NOW, sign

CLIENT = SigningKey(None, "ES256", ec.derive_private_key(20_260_102, ec.SECP256R1()))
TOKEN = "the-access-token"
ATH = base64url(hashlib.sha256(TOKEN.encode()).digest())
HOST = "api.example.com"
HEADER = json.dumps({"typ": "dpop+jwt", "alg": "ES256", "jwk": proof_jwk(CLIENT)})
CLAIMS = json.dumps({"jti": "a", "htm": "GET", "htu": f"https://{HOST}/orders/1", "iat": NOW, "ath": ATH})
SETTINGS = BindingSettings(frozenset({Binding.DPOP}), DpopSettings(frozenset({"ES256"})))


def proofs(data: bytes) -> None:
    """Fuzz one proof: header and payload with a line break between them, truly signed; after ``t``, the header's text.

    ``HEADER`` and ``CLAIMS`` stand for those of a good proof.
    """
    if data[:1] == b"t":
        head = payload = b""
        text = data[1:].decode("utf-8", "surrogateescape")
    else:
        first, _, second = data.partition(b"\n")
        head, payload = first.replace(b"HEADER", HEADER.encode()), second.replace(b"CLAIMS", CLAIMS.encode())
        text = sign(payload, head, signer=CLIENT)
    context = {"domainName": HOST, "path": "/orders/1"}
    event = {"type": "REQUEST", "methodArn": ARN + "GET/orders/1", "headers": {"DPoP": text}, "requestContext": context}
    started = time.process_time()
    try:
        used = check_binding(
            read_event(event), BearerToken(TOKEN, Scheme.DPOP), {"cnf": {"jkt": thumbprint(CLIENT)}}, SETTINGS, NOW
        )
    except TokenError as error:
        assert error.code in (ErrorCode.INVALID_DPOP_PROOF, ErrorCode.MISSING_DPOP_PROOF), "another reason"
        assert error.detail.isprintable(), "a detail is printable"
        used = None
    assert time.process_time() - started < CPU_LIMIT, "too slow"
    if used is not None:
        assert bool(head), "let in without a signature of the client"
        check_let_in(json.loads(head), json.loads(payload), used.until)


def check_let_in(head: dict[str, Any], payload: dict[str, Any], until: float) -> None:
    """Read a proof that passed by other means, and find every check to hold."""
    assert str(head["typ"]).lower().removeprefix("application/") == "dpop+jwt", "another type"
    assert head["alg"] == "ES256", "another algorithm"
    assert not {"crit", "b64"} & set(head), "an extension"
    assert {name: head["jwk"].get(name) for name in ("kty", "crv", "x", "y")} == proof_jwk(CLIENT), "another key"
    assert "d" not in head["jwk"], "a private key"
    assert isinstance(payload["jti"], str) and payload["jti"] != "", "no jti"
    assert (payload["htm"], payload["ath"]) == ("GET", ATH), "another request or token"
    assert NOW - 120 < payload["iat"] <= NOW + 60, "another time"
    assert until == payload["iat"] + 120, "remembered for another time"
    url = urlsplit(payload["htu"])
    assert (url.scheme, url.hostname, url.username) == ("https", HOST, None), "another origin"


def uris(data: bytes) -> None:
    """Fuzz one ``htu``: whatever equals the URL that was called leads to the same host, port and decoded path."""
    text = data.decode("utf-8", "surrogateescape")
    started = time.process_time()
    try:
        written = parse_uri(text)
    except ValueError as error:
        assert str(error).isprintable(), "a message is printable"
        return
    finally:
        assert time.process_time() - started < CPU_LIMIT, "too slow"
    path = normalized_path(written.path)
    assert path.startswith("/"), "a path starts with a slash"
    assert path.isascii() and path.isprintable() and " " not in path, "a path is a path"
    assert normalized_path(path) == path, "normalized once is normalized"
    assert not {".", ".."} & set(path.split("/")), "a dot segment is left"
    called = parse_uri(f"https://{HOST}/orders/a%2Fb/1")
    if not is_same_uri(written, called, EventKind.REST_REQUEST):
        return
    url = urlsplit(text.translate({ord(character): "" for character in "\t\r\n"}))
    assert (url.scheme, url.hostname, url.port or 443, url.username) == ("https", HOST, 443, None), "another origin"
    assert unquote_to_bytes(path) == b"/orders/a/b/1" and "%2F" in path, "another path"
