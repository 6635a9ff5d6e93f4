import tomllib
from copy import replace

import pytest

from jwt_authorizer.errors import ErrorCode
from jwt_authorizer.rules import Allow, Deny, Route, Rules, compile_rules, parse_routes
from tests.properties.apis import principal
from tests.properties.judge import ORDERS, listing


def parsed(document: str) -> tuple[tuple[Route, ...], list[str]]:
    """Read TOML, and give the routes with the problems: ``name: message``."""
    problems: list[str] = []

    def report(name: str, message: str, value: object = None) -> None:
        problems.append(f"{name}: {message} ({value!r})")

    return parse_routes(tomllib.loads(document).get("routes"), report), problems


def rules(document: str, *, absent: bool = False) -> Rules:
    routes, problems = parsed(document)
    assert problems == []
    return compile_rules(routes, absent=absent)


def test_without_routes_every_request_may_pass() -> None:
    assert compile_rules(None).decide(principal(), "GET", "/orders") == Allow(None)


def test_the_issuers_scopes_are_needed_on_top_of_the_routes() -> None:
    of = listing("GET /orders a")
    assert isinstance(of.decide(replace(principal("a"), required_scopes=("r",)), "GET", "/orders"), Deny)
    assert isinstance(of.decide(replace(principal("a", "r"), required_scopes=("r",)), "GET", "/orders"), Allow)


@pytest.mark.parametrize(("scopes", "allowed"), [(("a",), True), (("b",), True), ((), False), (("c",), False)])
def test_one_of_any_scopes_is_enough(scopes: tuple[str, ...], allowed: bool) -> None:  # noqa: FBT001 - a table of cases
    of = rules('[[routes]]\nmethod = "GET"\npath = "/x"\nany_scopes = ["a", "b"]')
    decision = of.decide(principal(*scopes), "GET", "/x")
    assert decision == (Allow("GET /x") if allowed else Deny(ErrorCode.INSUFFICIENT_SCOPE, ("a", "b"), "GET /x"))


def test_a_held_any_scope_is_not_named_among_those_needed() -> None:
    of = rules('[[routes]]\npath = "/x"\nscopes = ["s"]\nany_scopes = ["a", "b"]')
    assert of.decide(principal("a"), "GET", "/x") == Deny(ErrorCode.INSUFFICIENT_SCOPE, ("s",), "* /x")


def test_two_routes_that_differ_in_a_claims_type_stay_two() -> None:
    of = rules('[[routes]]\npath = "/a"\nclaims = {x = 1}\n[[routes]]\npath = "/b"\nclaims = {x = true}')
    decisions = [of.decide(replace(principal(), claims={"x": True}), "GET", path) for path in ("/a", "/b")]
    assert [type(decision) for decision in decisions] == [Deny, Allow]


def test_a_route_may_be_for_some_issuers_only_and_no_scope_makes_up_for_that() -> None:
    of = rules('[[routes]]\npath = "/x"\nscopes = ["s"]\nissuers = ["issuer"]')
    assert of.decide(principal("s"), "GET", "/x") == Allow("* /x")
    assert of.decide(replace(principal("s"), issuer="https://other"), "GET", "/x") == Deny(
        ErrorCode.CLAIM_MISMATCH, (), "* /x"
    )


def test_the_case_of_letters_in_a_path_counts() -> None:
    decisions = [
        listing(*ORDERS).decide(principal(), "GET", path) for path in ("/orders/me", "/orders/ME", "/Orders/me")
    ]
    assert [decision.route for decision in decisions] == ["GET /orders/me", "GET /orders/{id}", None]


def test_where_rest_and_http_apis_choose_differently_both_choices_have_to_allow() -> None:
    of = listing("GET /a/b/{proxy+} greedy", "GET /a/{x}/c plain")
    verdicts = [
        of.decide(principal(*scopes), "GET", "/a/b/c") for scopes in (("greedy",), ("plain",), ("greedy", "plain"))
    ]
    assert [type(verdict) for verdict in verdicts] == [Deny, Deny, Allow]


def test_a_websockets_connect_has_a_rule_of_its_own() -> None:
    of = listing("* $connect chat", "* $default")
    assert of.decide(principal("chat"), "$connect", "$connect") == Allow("$connect")
    assert of.decide(principal(), "$connect", "$connect") == Deny(ErrorCode.INSUFFICIENT_SCOPE, ("chat",), "$connect")
    assert isinstance(listing("* $default").decide(principal(), "$connect", "$connect"), Deny)
    assert of.decide(principal(), "GET", "/$connect") == Allow("$default")


# ---------------------------------------------------------------------------------------------------------------
# What TOML gives becomes routes


