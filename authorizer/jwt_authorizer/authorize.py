"""The whole of it, in one sentence.

An **event** becomes a **request**; its **bearer token** is parsed, still untrusted; a **key** for it is
found; its **signature** is checked; its **claims** are checked and become a **principal**; the **rules**
turn principal and route into a **decision**; the decision becomes the **answer** that this kind of event
expects.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jwt_authorizer.answers import (
    AnswerSettings,
    cache_warning,
    check_route_key,
    check_simple_cache,
    iam_policy,
    is_simple,
    simple_response,
)
from jwt_authorizer.claims import VerifiedToken, check_claims, check_time, has_expired
from jwt_authorizer.errors import AuthorizerError, Reason, TokenError
from jwt_authorizer.events import read_event
from jwt_authorizer.keys import check_signature
from jwt_authorizer.records import dataclass
from jwt_authorizer.rules import Allow, Deny
from jwt_authorizer.token_cache import Remembered
from jwt_authorizer.tokens import bearer_token, parse, token_type

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jwt_authorizer.claims import ClaimRules, Principal
    from jwt_authorizer.events import Request
    from jwt_authorizer.keys import Key, KeySource
    from jwt_authorizer.policies import Policies
    from jwt_authorizer.rules import Rules
    from jwt_authorizer.token_cache import TokenCache
    from jwt_authorizer.tokens import BearerToken, TokenSource, UnverifiedToken


@dataclass(frozen=True, slots=True)
class Issuer:
    """One issuer: its exact ``iss``, what its tokens have to be, and where its keys come from."""

    name: str
    algorithms: frozenset[str]
    token_types: frozenset[str]
    claim_rules: ClaimRules
    keys: KeySource


@dataclass(frozen=True, slots=True)
class Authorizer:
    """Everything a decision needs besides the event and the time."""

    issuers: Mapping[str, Issuer]
    token_sources: tuple[TokenSource, ...]
    token_cache: TokenCache
    rules: Rules
    policies: Policies
    answers: AnswerSettings


@dataclass(slots=True)
class Findings:
    """What has been found out so far, for the log line: it is filled as far as a request gets."""

    request: Request | None = None
    issuer: str | None = None
    alg: str | None = None
    kid: str | None = None
    token_cache: str | None = None
    principal: Principal | None = None
    decision: Allow | Deny | None = None
    warnings: tuple[str, ...] = ()


def authorize(event: object, authorizer: Authorizer, now: float, findings: Findings) -> dict[str, object]:
    """Answer an event at ``now`` (Unix time in seconds).

    Raises :class:`TokenError` where the token is missing or bad, and
    :class:`authorizer.errors.DecisionError` where that cannot be told.
    """
    request = findings.request = read_event(event)
    principal = findings.principal = authenticate(request, authorizer, now, findings)
    decision = findings.decision = _decide(principal, request, authorizer)
    if is_simple(request, authorizer.answers):
        check_simple_cache(request, authorizer.answers, routes_configured=authorizer.rules.configured)
        one_answer = authorizer.policies.one_answer(principal, decision, request)
        check_route_key(request, authorizer.answers, one_answer=one_answer)
        return simple_response(principal, decision, authorizer.answers)
    compiled = authorizer.policies.compile(principal, decision, request, authorizer.answers.cached_by)
    if compiled.warnings:
        findings.warnings += compiled.warnings
    if compiled.left_out:
        findings.warnings += (_no_room_for(compiled.left_out),)
    return iam_policy(request, principal, decision, compiled.statements, authorizer.answers)


def _decide(principal: Principal, request: Request, authorizer: Authorizer) -> Allow | Deny:
    """Ask the rules, by the path and by what API Gateway matched.

    A path that is not in normal form is refused where nothing of the matched route is allowed: then API Gateway has
    brought it there, and read another one.
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


def _no_room_for(routes: tuple[str, ...]) -> str:
    """Say what a policy had to leave out, with a few examples: a line of the log has its limits too."""
    return (
        f"the policy has no room for {len(routes)} routes that the rules allow, such as {', '.join(routes[:3])}: while "
        "it is cached they are refused. Set JWT_CACHED_BY=route, and add the route to the API's identity sources"
    )


def authenticate(request: Request, authorizer: Authorizer, now: float, findings: Findings) -> Principal:
    """Find out who asks. Raises as :func:`authorize` does."""
    bearer = bearer_token(request, authorizer.token_sources)
    configured = authorizer.rules.configured
    warning = cache_warning(request, bearer.text, authorizer.answers, routes_configured=configured)
    if warning is not None:
        findings.warnings = (warning,)
    remembered = authorizer.token_cache.get(bearer)
    if remembered is not None and _still_good(bearer, remembered, authorizer, now, findings):
        return remembered.principal
    findings.token_cache = "miss"
    token = parse(bearer)
    findings.alg, findings.kid = token.alg, token.kid
    issuer = _issuer_of(token, authorizer.issuers)
    findings.issuer = issuer.name
    _check_header(token, issuer)
    check_signature(token, _candidates(token, issuer, now))
    verified = VerifiedToken(issuer.name, token.claims, token.payload)
    principal = check_claims(verified, issuer.claim_rules, now)
    generation = issuer.keys.generation(now)
    authorizer.token_cache.put(bearer, Remembered(principal, generation, token.alg, token.kid))
    return principal


def _still_good(
    bearer: BearerToken, remembered: Remembered, authorizer: Authorizer, now: float, findings: Findings
) -> bool:
    """Check anew what may have changed since a token was verified: the time, and the issuer's keys."""
    principal = remembered.principal
    findings.token_cache = "hit"
    findings.issuer, findings.alg, findings.kid = principal.issuer, remembered.alg, remembered.kid
    try:
        check_time(principal.not_before, principal.valid_until, now)
    except TokenError:
        authorizer.token_cache.forget(bearer)
        raise
    return authorizer.issuers[principal.issuer].keys.generation(now) == remembered.generation


def _issuer_of(token: UnverifiedToken, issuers: Mapping[str, Issuer]) -> Issuer:
    """Choose whose keys and rules the token is held against; only that issuer's keys can then verify it."""
    name = token.claims.get("iss")
    issuer = issuers.get(name) if isinstance(name, str) else None
    if issuer is None:
        expected = ", ".join(issuers)
        raise TokenError(Reason.UNKNOWN_ISSUER, f"the token's iss is not exactly one of: {expected}")
    return issuer


def _check_header(token: UnverifiedToken, issuer: Issuer) -> None:
    if token.alg not in issuer.algorithms:
        accepted = ", ".join(sorted(issuer.algorithms))
        raise TokenError(Reason.UNSUPPORTED_ALGORITHM, f"the token's alg is not one of: {accepted}")
    if issuer.token_types and (token.typ is None or token_type(token.typ) not in issuer.token_types):
        accepted = ", ".join(sorted(issuer.token_types))
        raise TokenError(Reason.UNSUPPORTED_TOKEN_TYPE, f"the token's typ is not one of: {accepted}")


def _candidates(token: UnverifiedToken, issuer: Issuer, now: float) -> tuple[Key, ...]:
    """Ask for the token's keys. One that is over by its own word needs none to be refused."""
    try:
        return issuer.keys.candidates(token.alg, token.kid, now)
    except AuthorizerError:
        if has_expired(token, issuer.claim_rules, now):
            raise TokenError(Reason.TOKEN_EXPIRED, "the token has expired, and its key is not at hand") from None
        raise
