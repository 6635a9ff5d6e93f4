"""``jwt-authorizer rules``: what is printed, in words and as JSON, and the exit codes that scripts rely on."""

from __future__ import annotations

import json
import tomllib
from typing import TYPE_CHECKING, Any

import pytest

from jwt_authorizer_devkit.cli.app import run
from jwt_authorizer_devkit.routes.cases import CasesError, parse_cases
from tests.unit.pages import DOCS, blocks

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    type Write = Callable[[str, str], str]
    type Capture = pytest.CaptureFixture[str]

OPENAPI = """
openapi: 3.1.0
paths:
  /orders/{id}:
    get: {security: [{oidc: ["orders:read"]}]}
    put: {security: [{oidc: [a, b]}, {oidc: [c]}]}
components: {securitySchemes: {oidc: {type: openIdConnect}}}
"""
FINE = OPENAPI.replace("[a, b]", "[b]")
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


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_file(name: str, text: str) -> str:
        path = tmp_path / name
        path.write_text(text, "utf-8")
        return str(path)

    return write_file


def tried(write: Write, capsys: Capture, cases: str, *options: str, rules: str = RULES) -> tuple[int, dict[str, Any]]:
    config = write("authorizer.toml", rules + ISSUER)
    code = run(["rules", "test", write("cases.yaml", cases), "--config", config, "--json", *options])
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return code, document


# --- rules from


def test_rules_are_written_from_a_document(write: Write, capsys: Capture) -> None:
    assert run(["rules", "from", write("api.yaml", FINE)]) == 0
    text = capsys.readouterr().out
    assert text.startswith("# Routes of api.yaml, written by: jwt-authorizer rules from.")
    assert tomllib.loads(text) == {
        "unlisted_routes": "absent",
        "routes": [
            {"method": "GET", "path": "/orders/{id}", "scopes": ["orders:read"]},
            {"method": "PUT", "path": "/orders/{id}", "any_scopes": ["b", "c"]},
        ],
    }


def test_an_api_of_a_template_is_chosen(write: Write, capsys: Capture) -> None:
    route = (
        "{Type: 'AWS::ApiGatewayV2::Route', Properties: {ApiId: !Ref %s, RouteKey: GET /%s, AuthorizationType: JWT}}"
    )
    path = write("template.yaml", f"Resources: {{A: {route % ('One', 'a')}, B: {route % ('Two', 'b')}}}")
    assert run(["rules", "from", path]) == 1
    assert "choose one of One, Two" in capsys.readouterr().err
    assert run(["rules", "from", path, "--api", "Two"]) == 0
    assert 'path = "/b"' in capsys.readouterr().out


@pytest.mark.parametrize(("name", "text"), [("api.yaml", "a: ["), ("api.yaml", "a: 1")])
def test_a_document_of_no_known_kind_is_wrong_input(name: str, text: str, write: Write, capsys: Capture) -> None:
    assert run(["rules", "from", write(name, text)]) == 2
    assert "neither" in capsys.readouterr().err


# --- rules check


def test_rules_without_a_finding_are_fine(write: Write, capsys: Capture) -> None:
    assert run(["rules", "check", write("authorizer.toml", RULES + ISSUER)]) == 0
    assert "nothing found: 3 rules, cached by token." in capsys.readouterr().out