@pytest.mark.parametrize("method", ["", 'method = "*"', 'method = "ANY"', 'method = ["*"]'])
def test_no_method_means_all_of_them(method: str) -> None:
    routes, problems = parsed(f'[[routes]]\npath = "/x"\n{method}')
    assert (routes[0].methods, problems) == (None, [])


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ('path = "/x"\nscope = ["a"]', "routes[0].scope: there is no such key of a route: did you mean scopes?"),
        ('path = "/x"\nzzz = 1', "routes[0].zzz: there is no such key of a route: expected method, path"),
        ('method = "GET"', "routes[0].path: is required"),
        ('path = "orders"', 'routes[0].path: expected a path that starts with "/"'),
        ('path = "/orders/"', "routes[0].path: API Gateway ignores a slash at the end"),
        ('path = "/a//b"', "routes[0].path: a segment is empty"),
        ('path = "/a/*"', "routes[0].path: API Gateway refuses the segment '*'"),
        ('path = "/a/{id"', "routes[0].path: API Gateway refuses the segment '{id'"),
        ('path = "/a/x{id}"', "routes[0].path: API Gateway refuses the segment 'x{id}'"),
        ('path = "/{p+}/a"', "routes[0].path: a greedy {variable+} takes all that follows"),
        ('path = "/{a}/{a}"', "routes[0].path: a path variable's name may stand only once"),
        ('path = "/x"\nmethod = "get"', "routes[0].method: expected one or more of GET"),
        ('path = "/x"\nmethod = "TRACE"', "routes[0].method: expected one or more of GET"),
        ('path = "/x"\nmethod = ["GET", "GET"]', "routes[0].method: expected one or more of GET"),
        ('path = "/x"\nmethod = []', "routes[0].method: an empty list is no method"),
        ('path = "/x"\nmethod = ["GET", "*"]', 'routes[0].method: "*" means all methods'),
        ('path = "$connect"\nmethod = "GET"', "routes[0].method: this route has no method of its own"),
        ('path = "$default"\nmethod = "GET"', "routes[0].method: this route has no method of its own"),
        ('path = "/x"\nscopes = "a"', "routes[0].scopes: expected a list of strings"),
        ('path = "/x"\nscopes = []', "routes[0].scopes: an empty list would ask for nothing"),
        ('path = "/x"\nscopes = ["a b"]', "routes[0].scopes: 'a b' can be no scope"),
        ('path = "/x"\nissuers = []', "routes[0].issuers: an empty list would ask for nothing"),
        ('path = "/x"\nclaims = []', "routes[0].claims: expected a table"),
        ('path = "/x"\nclaims = {}', "routes[0].claims: an empty table would ask for nothing"),
        ('path = "/x"\nclaims = { a = [] }', "routes[0].claims: the claim a has an empty list"),
        ('path = "/x"\nclaims = { "/a~" = 1 }', "routes[0].claims: /a~ is not a JSON Pointer"),
    ],
)
def test_a_wrong_route_is_reported_with_what_would_be_right(lines: str, expected: str) -> None:
    _, problems = parsed(f"[[routes]]\n{lines}")
    assert len(problems) == 1
    assert problems[0].startswith(expected)


def test_all_problems_are_reported_at_once() -> None:
    _, problems = parsed('[[routes]]\npath = "x"\nscopes = []\n[[routes]]\nmethods = "GET"\nclaims = 1')
    assert [problem.split(":")[0] for problem in problems] == [
        "routes[0].path",
        "routes[0].scopes",
        "routes[1].methods",
        "routes[1].path",
        "routes[1].claims",
    ]


def test_what_is_no_list_of_tables_is_reported() -> None:
    cases = {"1": "routes: expected", "[]": "routes: lists no route", "[1]": "routes[0]: expected"}
    for document, expected in cases.items():
        routes, (problem,) = parsed(f"routes = {document}")
        assert routes == ()
        assert problem.startswith(expected)


@pytest.mark.parametrize(
    ("first", "second", "again"),
    [
        ('method = "GET"', 'method = "GET"', "GET"),
        ('method = ["GET", "PUT"]', 'method = ["POST", "PUT"]', "PUT"),
        ('method = "*"', "", "*"),
    ],
)
def test_the_same_route_twice_is_reported_whatever_its_variables_are_called(
    first: str, second: str, again: str
) -> None:
    _, problems = parsed(f'[[routes]]\npath = "/x/{{a}}"\n{first}\n[[routes]]\npath = "/x/{{b}}"\n{second}')
    assert problems == [
        f"routes[1].path: the route {again} /x/{{b}} stands twice: routes[0] has it as well ('/x/{{b}}')"
    ]


def test_a_method_beside_the_rule_for_all_is_not_the_same_route() -> None:
    assert parsed('[[routes]]\npath = "/x"\n[[routes]]\npath = "/x"\nmethod = "GET"')[1] == []
