"""For each route: whether the rules allow a principal, and whether a cached copy of the answer would."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from jwt_authorizer.answers import CachedBy
from jwt_authorizer.events import EventKind
from jwt_authorizer.rules import Deny
from jwt_authorizer.rules.model import CONNECT
from jwt_authorizer_devkit.explaining.events import sample_method, sample_path
from jwt_authorizer_devkit.explaining.resources import compile_patterns

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from jwt_authorizer.authorize import Authorizer
    from jwt_authorizer.claims import Principal
    from jwt_authorizer.events import Request
    from jwt_authorizer.rules import Allow


class Copy(StrEnum):
    """What API Gateway does with a request while it has a copy of this answer."""

    SERVES = "serves"
    """The copy allows the request."""
    REFUSES = "refuses"
    """The copy denies the request: 403."""
    ASKS = "asks anew"
    """The copy is not used for the request: the function is invoked."""


@dataclass(frozen=True, slots=True)
class RouteResult:
    """One route: what the token may do there, and what a cached copy of the answer does."""

    route: str
    sample: str
    allowed: bool
    reason: str | None
    needs: tuple[str, ...]
    copy: Copy
    decided: bool
    """Whether this route's rule decided the request."""


def check_routes(
    principal: Principal,
    request: Request,
    authorizer: Authorizer,
    decision: Allow | Deny | None,
    answer: Mapping[str, object] | None,
) -> tuple[RouteResult, ...]:
    """For a sample request of each route, return the rules' decision and that of the answer's policy."""
    decided = None if decision is None else decision.route
    return tuple(
        _result(principal, request, authorizer, answer, asked, decided=asked[0] == decided)
        for asked in _asked(authorizer, request)
    )


def _asked(authorizer: Authorizer, request: Request) -> Iterator[tuple[str, str, str]]:
    """Yield each route, with the method and path of a sample request."""
    rules = authorizer.rules
    if request.kind is EventKind.WEBSOCKET:
        if rules.connect is not None:
            yield CONNECT, CONNECT, CONNECT
        return
    for resource in rules.resources:
        path = sample_path(rules, resource)
        for listed in resource.methods:
            yield resource.route(listed), sample_method(resource, listed), path


def _result(  # noqa: PLR0913 - the parts of one row
    principal: Principal,
    request: Request,
    authorizer: Authorizer,
    answer: Mapping[str, object] | None,
    asked: tuple[str, str, str],
    *,
    decided: bool,
) -> RouteResult:
    route, method, path = asked
    decision = authorizer.rules.decide(principal, method, path)
    denied = decision if isinstance(decision, Deny) else None
    return RouteResult(
        route=route,
        sample=method if method == CONNECT else f"{method} {path}",
        allowed=denied is None,
        reason=None if denied is None else str(denied.reason),
        needs=() if denied is None else denied.scopes,
        copy=_copy(request, authorizer, answer, method if method == CONNECT else method + path, decided=decided),
        decided=decided,
    )


def _copy(
    request: Request, authorizer: Authorizer, answer: Mapping[str, object] | None, text: str, *, decided: bool
) -> Copy:
    cached_by = authorizer.answers.cached_by
    if answer is None or cached_by is CachedBy.NOTHING:
        return Copy.ASKS
    if "isAuthorized" in answer:
        # The function returns simple responses only if the API's cache is keyed by the route.
        return Copy.ASKS if not decided else Copy.SERVES if answer["isAuthorized"] is True else Copy.REFUSES
    if cached_by is CachedBy.ROUTE and not decided:
        return Copy.ASKS
    return Copy.SERVES if permits(answer, request.stage.prefix + text) else Copy.REFUSES


def permits(answer: Mapping[str, object], arn: str) -> bool:
    """Evaluate an answer's policy for one ARN, as IAM does: an Allow matches it, and no Deny does."""
    document = answer.get("policyDocument")
    statements = document.get("Statement") if isinstance(document, dict) else None
    covered = {"Allow": False, "Deny": False}
    for statement in statements if isinstance(statements, list) else []:
        if compile_patterns(statement["Resource"]).match(arn) is not None:
            covered[statement["Effect"]] = True
    return covered["Allow"] and not covered["Deny"]
