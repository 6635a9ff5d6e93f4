"""Check rules for overlaps that policies cannot express, and for routes that cached policies leave out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from jwt_authorizer.events import EventKind, Request
from jwt_authorizer.method_arn import read_method_arn
from jwt_authorizer.policies import policies_for
from jwt_authorizer.rules.model import CONNECT
from jwt_authorizer_devkit.explaining.events import sample_method, sample_path
from jwt_authorizer_devkit.routes.overlaps import describe_overlaps
from jwt_authorizer_devkit.routes.principals import typical_principals

if TYPE_CHECKING:
    from jwt_authorizer.settings import Settings

_PREFIX = "arn:aws:execute-api:eu-west-1:123456789012:abcdef1234/prod/"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Routes that a kind of token may use, but that its policy leaves out if it is for the request ``after``."""

    token: str
    after: str
    routes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Check:
    """The result of a check. ``routes`` is the number of rules."""

    routes: int
    cached_by: str
    overlaps: tuple[str, ...]
    left_out: tuple[LeftOut, ...]

    @property
    def fine(self) -> bool:
        """Whether nothing was found."""
        return not self.overlaps and not self.left_out


def request_for(method: str, path: str) -> Request:
    """Return the request as a REST API's TOKEN authorizer gets it, with only the method ARN."""
    kind, method = (EventKind.WEBSOCKET, CONNECT) if path == CONNECT else (EventKind.REST_TOKEN, method)
    stage, *_ = read_method_arn(f"{_PREFIX}{method}")
    return Request(kind, stage, method, path, None, None, (), None, {})


def check_rules(settings: Settings, cached_by: str) -> Check:
    """Check rules for an API whose cache is keyed by ``cached_by``."""
    rules, policies = settings.rules, policies_for(settings.rules)
    count = sum(len(resource.methods) for resource in rules.resources) + (rules.connect is not None)
    overlaps = describe_overlaps(rules) if cached_by == "token" else ()
    found: dict[tuple[str, tuple[str, ...]], LeftOut] = {}
    if cached_by == "token":
        for token, principal in typical_principals(settings):
            for resource in rules.resources:
                for listed in resource.methods:
                    method, path = sample_method(resource, listed), sample_path(rules, resource)
                    decision = rules.decide(principal, method, path)
                    compiled = policies.compile(principal, decision, request_for(method, path), cached_by)
                    if compiled.left_out:
                        new = LeftOut(token, resource.route(listed), compiled.left_out)
                        found.setdefault((token, compiled.left_out), new)
    return Check(count, cached_by, overlaps, tuple(found.values()))
