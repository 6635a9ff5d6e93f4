"""How a request becomes an answer. Start reading here.

An **event** becomes a **request**; its **bearer token** is parsed, still untrusted; a **key** for it is
found; its **signature** is checked; its **claims** are checked and become a **principal**; the **rules**
turn principal and route into a **decision**; the decision becomes the **answer** that this kind of event
expects.

:func:`authorize` is that sentence. The order of its steps is a matter of security, so a further check belongs to the
step that it follows: one about the token's text (a token that is not a JWT) beside :func:`parse`; one about which
issuer (tenants) in :func:`_issuer_of`; one about who sends a token (its binding), and one that may change while a
token is remembered (its revocation), after the principal is known, so that remembered tokens are checked too; one
that may refuse what the rules allow (a hook) in :func:`_answer`, where it is known whether the answer grants anything;
and one that uses something up (a proof) last, after the answer has been made.
"""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, Literal

from jwt_authorizer.answers import (
    AnswerSettings,
    cache_warning,
    check_route_key,
    check_simple_cache,
    iam_policy,
    is_simple,
    refused_token,
    simple_response,
)
from jwt_authorizer.claims import VerifiedToken, check_claims, has_expired
from jwt_authorizer.errors import AuthorizerError, DecisionError, Reason, TokenError
from jwt_authorizer.events import read_event
from jwt_authorizer.keys import check_signature
from jwt_authorizer.records import dataclass, field, unguarded
from jwt_authorizer.rules import Allow, Deny
from jwt_authorizer.token_cache import Remembered
from jwt_authorizer.tokens import Scheme, bearer_token, parse, token_type

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from jwt_authorizer.binding.bound_tokens import CheckBinding
    from jwt_authorizer.claims import ClaimRules, Principal
    from jwt_authorizer.events import Request
    from jwt_authorizer.keys import Key, KeySource
    from jwt_authorizer.policies import Policies
    from jwt_authorizer.rules import Rules
    from jwt_authorizer.token_cache import TokenCache
    from jwt_authorizer.tokens import BearerToken, TokenSource, UnverifiedToken

type Answer = dict[str, object]
type Result = Literal["allow", "deny", "reject", "error"]
"""``deny``: the token is good, its rights are not (403). ``reject``: it is missing or bad (401). ``error``: 500."""

_NAMED = 5
"""Values of a setting that a message lists at most."""


@dataclass(frozen=True, slots=True)
class Issuer:
    """One issuer: its exact ``iss``, what its tokens have to be, and where its keys come from."""

    name: str
    algorithms: frozenset[str]
    token_types: frozenset[str]
    claim_rules: ClaimRules
    keys: KeySource


def refuse_bound(_request: Request, bearer: BearerToken, claims: Mapping[str, object], _now: float) -> None:
    """Refuse a token that is bound (RFC 7800): nothing here checks whether its sender holds what it is bound to."""
    if "cnf" in claims:
        detail = "the token is bound (it has a cnf), and JWT_BOUND_TOKENS does not say that dpop or mtls is checked"
        raise TokenError(Reason.UNSUPPORTED_BINDING, detail)
    ignore_binding(_request, bearer, claims, _now)


def ignore_binding(_request: Request, bearer: BearerToken, claims: Mapping[str, object], _now: float) -> None:
    """Take a bound token as a bearer token. The scheme DPoP is for bound tokens only (RFC 9449 section 7.1)."""
    if bearer.scheme is Scheme.DPOP and "cnf" not in claims:
        raise TokenError(Reason.UNBOUND_TOKEN, "the token was sent as DPoP, and is not bound: send it as Bearer")


@dataclass(frozen=True, slots=True)
class Authorizer:
    """Everything that a decision needs, apart from the event and the time."""

    issuers: Mapping[str, Issuer]
    token_sources: tuple[TokenSource, ...]
    token_cache: TokenCache
    rules: Rules
    policies: Policies
    answers: AnswerSettings
    check_binding: CheckBinding = refuse_bound


