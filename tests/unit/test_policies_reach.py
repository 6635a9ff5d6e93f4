"""How far a cached answer reaches: odd paths, routes for any method, and APIs that are not what the rules promise."""

from __future__ import annotations

from copy import replace
from typing import TYPE_CHECKING

import pytest

from jwt_authorizer.events import EventKind, Request
from jwt_authorizer.method_arn import MethodArn
from jwt_authorizer.policies import policies_for
from jwt_authorizer.policies.compiler import PolicyCompiler
from jwt_authorizer.rules import compile_rules
from tests.factories import Watched, authorizer, rest_request_event, token
from tests.properties.apis import PREFIX, principal
from tests.properties.judge import permits
from tests.unit.policy_lines import ORDERS, asks, compiled, listing, resources

if TYPE_CHECKING:
    from jwt_authorizer.policies import Policy
    from jwt_authorizer.rules import Rules

NO_SLASH = "all routes with variables, where a path has no slash at its end"
TOO_LONG = "the request itself: it is too long for a policy"


def came_by(
    rules: Rules,
    text: str,
    route_key: str | None,
    *scopes: str,
    kind: EventKind = EventKind.HTTP_API_V2,
    cached_by: str = "route",
) -> Policy:
    """Ask by one of the API's own routes."""
    request = replace(asks(text, kind), route_key=route_key)
    who = principal(*scopes)
    decision = rules.decide(who, request.method, request.path, request.matched)
    return policies_for(rules).compile(who, decision, request, cached_by)


# A slash at the end.

SHOP = (*ORDERS, "GET /users/{id}", "GET /")


def test_who_ends_paths_with_a_slash_gets_a_policy_for_such_paths() -> None:
    policy = compiled(listing(*SHOP), "GET /orders/1/")
    for text in ("GET/orders/1/", "GET/orders/2/", "GET/users/7/", "GET/orders/", "GET/orders", "GET/"):
        assert permits(policy, text), text
    for text in ("GET/orders/me/", "GET/orders/me", "GET/orders/1/2/", "GET/orders/1/2", "GET/users/", "GET//", "PUT/"):
        assert not permits(policy, text), text
    assert NO_SLASH in policy.left_out


def test_so_does_who_caches_by_route_where_routes_overlap() -> None:
    rules = listing("GET /a/{x}", "GET /a/{x}/b/{y}")
    policy = compiled(rules, "GET /a/1/", cached_by="route")
    assert permits(policy, "GET/a/2/")
    assert not permits(policy, "GET/a/1/b/2/")
    assert policy.left_out == (NO_SLASH,)


def test_where_no_others_are_lost_a_slash_at_the_end_is_no_matter() -> None:
    for policy in (
        compiled(listing(*SHOP, absent=True), "GET /orders/1/"),
        compiled(listing("GET /files/{p+}"), "GET /files/1/"),
        compiled(listing(*SHOP), "GET /orders/"),
    ):
        assert policy.left_out == ()


def test_what_an_odd_path_costs_is_told() -> None:
    policy = compiled(listing(*SHOP), "GET /orders//1")
    assert not permits(policy, "GET/orders/1")
    assert policy.left_out == ("GET /orders/{id}", "GET /users/{id}")


# Paths that no policy can hold.


@pytest.mark.parametrize("path", ["/files/" + "x/" * 300 + "secret", "/files/" + "x" * 600 + "//y"])
def test_a_request_that_is_too_long_costs_no_other(path: str) -> None:
    rules = listing("GET /files/{p+}", "GET /files/{a}/secret admin", "GET /users")
    policy = compiled(rules, f"GET {path}")
    assert permits(policy, "GET/users")
    assert permits(policy, "GET/files/1")
    assert policy.left_out == (TOO_LONG,)


def test_a_refused_request_that_cannot_be_denied_alone_costs_only_what_would_let_it_pass() -> None:
    rules = listing("GET /orders/{id}", "GET /orders/me admin", "GET /users")
    path = "/orders/m%65*"
    policy = came_by(rules, f"GET {path}", "/orders/me", kind=EventKind.REST_REQUEST, cached_by="token")
    assert not permits(policy, f"GET{path}")
    assert permits(policy, "GET/users")
    assert not permits(policy, "GET/orders/1")
    assert policy.left_out == ("GET /orders/{id}",)


# Caches by route.


