"""The steps of ``jwt_authorizer.authorize``, each with its input and its result.

The function has decided already when these are made: its error code tells which step failed. The input of each step is
found by calling the same functions again, in the same order.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from jwt_authorizer.authenticate import find_issuer
from jwt_authorizer.errors import AuthorizerError, ErrorCode
from jwt_authorizer.events import EventKind, read_event
from jwt_authorizer.rules import Deny
from jwt_authorizer.tokens import bearer_token, is_jwt, parse
from jwt_authorizer_devkit.explaining.redaction import shortened

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from jwt_authorizer.authenticate import Issuer
    from jwt_authorizer.authorize import Outcome
    from jwt_authorizer.events import Request
    from jwt_authorizer.tokens import BearerToken, UnverifiedToken
    from jwt_authorizer_devkit.explaining.function import WatchedFunction, WatchedKeys


class Name(StrEnum):
    """The steps, in their order."""

    EVENT = "event"
    TOKEN = "token"
    HEADER = "header"
    ISSUER = "issuer"
    ALGORITHM = "algorithm"
    KEY = "key"
    SIGNATURE = "signature"
    CLAIMS = "claims"
    BINDING = "binding"
    RULES = "rules"
    HOOK = "hook"
    ANSWER = "answer"


class Passing(StrEnum):
    """Whether a step passed."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_REACHED = "not reached"


@dataclass(frozen=True, slots=True)
class Step:
    """One step: ``saw`` is its input, ``said`` its result."""

    name: Name
    outcome: Passing
    saw: str
    said: str


@dataclass(frozen=True, slots=True)
class Seen:
    """The parts of an event, as far as it can be read."""

    request: Request | None = None
    bearer: BearerToken | None = None
    location: str = ""
    token: UnverifiedToken | None = None
    claims: Mapping[str, object] | None = None
    """The token's, or those of an opaque token in the issuer's answer."""
    issuer: Issuer | None = None
    keys: WatchedKeys | None = None


_ENDS_AT = {
    ErrorCode.INVALID_EVENT: Name.EVENT, ErrorCode.MISSING_TOKEN: Name.TOKEN,
    ErrorCode.UNKNOWN_ISSUER: Name.ISSUER, ErrorCode.UNSUPPORTED_ALGORITHM: Name.ALGORITHM,
    ErrorCode.UNSUPPORTED_TOKEN_TYPE: Name.ALGORITHM, ErrorCode.UNKNOWN_KEY: Name.KEY,
    ErrorCode.KEYS_UNAVAILABLE: Name.KEY, ErrorCode.BAD_SIGNATURE: Name.SIGNATURE,
    ErrorCode.UNSUPPORTED_BINDING: Name.BINDING, ErrorCode.UNBOUND_TOKEN: Name.BINDING,
    ErrorCode.MISSING_DPOP_PROOF: Name.BINDING, ErrorCode.INVALID_DPOP_PROOF: Name.BINDING,
    ErrorCode.CERTIFICATE_MISMATCH: Name.BINDING, ErrorCode.INSUFFICIENT_SCOPE: Name.RULES,
    ErrorCode.CLAIM_MISMATCH: Name.RULES, ErrorCode.ROUTE_NOT_LISTED: Name.RULES,
    ErrorCode.REFUSED_BY_HOOK: Name.HOOK, ErrorCode.HOOK_FAILED: Name.HOOK,
    ErrorCode.UNSAFE_CACHE: Name.ANSWER, ErrorCode.RESPONSE_TOO_LARGE: Name.ANSWER,
    ErrorCode.REPLAYED_DPOP_PROOF: Name.ANSWER, ErrorCode.REPLAY_STORE_UNAVAILABLE: Name.ANSWER,
}  # fmt: skip


def look(event: object, watched: WatchedFunction) -> Seen:
    """Read an event as the function does, up to the step that fails."""
    request = bearer = token = None
    location = ""
    try:
        request = read_event(event)
        bearer = bearer_token(request, watched.authorizer.token_sources)
        location = _location(request, watched)
        token = parse(bearer)
    except AuthorizerError:
        introspection = watched.authorizer.introspection
        if introspection is None or bearer is None or is_jwt(bearer):
            return Seen(request, bearer, location)
        claims = watched.introspected[-1] if watched.introspected else None
        return Seen(request, bearer, location, claims=claims, issuer=introspection.issuer)
    core = watched.authorizer
    try:
        issuer = find_issuer(token, core.issuers, core.tenants, watched.now)
    except AuthorizerError:
        return Seen(request, bearer, location, token, token.claims)
    # If all tenants have the same keys, these are listed under the issuer's name in the settings.
    keys = watched.keys.get(issuer.name) or (issuer.tenant and watched.keys.get(issuer.tenant.configured_issuer))
    return Seen(request, bearer, location, token, token.claims, issuer, keys or None)


def _location(request: Request, watched: WatchedFunction) -> str:
    for source in watched.authorizer.token_sources:
        try:
            bearer_token(request, (source,))
        except AuthorizerError:
            continue
        return "authorizationToken" if request.token_field is not None else f"{source.location}:{source.name}"
    return ""


def ended_at(outcome: Outcome, seen: Seen) -> Name | None:
    """Return the step that failed, if any."""
    reason = outcome.reason
    if reason is None:
        return None
    if reason is ErrorCode.MALFORMED_TOKEN:
        return Name.TOKEN if seen.bearer is None else Name.HEADER
    if reason is ErrorCode.INTERNAL_ERROR:
        return Name.ANSWER
    if reason in (ErrorCode.INACTIVE_TOKEN, ErrorCode.INTROSPECTION_UNAVAILABLE) and seen.token is None:
        return Name.HEADER
    return _ENDS_AT.get(reason, Name.CLAIMS)