@unguarded(frozen=True, slots=True)
class Outcome:
    """What was decided about one event, and what was found out on the way, for the log line.

    ``answer`` is what API Gateway gets; ``None`` if the function has to raise an error instead. ``reason`` is ``None``
    with ``allow`` only. ``detail`` is a sentence for the log. What was not reached is ``None``.
    """

    result: Result
    reason: Reason | None
    detail: str | None = None
    answer: Answer | None = field(default=None, repr=False)
    request: Request | None = None
    issuer: str | None = None
    alg: str | None = None
    kid: str | None = None
    token_cache: Literal["hit", "miss"] | None = None
    principal: Principal | None = None
    decision: Allow | Deny | None = None
    warnings: tuple[str, ...] = ()


def authorize(event: object, authorizer: Authorizer, now: float) -> Outcome:
    """Decide about an event at ``now`` (Unix time in seconds).

    It raises nothing: whatever goes wrong is an outcome that grants nothing.
    """
    result: Result
    reason: Reason | None
    request: Request | None = None
    issuer = alg = kid = detail = None
    token_cache: Literal["hit", "miss"] | None = None
    principal: Principal | None = None
    decision: Allow | Deny | None = None
    answer: Answer | None = None
    warnings: tuple[str, ...] = ()
    try:
        request = read_event(event)
        bearer = bearer_token(request, authorizer.token_sources)
        configured = authorizer.rules.configured
        warning = cache_warning(request, bearer.text, authorizer.answers, routes_configured=configured)
        warnings = () if warning is None else (warning,)
        known = authorizer.token_cache.get(bearer)
        if known is not None and _is_still_good(known, now):
            token_cache = "hit"
            issuer, alg, kid = known.principal.issuer, known.alg, known.kid
        else:
            token_cache = "miss"
            token = parse(bearer)
            alg, kid = token.alg, token.kid
            trusted = _issuer_of(token, authorizer.issuers)
            issuer = trusted.name
            known = _verify(token, trusted, now)
            authorizer.token_cache.put(bearer, known)
        principal = known.principal
        record_proof = authorizer.check_binding(request, bearer, principal.claims, now)
        decision = _decide(principal, request, authorizer)
        made, more = _answer(principal, decision, request, authorizer)
        warnings += more
        if record_proof is not None and isinstance(decision, Allow):
            record_proof()
        answer = made
        result, reason = "allow", None
        if isinstance(decision, Deny):
            result, reason, detail = "deny", decision.reason, decision.detail
    except TokenError as error:
        result, reason, detail = "reject", error.code, error.detail
        answer = None if request is None else refused_token(request, reason, authorizer.answers)
    except DecisionError as error:
        result, reason, detail = "error", error.code, error.detail
    except Exception as error:  # noqa: BLE001 - the last line of defence: whatever it is, it is not an Allow
        result, reason, detail = "error", Reason.INTERNAL_ERROR, _location(error)
    return Outcome(
        result, reason, detail, answer, request, issuer, alg, kid, token_cache, principal, decision, warnings
    )


def _is_still_good(known: Remembered, now: float) -> bool:
    """Check again what may have changed since a token was verified: the time, and the issuer's keys.

    If it returns false, the token is verified again from the start, which finds the reason to refuse it.
    """
    principal = known.principal
    return principal.not_before <= now < principal.valid_until and known.keys.generation(now) == known.generation


def _issuer_of(token: UnverifiedToken, issuers: Mapping[str, Issuer]) -> Issuer:
    """Choose whose keys and rules the token is checked against; only that issuer's keys can then verify it."""
    name = token.claims.get("iss")
    issuer = issuers.get(name) if isinstance(name, str) else None
    if issuer is None:
        raise TokenError(Reason.UNKNOWN_ISSUER, f"the token's iss is not exactly one of: {_listed(issuers)}")
    return issuer


