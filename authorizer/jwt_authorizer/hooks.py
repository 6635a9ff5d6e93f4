"""Hooks: your own check (``JWT_HOOK=module:function``), what it gets, what it may return, and how it is imported.

It runs after all other checks, on every invocation whose answer would allow anything, so remembered tokens are checked
too. It can refuse, or add to the context; it cannot allow. It gets only the part of the request that API Gateway's
cache is keyed by (``JWT_CACHED_BY``), so a cached answer is what the check would decide again.
"""

from __future__ import annotations

import json
import math
import re
import sys
from importlib import import_module
from typing import TYPE_CHECKING

from jwt_authorizer.contexts import RESERVED_KEYS
from jwt_authorizer.errors import DecisionError, ErrorCode, Problem, SettingsError, unexpected_error
from jwt_authorizer.events import EventKind
from jwt_authorizer.records import dataclass, field, request_dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from jwt_authorizer.claims import Principal
    from jwt_authorizer.events import Request

    Value = str | int | float | bool
    """What API Gateway carries in a context."""
    Check = Callable[["Caller"], Mapping[str, Value] | "Refuse" | None]

_REASON = re.compile(r"[A-Za-z0-9_.:-]{1,100}")
_KEY = re.compile(r"[A-Za-z0-9_.:-]{1,100}")
_LARGEST_INTEGER = 2**63
"""Longer ones are rounded or refused by what reads JSON (RFC 8259 section 6)."""


@dataclass(frozen=True, slots=True)
class CallerRequest:
    """The request as it was sent. Header names are in lower case; several values of one are joined by commas."""

    method: str
    path: str
    headers: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Caller:
    """The caller, by a token that has been verified, and the part of the request that the answer is for.

    ``id`` is the principal's id, ``issuer`` the token's ``iss``, ``claims`` a copy of all its claims. ``tenant`` is
    ``None`` unless the issuer has ``{tenant}``. ``route`` (``GET /orders/{id}``, as API Gateway names it) is ``None``
    with ``JWT_CACHED_BY=token``, and ``request`` is ``None`` without ``JWT_CACHED_BY=nothing``.
    """

    id: str
    issuer: str
    tenant: str | None
    scopes: frozenset[str]
    claims: Mapping[str, object] = field(repr=False)
    route: str | None = None
    request: CallerRequest | None = None


@dataclass(frozen=True, slots=True)
class Refuse:
    """A refusal: the client gets 403. ``reason`` is your own code for it, in the log and in the context.

    Raises :class:`ValueError` if the code is not 1 to 100 letters, digits and ``_ . : -``.
    """

    reason: str

    def __post_init__(self) -> None:
        """Check the code, since it may be part of a response."""
        if not _REASON.fullmatch(self.reason):
            raise ValueError(
                "the reason of a refusal is a code of letters, digits and _ . : -, such as account_suspended"
            )


@request_dataclass(frozen=True, slots=True)
class HookAnswer:
    """What a hook answered, and how long it took. ``refused`` is its code for a refusal."""

    milliseconds: float
    refused: str | None = None
    context: dict[str, object] = field(default_factory=dict)


def make_hook(
    check: Check, cached_by: str, taken: Collection[str], clock: Callable[[], float]
) -> Callable[[Principal, Request], HookAnswer]:
    """Make the function that calls the check.

    ``taken`` are context keys that the check may not set: those of ``JWT_CONTEXT_CLAIMS``. ``clock`` returns seconds.
    The function raises :class:`DecisionError` (``hook_failed``) if the check raises, or returns anything but
    ``None``, a refusal, or a context that API Gateway can carry and that overwrites nothing.
    """

    def run(principal: Principal, request: Request) -> HookAnswer:
        caller = caller_of(principal, request, cached_by)
        started = clock()
        try:
            result: object = check(caller)
        except BaseException as error:  # noqa: BLE001 - sys.exit() and asyncio's CancelledError are no Allow either
            took = (clock() - started) * 1000
            raise DecisionError(ErrorCode.HOOK_FAILED, f"{unexpected_error(error)}, after {took:.0f} ms") from None
        milliseconds = (clock() - started) * 1000
        if isinstance(result, Refuse):
            return HookAnswer(milliseconds, result.reason, {"hook_reason": result.reason})
        problem = None if result is None else _problem_with(result, taken)
        if problem is not None:
            raise DecisionError(ErrorCode.HOOK_FAILED, f"the hook returned {problem}")
        return HookAnswer(milliseconds, context=result if isinstance(result, dict) else {})

    return run