def describe_steps(outcome: Outcome, seen: Seen, watched: WatchedFunction) -> tuple[Step, ...]:
    """Describe each step. Those after the one that failed were not reached."""
    end = ended_at(outcome, seen)
    order = [name for name in Name if name is not Name.HOOK or watched.settings.hook is not None]
    last = len(order) if end is None else order.index(end)
    steps: list[Step] = []
    for position, (name, (saw, said)) in enumerate(zip(order, _words(outcome, seen, watched), strict=True)):
        if position < last:
            steps.append(Step(name, Passing.PASSED, saw, said))
        elif position == last:
            steps.append(Step(name, Passing.FAILED, saw, outcome.detail or _denial(outcome)))
        elif (
            name is Name.HOOK and outcome.hook is not None
        ):  # it was called for the other routes that the policy allows
            steps.append(Step(name, Passing.PASSED, saw, said))
        elif name is Name.ANSWER and outcome.result == "deny":
            steps.append(Step(name, Passing.PASSED, saw, "a deny"))
        else:
            steps.append(Step(name, Passing.NOT_REACHED, "", ""))
    return tuple(steps)


def _denial(outcome: Outcome) -> str:
    decision = outcome.decision
    if not isinstance(decision, Deny):
        return str(outcome.reason)
    if outcome.hook is not None and outcome.hook.refused is not None:
        return f"{decision.reason}: {outcome.hook.refused}"
    needed = f", which needs {' '.join(decision.scopes)}" if decision.scopes else ""
    return f"{decision.reason}: {decision.route or 'this request'}{needed}"


def _words(outcome: Outcome, seen: Seen, watched: WatchedFunction) -> Iterator[tuple[str, str]]:
    """Yield the input of each step, in order, and its result if it passes."""
    request, token = seen.request, seen.token
    by_field = request is not None and request.kind is EventKind.APPSYNC
    asked = "" if request is None else f"{request.kind}: {request.method} {request.path}"
    if request is not None and by_field:
        asked = f"{request.kind}: a query to {request.stage.api_id}"
    matched = f", matched {request.route_key}" if request is not None and request.route_key else ""
    yield shortened(asked + matched, 200), "a request of AppSync" if by_field else "a request of API Gateway"
    yield seen.location, "" if seen.bearer is None else f"{len(seen.bearer.text)} characters"
    principal = outcome.principal
    if token is None and seen.issuer is not None:
        yield "not a JWT", f"{seen.issuer.name} was asked about it (introspection)"
        yield from [("", "checked by the issuer")] * 4
    else:
        yield _header(token), "a signed JWT"
        claimed = "" if token is None else shortened(str(token.claims.get("iss", "no iss")))
        yield claimed, "one of the settings' issuers"
        accepted = "" if seen.issuer is None else ", ".join(sorted(seen.issuer.algorithms))
        yield _header(token), f"accepted: {accepted}"
        yield _key(seen.keys, watched.now)
        yield _header(token), "verifies with the issuer's key"
    claims = seen.claims
    names = "" if claims is None else f"{len(claims)} claims"
    yield names, "" if principal is None else f"the principal is {shortened(principal.id)}"
    bound = claims is not None and "cnf" in claims
    yield "a cnf" if bound else "no cnf", _binding(bound=bound, checked=watched.settings.bound_tokens.checked)
    decision = outcome.decision
    route = None if decision is None else decision.route
    without = "allowed, except for the denied fields" if by_field else "allowed: there are no rules by route"
    yield shortened(asked, 200), f"allowed by {route}" if route else without
    if watched.settings.hook is not None:
        yield watched.settings.hook, _hook(outcome)
    yield "", "an answer"


def _binding(*, bound: bool, checked: frozenset[str]) -> str:
    if not bound:
        return "the token is not bound"
    return "the sender has the key or certificate" if checked else "not checked: JWT_BOUND_TOKENS=ignore"


def _hook(outcome: Outcome) -> str:
    if outcome.hook is None:
        return "not called: the answer allows nothing"
    added = ", ".join(shortened(key) for key in outcome.hook.context)
    return f"{outcome.hook.milliseconds:.0f} ms, " + (f"added {added}" if added else "added nothing")


def _header(token: UnverifiedToken | None) -> str:
    if token is None:
        return ""
    members = (("alg", token.alg), ("kid", token.kid), ("typ", token.typ))
    return ", ".join(f"{name} {shortened(value)}" for name, value in members if value is not None)


def _key(keys: WatchedKeys | None, now: float) -> tuple[str, str]:
    """Describe the location and the age of the keys, and which of them may have signed the token."""
    if keys is None:
        return "", ""
    where = keys.locations[-1] if keys.locations else "not fetched"
    saw = f"{where}, {keys.seconds * 1000:.0f} ms"
    fetched = keys.fetched
    if fetched is not None:
        age = "fresh" if fetched.as_of is None else f"a copy {max(0.0, now - fetched.as_of):.0f} s old"
        count = len(fetched.value.keys)
        saw += f", {count} {'key' if count == 1 else 'keys'}, {age}"
    found = ", ".join(f"{shortened(key.kid or 'a key without kid')}" for key in keys.candidates_found)
    return saw, f"found {found}"
