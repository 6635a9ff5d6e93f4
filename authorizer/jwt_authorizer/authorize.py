"""How a request becomes an answer. Start reading here.

An **event** becomes a **request**; its **bearer token** is parsed, still untrusted; a **key** for it is
found; its **signature** is checked; its **claims** are checked and become a **principal**; the **rules**
turn principal and route into a **decision**; the decision becomes the **answer** that this kind of event
expects.

:func:`authorize` is that sentence. The order of its steps is a matter of security, so a further check belongs to the
step that it follows:

- about the token's text (a token that is not a JWT): beside :func:`parse`;
- about which issuer is trusted (tenants): in ``find_issuer``;
- about who sends a token (its binding), or what may change while a token is remembered (its revocation): after the
  principal is known, so that remembered tokens are checked too;
- what may deny a request that the rules allow (a hook): after the policy, so that it is not called if the answer allows
  nothing;
- what has an effect (recording a DPoP proof as used): last, after the answer has been formatted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from jwt_authorizer.answers import AnswerSettings, format_answer, rejection
from jwt_authorizer.authenticate import (
    find_issuer,
    introspect,
    introspect_jwt,
    is_still_valid,
    reject_bound_tokens,
    verify_jwt,
)
from jwt_authorizer.cached_decisions import allows_anything, cache_warnings, compile_policy, decide, policy_warnings
from jwt_authorizer.errors import DecisionError, ErrorCode, TokenError, unexpected_error
from jwt_authorizer.events import read_event
from jwt_authorizer.policies import DENY_EVERYTHING
from jwt_authorizer.records import dataclass, field, request_dataclass
from jwt_authorizer.rules import Allow, Deny
from jwt_authorizer.tokens import bearer_token, is_jwt, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from jwt_authorizer.authenticate import FindIssuer, Introspection, Issuer
    from jwt_authorizer.binding.bound_tokens import CheckBinding
    from jwt_authorizer.claims import Principal
    from jwt_authorizer.events import Request
    from jwt_authorizer.hooks import HookAnswer
    from jwt_authorizer.policies import Policies
    from jwt_authorizer.rules import Rules
    from jwt_authorizer.token_cache import Remembered, TokenCache
    from jwt_authorizer.tokens import TokenSource

    Answer = dict[str, object]
    CheckRevocation = Callable[[Principal, float], None]
    Hook = Callable[[Principal, Request], HookAnswer]
    # deny: the token is good, its rights are not enough (403). reject: it is missing or bad (401). error: 500.
    Result = Literal["allow", "deny", "reject", "error"]


@dataclass(frozen=True, slots=True)
class Authorizer:
    """Everything that a decision needs, apart from the event and the time.

    ``check_binding`` raises if a bound token's sender does not have the key that it is bound to. If there is a DPoP
    proof, it returns a function that records the proof as used. ``check_revocation`` raises for a revoked token.
    ``hook`` calls the user's own check.
    """

    issuers: Mapping[str, Issuer]
    token_sources: tuple[TokenSource, ...]
    token_cache: TokenCache[Remembered]
    rules: Rules
    policies: Policies
    answers: AnswerSettings
    check_binding: CheckBinding = reject_bound_tokens
    introspection: Introspection | None = None
    check_revocation: CheckRevocation | None = None
    tenants: Mapping[str, FindIssuer] = field(default_factory=dict)
    hook: Hook | None = None


@request_dataclass(frozen=True, slots=True)
class Outcome:
    """The result for one event, and what the log line shows of the way to it.

    The log and the metrics call ``result`` the decision. ``decision`` is only what the rules said: it may be an Allow
    although a later step rejected the request. ``answer`` is what API Gateway gets; ``None`` if the function has to
    raise an error instead. ``reason`` is ``None`` with ``allow`` only. ``detail`` is a sentence for the log. The
    results of steps that were not reached are ``None``.
    """

    result: Result
    reason: ErrorCode | None
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
    hook: HookAnswer | None = None


def authorize(event: object, authorizer: Authorizer, now: float) -> Outcome:  # noqa: C901, PLR0915 - one sentence
    """Decide about an event at ``now`` (Unix time in seconds).

    Raises nothing: an error is an outcome that allows nothing.
    """
    result: Result
    reason: ErrorCode | None
    request: Request | None = None
    issuer = alg = kid = detail = None
    token_cache: Literal["hit", "miss"] | None = None
    principal: Principal | None = None
    decision: Allow | Deny | None = None
    answer: Answer | None = None
    warnings: tuple[str, ...] = ()
    hook: HookAnswer | None = None
    try:
        request = read_event(event)
        bearer = bearer_token(request, authorizer.token_sources)
        warnings = cache_warnings(
            request, bearer.text, authorizer.answers, routes_configured=authorizer.rules.configured
        )
        remembered = authorizer.token_cache.get(bearer)
        if remembered is not None and is_still_valid(remembered, now):  # which fetches keys if that is due
            token_cache = "hit"
            principal, alg, kid = remembered.principal, remembered.alg, remembered.kid
            issuer = principal.issuer
        elif authorizer.introspection is not None and not is_jwt(bearer):
            token_cache, issuer = "miss", authorizer.introspection.issuer.name  # the introspector has its own cache
            principal = introspect(bearer, authorizer.introspection, now)
        else:
            token_cache = "miss"
            token = parse(bearer)
            alg, kid = token.alg, token.kid
            trusted = find_issuer(token, authorizer.issuers, authorizer.tenants, now)
            issuer = trusted.name
            verified = verify_jwt(token, trusted, now)
            authorizer.token_cache.put(bearer, verified)
            principal = verified.principal
        record_proof = authorizer.check_binding(request, bearer, principal.claims, now)
        # What may have changed since the token was issued, also if it is remembered.
        if authorizer.introspection is not None and authorizer.introspection.always:
            introspect_jwt(bearer, principal, authorizer.introspection, now)
        if authorizer.check_revocation is not None:
            authorizer.check_revocation(principal, now)
        rules, policies, answers = authorizer.rules, authorizer.policies, authorizer.answers
        decision = decide(principal, request, rules, policies)
        policy = compile_policy(principal, decision, request, rules, policies, answers)
        warnings += policy_warnings(policy, answers.cached_by)
        if authorizer.hook is not None and allows_anything(decision, policy):
            hook = authorizer.hook(principal, request)
            if hook.refused is not None:
                decision = Deny(ErrorCode.REFUSED_BY_HOOK)
                policy = None if policy is None else DENY_EVERYTHING
        extra_context = hook.context if hook else {}
        formatted = format_answer(request, principal, decision, policy, answers, extra_context, now)
        if record_proof is not None and isinstance(decision, Allow):  # the proof of a denied request can be used again
            record_proof()
        answer = formatted  # only now: an answer is sent even if an error follows, and recording may fail
        result, reason = "allow", None
        if isinstance(decision, Deny):
            result, reason, detail = "deny", decision.reason, decision.detail
    except TokenError as error:
        result, reason, detail = "reject", error.code, error.detail
        answer = None if request is None else rejection(request, reason, authorizer.answers)
    except DecisionError as error:
        result, reason, detail = "error", error.code, error.detail
    except Exception as error:  # noqa: BLE001 - the last line of defense: whatever it is, it is not an Allow
        result, reason, detail = "error", ErrorCode.INTERNAL_ERROR, unexpected_error(error)
    return Outcome(
        result, reason, detail, answer, request, issuer, alg, kid, token_cache, principal, decision, warnings, hook
    )