def import_check(name: str, package_root: str) -> Check:
    """Import ``module:function`` from the package's top, or from a checkout's ``bundled`` folder.

    Raises :class:`SettingsError` that names the place if it cannot be imported, or cannot be called with one argument.
    """
    from inspect import iscoroutinefunction, signature  # noqa: PLC0415 - only if there is a hook

    folders = (package_root, f"{package_root}/bundled", f"{package_root}/../bundled")
    module, _, function = name.partition(":")
    sys.path.extend(folder for folder in folders if folder not in sys.path)
    try:
        check: Check = getattr(import_module(module), function)
    except (Exception, SystemExit) as error:
        where = "the package or its folder bundled"
        raise _unusable(name, f"cannot be imported from {where}: {error}: {unexpected_error(error)}") from error
    try:
        signature(check).bind(None)
    except (TypeError, ValueError):
        raise _unusable(name, "cannot be called with one argument, the caller") from None
    if iscoroutinefunction(check):
        raise _unusable(name, "is async: the authorizer calls it as a plain function")
    return check


def _unusable(name: str, message: str) -> SettingsError:
    return SettingsError((Problem.of("JWT_HOOK", message, name),))


def caller_of(principal: Principal, request: Request, cached_by: str) -> Caller:
    """Return what a hook gets. The claims are a copy, since requests share the principal's own."""
    claims = json.loads(principal.claims_text)
    if request.kind is EventKind.APPSYNC:
        cached_by = "token"  # AppSync keys its cache by the token, whatever API Gateway does
    route = None if cached_by == "token" else _route(request)
    asked = _caller_request(request) if cached_by == "nothing" else None
    return Caller(principal.id, principal.issuer, principal.tenant, principal.scopes, claims, route, asked)


def _route(request: Request) -> str | None:
    """Return the route as far as a cache by route distinguishes it: payload 1.0 does not show the method ``ANY``."""
    key = request.route_key
    if key is None or " " in key or key.startswith("$"):
        return key
    return f"{'ANY' if request.kind is EventKind.HTTP_API_V1 else request.method} {key}"


def _caller_request(request: Request) -> CallerRequest:
    headers: dict[str, str] = {}
    for form in ("multiValueHeaders", "headers"):
        mapping = request.event.get(form)
        for name in mapping if isinstance(mapping, dict) else ():
            headers.setdefault(name.lower(), ", ".join(request.header(name)))
    return CallerRequest(request.method, request.path, headers)


def _problem_with(context: object, taken: Collection[str]) -> str | None:
    """Return why a hook's result cannot be the context: API Gateway cannot carry it, or it overwrites a key."""
    if not isinstance(context, dict):
        return f"{type(context).__name__}: expected a dict, Refuse or None"
    for key, value in context.items():
        if not isinstance(key, str) or not _KEY.fullmatch(key):
            return "a context key that is not a string of letters, digits and _ . : -"
        if key in RESERVED_KEYS or key in taken:
            return f"the context key {key}, which the authorizer writes itself"
        if not _can_be_carried(value):
            return (
                f"{type(value).__name__} as {key}: expected a string, a finite number of at most 64 bits, or a boolean"
            )
    return None


def _can_be_carried(value: object) -> bool:
    if isinstance(value, str):
        return not any("\ud800" <= character <= "\udfff" for character in value)
    if isinstance(value, int):
        return -_LARGEST_INTEGER <= value < _LARGEST_INTEGER
    return isinstance(value, float) and math.isfinite(value)