@pytest.mark.parametrize(
    ("kind", "route_key", "others"),
    [
        (EventKind.HTTP_API_V2, "ANY /orders/{id}", True),
        (EventKind.HTTP_API_V2, "GET /orders/{id}", False),
        (EventKind.HTTP_API_V1, "/orders/{id}", True),
        (EventKind.REST_REQUEST, "/orders/{id}", False),
    ],
)
@pytest.mark.parametrize("rules", [(), ("GET /orders/{id}", "* /orders/{id}")], ids=["none", "two"])
def test_an_answer_for_a_route_is_for_all_methods_that_the_cache_does_not_tell_apart(
    rules: tuple[str, ...],
    kind: EventKind,
    route_key: str,
    others: bool,  # noqa: FBT001 - pytest's
) -> None:
    policy = came_by(listing(*rules) if rules else compile_rules(None), "GET /orders/1", route_key, kind=kind)
    assert permits(policy, "GET/orders/2")
    assert permits(policy, "POST/orders/2") is others
    assert not permits(policy, "GET/users")


def test_a_catch_all_is_for_all_methods_too() -> None:
    policy = came_by(listing("GET $default", "* $default"), "GET /x", "$default")
    assert permits(policy, "POST/y/z")


def test_a_token_authorizer_s_cache_is_keyed_by_the_token_whatever_the_setting_says() -> None:
    rules = listing("GET /orders", "GET /users", "GET /admin admin")
    arn = MethodArn.parse(f"{PREFIX}GET/admin")
    request = Request(EventKind.REST_TOKEN, arn, "GET", "/admin", None, None, (), "", {})
    decision = rules.decide(principal(), "GET", "/admin")
    policy = PolicyCompiler(rules).compile(principal(), decision, request, "route")
    assert resources(policy) == ("GET/orders", "GET/users")


# The promise that the API has no routes but those listed.


@pytest.mark.parametrize(
    ("kind", "route_key"),
    [
        (EventKind.REST_REQUEST, "/{proxy+}"),
        (EventKind.HTTP_API_V1, "/{proxy+}"),
        (EventKind.HTTP_API_V2, "ANY /{proxy+}"),
        (EventKind.HTTP_API_V2, "ANY /orders/{id}"),
        (EventKind.HTTP_API_V2, "$default"),
    ],
)
@pytest.mark.parametrize("cached_by", ["token", "route"])
def test_a_route_that_no_rule_lists_breaks_the_promise(kind: EventKind, route_key: str, cached_by: str) -> None:
    rules = listing("GET /orders/{id}", absent=True)
    assert permits(came_by(rules, "GET /orders/1", None, cached_by="token"), "GET/orders/1/refund")
    policy = came_by(rules, "GET /orders/1", route_key, kind=kind, cached_by=cached_by)
    assert permits(policy, "GET/orders/2")
    assert not permits(policy, "GET/orders/1/refund")
    (warning,) = policy.warnings
    assert route_key.rpartition(" ")[2] in warning
    assert 'unlisted_routes = "absent"' in warning


@pytest.mark.parametrize(
    ("kind", "route_key"),
    [
        (EventKind.REST_REQUEST, "/orders/{order}"),
        (EventKind.HTTP_API_V1, "/orders/{order}"),
        (EventKind.HTTP_API_V2, "GET /orders/{order}"),
        (EventKind.REST_TOKEN, None),
    ],
)
def test_a_route_that_is_listed_keeps_it(kind: EventKind, route_key: str | None) -> None:
    rules = listing("GET /orders/{id}", absent=True)
    assert came_by(rules, "GET /orders/1", route_key, kind=kind, cached_by="token").warnings == ()


def test_policies_without_the_promise_are_kept_as_others_are() -> None:
    rules = listing("GET /orders/{id}", absent=True)
    request = replace(asks("GET /orders/1"), route_key="/{proxy+}")
    compiler, decision = PolicyCompiler(rules), rules.decide(principal(), "GET", "/orders/1")
    first, second = (compiler.compile(principal(), decision, request, "token") for _ in range(2))
    assert first.statements is second.statements


def test_the_log_says_that_the_promise_is_broken() -> None:
    function = Watched(authorizer(rules=listing("GET /orders/{id}", absent=True)))
    function(rest_request_event(token(), resource="GET/orders/1") | {"resource": "/{proxy+}"})
    (warning,) = function.line["warnings"]
    assert "'/{proxy+}'" in warning
