"""The token endpoint: client credentials. The caller may set each claim and a defect.

The issuer is for one developer's machine, so it accepts any client id and secret.
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote

from jwt_authorizer_devkit.issuer.faults import Reply, json_reply
from jwt_authorizer_devkit.proofs import InvalidProofError, bound_key

if TYPE_CHECKING:
    from jwt_authorizer_devkit.issuer.provider import Provider
    from jwt_authorizer_devkit.signing import Json


def answer_token_request(
    provider: Provider, authorization: str | None, body: bytes, accept: str | None = None, proof: str | None = None
) -> Reply:
    """Answer a token request (RFC 6749 section 4.4), form-encoded.

    Beside ``grant_type``, ``client_id``, ``client_secret``, ``scope`` and ``audience`` or ``resource`` (RFC 8707; both
    repeatable) it may have ``subject``, ``lifetime`` (seconds), ``claims`` (a JSON object), ``key`` (a ``kid`` or
    ``alg``) and ``defect`` (see ``mint.Defect``). With ``Accept: application/jwt`` the answer is the bare token, for
    shells. With a ``proof`` (the header ``DPoP``) the token is bound to its key (RFC 9449 section 5).
    """
    form = parse_qs(body.decode("utf-8", "replace"))
    single = {name: values[-1] for name, values in form.items()}
    if single.get("grant_type") != "client_credentials":
        return _error("unsupported_grant_type", "grant_type must be client_credentials")
    client_id = _basic_user(authorization) or single.get("client_id")
    if client_id is None:
        return _error("invalid_client", "client_id is missing; any value will do", status=401)
    audiences = form.get("audience") or form.get("resource") or ["https://api.example.com"]
    scope = single.get("scope")
    try:
        binding: Json = {} if proof is None else {"cnf": {"jkt": bound_key(proof, "POST", provider.token_url)}}
        lifetime = float(single.get("lifetime", "300"))
        more: Json = {**binding, **_object(single.get("claims", "{}"))}
        token = provider.token(
            more,
            audience=audiences if len(audiences) > 1 else audiences[0],
            subject=single.get("subject", client_id),
            client_id=client_id,
            scope=scope,
            lifetime=lifetime,
            defect=single.get("defect"),
            key=single.get("key"),
        )
    except KeyError as error:
        return _error("invalid_request", f"no such key: {error}")
    except (TypeError, ValueError) as error:
        code = "invalid_dpop_proof" if isinstance(error, InvalidProofError) else "invalid_request"
        return _error(code, str(error))
    if accept == "application/jwt":
        return Reply(200, token.encode(), {"Content-Type": "application/jwt"})
    answer: Json = {"access_token": token, "token_type": "DPoP" if binding else "Bearer", "expires_in": int(lifetime)}
    return json_reply(200, answer if scope is None else answer | {"scope": scope})


def _object(text: str) -> Json:
    value = json.loads(text)
    if not isinstance(value, dict):
        message = "claims must be a JSON object"
        raise TypeError(message)
    return value


def _error(error: str, description: str, *, status: int = 400) -> Reply:
    return json_reply(status, {"error": error, "error_description": description})


def _basic_user(authorization: str | None) -> str | None:
    scheme, _, encoded = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, _, _ = base64.b64decode(encoded).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return unquote(user)