def test_overlaps_and_what_policies_leave_out_are_found(write: Write, capsys: Capture) -> None:
    path = write("authorizer.toml", OVERLAPPING + ISSUER)
    assert run(["rules", "check", path]) == 1
    text = capsys.readouterr().out
    assert "overlap: no policy can allow both" in text
    assert "found something: 2 rules" in text
    assert run(["rules", "check", path, "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["fine"] is False
    left_out = {(left["after"], *left["routes"]) for left in document["left_out"]}
    assert left_out == {
        ("GET /orders/{id}", "GET /orders/{id}/lines/{line}"),
        ("GET /orders/{id}/lines/{line}", "GET /orders/{id}"),
    }


def test_settings_that_are_wrong_are_wrong_input(write: Write, capsys: Capture) -> None:
    assert run(["rules", "check", write("authorizer.toml", RULES)]) == 2
    assert "expected at least one [[issuers]] table" in capsys.readouterr().err


# --- rules test


def test_cases_are_decided_by_claims_and_rules(write: Write, capsys: Capture) -> None:
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
      - {token: {}, request: $connect, expect: allow}
      - {token: {aud: other}, request: GET /orders/1, expect: invalid_audience}
      - {token: {client_id: other}, request: GET /orders/1, expect: invalid_client}
      - {token: {iss: "https://other.example.com"}, request: GET /orders/1, expect: unknown_issuer}
      - {token: {exp: 5}, request: GET /orders/1, expect: token_expired}
      - {token: {sub: null}, request: GET /orders/1, expect: invalid_claim}
      - {token: {exp: null}, request: GET /orders/1, expect: reject}
    """
    code, document = tried(write, capsys, cases)
    assert [result["name"] for result in document["results"] if not result["passed"]] == []
    assert (code, document["passed"], document["failed"]) == (0, 13, 0)
    assert document["results"][1]["needs"] == ["admin"]
    assert document["results"][0]["route"] == "GET /orders/{id}"


@pytest.mark.parametrize(
    ("expect", "request_line"),
    [("deny", "GET /orders/1"), ("reject", "GET /orders/1"), ("allow", "GET /nowhere"), ("claim_mismatch", "GET /x")],
)
def test_what_comes_out_otherwise_fails(expect: str, request_line: str, write: Write, capsys: Capture) -> None:
    case = f"cases: [{{token: {{scope: 'orders:read'}}, request: {request_line}, expect: {expect}}}]"
    code, document = tried(write, capsys, case)
    assert (code, document["failed"]) == (1, 1)


LEFT_OUT = """
tokens: {anybody: {}}
cases:
  - {token: anybody, request: GET /orders/1, expect: allow}
  - {token: anybody, request: GET /orders/1/lines/2, expect: allow}
"""


def test_replay_finds_what_a_cached_policy_leaves_out(write: Write, capsys: Capture) -> None:
    assert tried(write, capsys, LEFT_OUT, rules=OVERLAPPING)[0] == 0
    code, document = tried(write, capsys, LEFT_OUT, "--replay", rules=OVERLAPPING)
    assert code == 1
    failed = [(one["request"], one["after"], one["outcome"]) for one in document["results"] if not one["passed"]]
    assert failed == [
        ("GET /orders/1", "GET /orders/1/lines/2", "deny"),
        ("GET /orders/1/lines/2", "GET /orders/1", "deny"),
    ]
    absent = 'unlisted_routes = "absent"\n' + OVERLAPPING
    assert tried(write, capsys, LEFT_OUT, "--replay", rules=absent)[0] == 0


def test_a_websocket_shares_no_cache_with_other_routes(write: Write, capsys: Capture) -> None:
    cases = """
    tokens: {reader: {scope: "orders:read"}}
    cases:
      - {token: reader, request: GET /orders/1, expect: allow}
      - {token: reader, request: $connect, expect: allow}
      - {token: reader, request: $connect, after: $connect, expect: allow}
    """
    code, document = tried(write, capsys, cases, "--replay")
    assert (code, document["passed"]) == (0, 3)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("cases: []", "cases: expected a list of cases, with one case at least"),
        ("case: []", "case: there is no such key: expected tokens and cases"),
        ("tokens: {a: b}\ncases: [1]", "tokens: expected names, each with a mapping of claims"),
        ("cases: [1]", "case 1: expected a mapping with name, token, request, expect, after"),
        ("cases: [{tokens: a}]", "case 1: there is no key tokens"),
        ("cases: [{token: a}]", "case 1: there is no token 'a' under tokens; there are none"),
        ("cases: [{}]", "case 1: token: expected the name of one under tokens, or a mapping of claims"),
        ("cases: [{token: {}, expect: yes}]", "case 1: expect: True is none of allow, deny, reject, unknown_issuer"),
        ("cases: [{token: {}, expect: bad_signature}]", "'bad_signature' is none of"),
        ("cases: [{token: {}, expect: allow, request: /a}]", "request: '/a' is not a request: write it like"),
        ("cases: [{token: {}, expect: allow, request: GET /a, after: b}]", "after: 'b' is not a request"),
        ("cases: [", "is neither YAML nor JSON"),
    ],
)
def test_a_table_that_is_wrong_is_wrong_input(text: str, why: str, write: Write, capsys: Capture) -> None:
    with pytest.raises(CasesError) as caught:
        parse_cases(text)
    assert why in str(caught.value)
    config = write("authorizer.toml", RULES + ISSUER)
    assert run(["rules", "test", write("cases.yaml", text), "--config", config]) == 2
    assert "is not a table of cases" in capsys.readouterr().err


# --- The page


def test_the_page_shows_what_comes_out(write: Write, capsys: Capture) -> None:
    page = DOCS / "rules-tools.md"
    api, cases = blocks("yaml", page=page)
    written, _ = blocks("toml", page=page)
    assert run(["rules", "from", write("openapi.yaml", api.text)]) == 0
    assert capsys.readouterr().out == written.text
    code, document = tried(write, capsys, cases.text, rules=written.text)
    assert (code, document["passed"]) == (0, 5)
