"""``jwt-authorizer rules``: what is printed, as text and as JSON, and the exit codes that scripts rely on."""

from typing import Any

import pytest

from tests.unit.desk import Desk
from tests.unit.pages import DOCS, blocks

ISSUER = '\n[[issuers]]\nissuer = "https://i.example.com"\naudience = ["orders"]\nclient_id = ["app"]\n'
RULES = """
[[routes]]
method = "GET"
path = "/orders/{id}"
scopes = ["orders:read"]

[[routes]]
method = "GET"
path = "/orders/export"
scopes = ["admin"]
claims = { groups = ["staff"] }

[[routes]]
path = "$connect"
"""
OVERLAPPING = """
[[routes]]
method = "GET"
path = "/orders/{id}"

[[routes]]
method = "GET"
path = "/orders/{id}/lines/{line}"
"""


def tried(desk: Desk, cases: str, *options: str, rules: str = RULES) -> tuple[int, Any]:
    """Run ``rules test`` over these cases."""
    config = desk.write("authorizer.toml", rules + ISSUER)
    return desk.json("rules", "test", desk.write("cases.yaml", cases), "--config", config, *options)


# --- rules from


def test_the_page_shows_what_is_written_and_what_comes_out(desk: Desk) -> None:
    page = DOCS / "rules-tools.md"
    api, cases = blocks("yaml", page=page)
    written, _ = blocks("toml", page=page)
    assert desk.run("rules", "from", desk.write("openapi.yaml", api.text)) == (0, written.text)
    config = desk.write("authorizer.toml", written.text + ISSUER)
    code, text = desk.run("rules", "test", desk.write("cases.yaml", cases.text), "--config", config)
    assert (code, text.splitlines()[-1]) == (0, "5 as expected.")


def test_an_api_of_a_template_is_chosen(desk: Desk) -> None:
    route = (
        "{Type: 'AWS::ApiGatewayV2::Route', Properties: {ApiId: !Ref %s, RouteKey: GET /%s, AuthorizationType: JWT}}"
    )
    path = desk.write("template.yaml", f"Resources: {{A: {route % ('One', 'a')}, B: {route % ('Two', 'b')}}}")
    assert "choose one of One, Two" in desk.run("rules", "from", path)[1]
    code, text = desk.run("rules", "from", path, "--api", "Three")
    assert (code, "it has no API Three; it has One, Two" in text) == (1, True)
    code, text = desk.run("rules", "from", path, "--api", "Two")
    assert (code, 'path = "/b"' in text, "/a" in text) == (0, True, False)


@pytest.mark.parametrize("text", ["a: [", "- a", "a: 1"])
def test_a_document_of_no_known_kind_is_wrong_input(desk: Desk, text: str) -> None:
    assert desk.run("rules", "from", desk.write("api.yaml", text))[0] == 2


# --- rules check


def test_overlaps_and_what_policies_leave_out_are_found(desk: Desk) -> None:
    path = desk.write("authorizer.toml", OVERLAPPING + ISSUER)
    code, text = desk.run("rules", "check", path)
    assert (code, "overlap: no policy can allow both" in text) == (1, True)
    code, document = desk.json("rules", "check", path)
    assert (code, document["fine"]) == (1, False)
    assert {(left["after"], *left["routes"]) for left in document["left_out"]} == {
        ("GET /orders/{id}", "GET /orders/{id}/lines/{line}"),
        ("GET /orders/{id}/lines/{line}", "GET /orders/{id}"),
    }


# --- rules test