def _verify(token: UnverifiedToken, issuer: Issuer, now: float) -> Remembered:
    """Check everything that the token and its issuer's settings and keys decide between them."""
    if token.alg not in issuer.algorithms:
        accepted = ", ".join(sorted(issuer.algorithms))
        raise TokenError(Reason.UNSUPPORTED_ALGORITHM, f"the token's alg is not one of: {accepted}")
    if issuer.token_types and (token.typ is None or token_type(token.typ) not in issuer.token_types):
        raise TokenError(Reason.UNSUPPORTED_TOKEN_TYPE, f"the token's typ is not one of: {_listed(issuer.token_types)}")
    keys = issuer.keys.holder(check_signature(token, _candidates(token, issuer, now)))
    verified = VerifiedToken(issuer.name, token.claims, token.payload)
    principal = check_claims(verified, issuer.claim_rules, now)
    return Remembered(principal, keys, keys.generation(now), token.alg, token.kid)


def _candidates(token: UnverifiedToken, issuer: Issuer, now: float) -> Iterable[Key]:
    """Find the keys that may have signed the token.

    If there are none and the token itself says that it has expired, reject it as expired.
    """
    try:
        return issuer.keys.candidates(token.alg, token.kid, now)
    except AuthorizerError:
        if has_expired(token, issuer.claim_rules, now):
            raise TokenError(Reason.TOKEN_EXPIRED, "the token has expired, and its key is not available") from None
        raise


def _decide(principal: Principal, request: Request, authorizer: Authorizer) -> Allow | Deny:
    """Ask the rules, by the path and by the route that API Gateway matched.

    A path that is not in normal form is refused if nothing of the matched route is allowed: then API Gateway has
    normalized the path, and read another one.
    """
    if not authorizer.rules.configured:
        return authorizer.rules.decide(principal, request.method, request.path)
    decision = authorizer.rules.decide(principal, request.method, request.path, request.matched)
    if (
        isinstance(decision, Allow)
        and request.has_odd_path
        and not authorizer.policies.may_be_allowed(principal, request)
    ):
        return Deny(Reason.ROUTE_NOT_LISTED)
    return decision


def _answer(
    principal: Principal, decision: Allow | Deny, request: Request, authorizer: Authorizer
) -> tuple[Answer, tuple[str, ...]]:
    """Make the answer, and the warnings about it. Raise :class:`DecisionError` where no answer would be safe."""
    settings, policies = authorizer.answers, authorizer.policies
    if is_simple(request, settings):
        check_simple_cache(request, settings, routes_configured=authorizer.rules.configured)
        check_route_key(request, settings, one_answer=policies.one_answer(principal, decision, request))
        return simple_response(principal, decision, settings), ()
    compiled = policies.compile(principal, decision, request, settings.cached_by)
    warnings = compiled.warnings
    if compiled.left_out:
        warnings += (_no_room_for(compiled.left_out),)
    return iam_policy(request, principal, decision, compiled.statements, settings), warnings


def _no_room_for(routes: tuple[str, ...]) -> str:
    """Report what a policy had to leave out, with a few examples."""
    return (
        f"the policy has no room for {len(routes)} routes that the rules allow, such as {', '.join(routes[:3])}: while "
        "it is cached they are refused. Set JWT_CACHED_BY=route, and add the route to the API's identity sources"
    )


def _listed(values: Iterable[str]) -> str:
    """List the first values of a setting, which may have hundreds."""
    ordered = list(values)
    more = f" and {len(ordered) - _NAMED} more" if len(ordered) > _NAMED else ""
    return ", ".join(ordered[:_NAMED]) + more


def _location(error: BaseException) -> str:
    """Name an unexpected error and where it was raised. Its message may hold untrusted input, so it stays out."""
    frames = traceback.extract_tb(error.__traceback__)[-3:]
    places = " < ".join(
        f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in reversed(frames)
    )
    return f"unexpected {type(error).__name__} at {places}"
