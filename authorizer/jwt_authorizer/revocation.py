"""Token revocation: reject the tokens that are on a list of revoked identifiers.

The list is a JSON document that is kept outside of the function, in S3 for example::

    {"as_of": 1790000000,
     "issuers": {"https://myapp.authgear.cloud": {
       "jti": {"3f6c": 1790003600}, "sid": {"9a1b": 1790003600},
       "sub": {"user-1": 1790000000}, "client_id": {"app-1": 1790000000}, "issued_before": 1780000000}}}

``jti`` and ``sid`` hold identifiers and the time after which the writer may drop them. ``sub``, ``client_id`` and
``issued_before`` hold the time of the revocation: a token that was not issued after it is rejected. Times are
seconds since 1970. ``as_of`` is for people and tools: the authorizer only checks that it is a time.
:mod:`jwt_authorizer.wiring.token_status` caches the list, and reads it again when its TTL is over.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NoReturn

from jwt_authorizer.errors import ErrorCode, TokenError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, TypeIs

    from jwt_authorizer.claims import Principal

    Revoked = dict[str, dict[str, Any]]
    """What is revoked, by issuer: the member ``issuers`` of the list."""

MAX_LIST = 8 * 1024 * 1024
"""Bytes of a list: some 180,000 entries with identifiers of 32 characters."""
IDENTIFIERS = ("jti", "sid")
"""Members that hold an identifier of what was revoked, and when the entry may be dropped."""
MOMENTS = ("sub", "client_id")
"""Members that hold an identifier, and when it was revoked: tokens issued later are accepted."""

_MAX_TIME = 1e11
"""Seconds since 1970: beyond it a number is in milliseconds."""
_LONGEST = 200


class BadListError(ValueError):
    """The document is not a list of revoked tokens."""


def read_list(document: bytes) -> Revoked:
    """Read a list of revoked tokens, and return what is revoked, by issuer.

    An unknown member is an error: it may be a misspelled one, and what it names would stay accepted.
    Raises :class:`BadListError`, which says where the document is wrong.
    """
    try:
        content = json.loads(document, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        if isinstance(error, BadListError):
            raise
        _bad("it is not JSON")
    if not isinstance(content, dict) or not isinstance(content.get("issuers"), dict):
        _bad('it must be an object with the member "issuers", an object')
    _check_names(content, ("as_of", "issuers"), "the document")
    as_of = content.get("as_of")
    if as_of is not None and not _is_time(as_of):
        _bad('"as_of" must be a number of seconds since 1970')
    for issuer, entries in content["issuers"].items():
        _check_entries(entries, repr(issuer[:_LONGEST]))
    return dict(content["issuers"])


def check_revocation(principal: Principal, revoked: Revoked) -> None:
    """Raise :class:`TokenError` (``revoked_token``) if the principal's token is on the list."""
    entries, claims = revoked.get(principal.issuer), principal.claims
    if entries is None:
        return
    tokens = entries.get("jti", {})
    # Cognito writes origin_jti, the identifier of the sign-in, into each token that came of it.
    if _text(claims, "jti") in tokens or _text(claims, "origin_jti") in tokens:
        _reject("its jti or origin_jti is on the revocation list")
    if _text(claims, "sid") in entries.get("sid", {}):
        _reject("its session (sid) is on the revocation list")
    client = _text(claims, "client_id" if "client_id" in claims else "azp")
    for name, moment in (
        ("subject", entries.get("sub", {}).get(_text(claims, "sub"))),
        ("client", entries.get("client_id", {}).get(client)),
        ("issuer", entries.get("issued_before")),
    ):
        if moment is not None and _issued_by(moment, claims.get("iat")):
            _reject(f"tokens of its {name} that were issued until {moment:.0f} are revoked: sign in again")


def _issued_by(moment: float, issued_at: object) -> bool:
    """Return whether a token may have been issued before the revocation: without a usable ``iat`` it may."""
    return not _is_time(issued_at) or issued_at <= moment


def _text(claims: Mapping[str, object], name: str) -> str:
    """Return a claim as a string; empty if there is none. No entry of a list is an empty string."""
    value = claims.get(name)
    return value if isinstance(value, str) else str(value) if type(value) is int else ""


def _check_entries(entries: object, issuer: str) -> None:
    if not isinstance(entries, dict):
        _bad(f"the entry of {issuer} must be an object")
    _check_names(entries, (*IDENTIFIERS, *MOMENTS, "issued_before"), f"the entry of {issuer}")
    for name in (*IDENTIFIERS, *MOMENTS):
        found = entries.get(name, {})
        if not isinstance(found, dict) or "" in found or not all(map(_is_time, found.values())):
            _bad(f"{name!r} of {issuer} must be an object of identifiers, each with a number of seconds")
    before = entries.get("issued_before")
    if before is not None and not _is_time(before):
        _bad(f"'issued_before' of {issuer} must be a number of seconds since 1970")


def _is_time(value: object) -> TypeIs[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < _MAX_TIME


def _check_names(found: Mapping[str, object], known: tuple[str, ...], where: str) -> None:
    unknown = sorted(found.keys() - set(known))
    if unknown:
        _bad(f"{where} has the unknown member {unknown[0][:_LONGEST]!r}; expected {', '.join(known)}")


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Reject a member that is listed twice: JSON parsers keep the last, so what the first revokes would be lost."""
    found = dict(pairs)
    if len(found) != len(pairs):
        _bad("a member is there twice")
    return found


def _bad(message: str) -> NoReturn:
    raise BadListError(message)


def _reject(detail: str) -> NoReturn:
    raise TokenError(ErrorCode.REVOKED_TOKEN, detail)