def test_cases_are_decided_by_claims_and_rules(desk: Desk) -> None:
    cases = """
    tokens:
      reader: {scope: "orders:read"}
      staff: {scope: admin, groups: [staff]}
    cases:
      - {token: reader, request: GET /orders/1, expect: allow}
      - {token: reader, request: GET /orders/export, expect: insufficient_scope}
      - {token: reader, request: GET /orders/export, expect: deny}
      - {token: {scope: admin}, request: GET /orders/export, expect: claim_mismatch}
      - {token: staff, request: GET /orders/export, expect: allow}
      - {token: staff, request: GET /nowhere, expect: route_not_listed}
      - {token: reader, request: $connect, expect: allow}
      - {token: reader, request: $connect, after: $connect, expect: allow}
      - {token: {aud: other}, request: GET /orders/1, expect: invalid_audience}
      - {token: {client_id: other}, request: GET /orders/1, expect: invalid_client}
      - {token: {iss: "https://other.example.com"}, request: GET /orders/1, expect: unknown_issuer}
      - {token: {exp: 5}, request: GET /orders/1, expect: token_expired}
      - {token: {sub: null}, request: GET /orders/1, expect: invalid_claim}
      - {token: {exp: null}, request: GET /orders/1, expect: reject}
    """
    # No cached policy leaves anything out here, and a WebSocket shares no cache with other routes.
    code, document = tried(desk, cases, "--replay")
    assert [result["name"] for result in document["results"] if not result["passed"]] == []
    assert (code, document["passed"], document["failed"]) == (0, 19, 0)
    assert ["admin"] in [result["needs"] for result in document["results"]]
    assert document["results"][0]["route"] == "GET /orders/{id}"


def test_what_comes_out_otherwise_fails(desk: Desk) -> None:
    cases = """
    tokens: {reader: {scope: "orders:read"}}
    cases:
      - {token: reader, request: GET /orders/1, expect: deny}
      - {token: reader, request: GET /orders/1, expect: reject}
      - {token: reader, request: GET /nowhere, expect: allow}
      - {token: reader, request: GET /nowhere, expect: claim_mismatch}
    """
    code, document = tried(desk, cases)
    assert (code, document["passed"], document["failed"]) == (1, 0, 4)


LEFT_OUT = """
tokens: {anybody: {}}
cases:
  - {token: anybody, request: GET /orders/1, expect: allow}
  - {token: anybody, request: GET /orders/1/lines/2, expect: allow}
"""


def test_replay_finds_what_a_cached_policy_leaves_out(desk: Desk) -> None:
    assert tried(desk, LEFT_OUT, rules=OVERLAPPING)[0] == 0
    code, document = tried(desk, LEFT_OUT, "--replay", rules=OVERLAPPING)
    assert code == 1
    failed = [(one["request"], one["after"], one["outcome"]) for one in document["results"] if not one["passed"]]
    assert failed == [
        ("GET /orders/1", "GET /orders/1/lines/2", "deny"),
        ("GET /orders/1/lines/2", "GET /orders/1", "deny"),
    ]
    absent = 'unlisted_routes = "absent"\n' + OVERLAPPING
    assert tried(desk, LEFT_OUT, "--replay", rules=absent)[0] == 0


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("cases: []\ncase: 1", "case: unknown key: expected tokens and cases"),
        ("tokens: {a: b}\ncases: [1]", "tokens: expected a mapping of names to claims"),
        ("cases: [{tokens: a}]", "case 1: unknown key tokens"),
        ("cases: [{token: a}]", "case 1: there is no token 'a' under tokens; there are none"),
        ("cases: [{}]", "case 1: token: expected a name under tokens, or a mapping of claims"),
        ("cases: [{token: {}, expect: bad_signature}]", "'bad_signature' is not one of"),
        ("cases: [{token: {}, expect: allow, request: /a}]", "request: '/a' is not a request: write it like"),
        ("cases: [", "is neither YAML nor JSON"),
    ],
)
def test_a_table_that_is_wrong_is_wrong_input(desk: Desk, text: str, why: str) -> None:
    config = desk.write("authorizer.toml", RULES + ISSUER)
    code, said = desk.run("rules", "test", desk.write("cases.yaml", text), "--config", config)
    assert (code, why in " ".join(said.split())) == (2, True)
