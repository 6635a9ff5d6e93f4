"""One JSON line a decision, which carries its metrics, and never what a stranger could abuse."""

from __future__ import annotations

import json
from copy import replace
from typing import Any

import pytest

from jwt_authorizer import __version__
from jwt_authorizer.authorize import Findings
from jwt_authorizer.errors import Reason
from jwt_authorizer.events import EventKind
from jwt_authorizer.log_line import Journal
from jwt_authorizer.rules import Allow
from tests.factories import ISSUER, NOW, principal, request


def written(  # noqa: PLR0913 - the parts of a line
    journal_lines: list[str],
    journal: Journal,
    findings: Findings | None = None,
    *,
    decision: str = "allow",
    reason: Reason | None = None,
    detail: str | None = None,
) -> dict[str, Any]:
    found = findings or Findings()
    journal.decided(decision, reason, detail, found, now=NOW, duration=0.0012345, function_request_id="function-1")
    assert journal_lines[-1].endswith("\n")
    assert journal_lines[-1].count("\n") == 1
    line: dict[str, Any] = json.loads(journal_lines[-1])
    return line


def line(
    findings: Findings | None = None,
    *,
    decision: str = "allow",
    reason: Reason | None = None,
    detail: str | None = None,
) -> dict[str, Any]:
    lines: list[str] = []
    journal = Journal(lines.append, "orders")
    return written(lines, journal, findings, decision=decision, reason=reason, detail=detail)


def test_a_line_says_what_was_decided_and_why() -> None:
    found = Findings(
        request=request(EventKind.HTTP_API_V2),
        issuer=ISSUER,
        alg="ES256",
        kid="key-1",
        token_cache="miss",
        principal=principal(),
        decision=Allow("GET /orders/{id}"),
    )
    content = line(found, decision="deny", reason=Reason.INSUFFICIENT_SCOPE, detail="why")
    del content["_aws"]
    assert content == {
        "level": "INFO",
        "message": "deny: insufficient_scope",
        "service": "orders",
        "version": __version__,
        "decision": "deny",
        "reason": "insufficient_scope",
        "event_kind": "http_api_v2",
        "issuer": ISSUER,
        "kid": "key-1",
        "alg": "ES256",
        "route": "GET /orders/{id}",
        "duration_ms": 1.234,
        "token_cache": "miss",
        "request_id": "request-1",
        "function_request_id": "function-1",
        "principal": "user-1",
        "detail": "why",
        "Decisions": 1,
        "ColdStarts": 1,
    }


def test_what_was_not_found_out_is_null() -> None:
    content = line(decision="error", reason=Reason.INVALID_EVENT)
    assert content["level"] == "ERROR"
    assert content["request_id"] == "function-1"
    for name in ("event_kind", "issuer", "kid", "alg", "route", "token_cache", "principal", "detail"):
        assert content[name] is None, name
    assert "warnings" not in content


def test_an_allow_without_a_reason_is_just_that() -> None:
    assert line()["message"] == "allow"
    assert line()["reason"] is None


@pytest.mark.parametrize(
    ("decision", "route"), [(None, "/orders/{id}"), (Allow(None), "/orders/{id}"), (Allow("GET /x"), "GET /x")], ids=str
)
def test_the_route_is_the_rule_s_or_else_what_api_gateway_matched(decision: Allow | None, route: str) -> None:
    assert line(Findings(request=request(), decision=decision))["route"] == route


def test_warnings_are_there_where_there_are_some() -> None:
    assert line(Findings(warnings=("look here",)))["warnings"] == ["look here"]


STRANGE = "a\nb\u202e\u0000\ud800" + "x" * 300


@pytest.mark.parametrize("name", ["kid", "alg"])
def test_a_stranger_s_text_is_cut_and_cleaned(name: str) -> None:
    findings = Findings()
    setattr(findings, name, STRANGE)
    text = line(findings)[name]
    assert text.startswith("a?b???xxx")
    assert len(text) < 250


def test_so_are_the_texts_of_events_and_claims() -> None:
    read = request(EventKind.HTTP_API_V2, routeKey=STRANGE, requestContext={"requestId": STRANGE})
    content = line(Findings(request=read, principal=replace(principal(), id=STRANGE)))
    for name in ("route", "request_id", "principal"):
        assert content[name].startswith("a?b???xxx"), name
        assert len(content[name]) < 250, name


# Metrics: CloudWatch's embedded metric format.


def directives(content: dict[str, Any]) -> list[tuple[list[list[str]], list[str]]]:
    found = content["_aws"]["CloudWatchMetrics"]
    assert {directive["Namespace"] for directive in found} == {"JwtAuthorizer"}
    for directive in found:
        assert len(directive["Metrics"]) <= 100
        assert max(len(names) for names in directive["Dimensions"]) <= 30
        for metric in directive["Metrics"]:
            assert metric["Unit"] == "Count"
            assert isinstance(content[metric["Name"]], int)
        for dimension in (name for names in directive["Dimensions"] for name in names):
            assert isinstance(content[dimension], str)
    return [(directive["Dimensions"], [metric["Name"] for metric in directive["Metrics"]]) for directive in found]


def test_decisions_are_counted_by_decision_and_by_reason() -> None:
    by_decision = [["decision"], ["service"], ["service", "decision"]]
    by_both = [*by_decision, ["decision", "reason"], ["service", "decision", "reason"]]
    assert directives(line(decision="reject", reason=Reason.TOKEN_EXPIRED))[0] == (by_both, ["Decisions"])
    assert directives(line())[0] == (by_decision, ["Decisions"])
    assert line()["_aws"]["Timestamp"] == NOW * 1000


def test_a_cold_start_is_counted_once() -> None:
    lines: list[str] = []
    journal = Journal(lines.append, "orders")
    first, second = written(lines, journal), written(lines, journal)
    assert directives(first)[1] == ([[], ["service"]], ["ColdStarts"])
    assert first["ColdStarts"] == 1
    assert len(directives(second)) == 1
    assert "ColdStarts" not in second


def test_what_the_key_cache_did_goes_into_the_next_line_with_its_notes() -> None:
    lines: list[str] = []
    journal = Journal(lines.append, "orders")
    written(lines, journal)
    journal.count("JwksFetches", "2 keys")
    journal.count("JwksFetches", "failed")
    journal.count("JwksFetchFailures", "no route to host")
    content = written(lines, journal)
    assert directives(content)[1] == ([[], ["service"]], ["JwksFetches", "JwksFetchFailures"])
    assert (content["JwksFetches"], content["JwksFetchFailures"]) == (2, 1)
    assert content["notes"] == [
        "JwksFetches: 2 keys",
        "JwksFetches: failed",
        "JwksFetchFailures: no route to host",
    ]
    assert "notes" not in written(lines, journal)
    assert "JwksFetches" not in written(lines, journal)
    journal.count("JwksFetches", "2 keys")
    assert written(lines, journal)["JwksFetches"] == 1


def test_each_line_has_its_own_time_and_reason() -> None:
    lines: list[str] = []
    journal = Journal(lines.append, "orders")
    for _ in range(2):
        for reason in (Reason.TOKEN_EXPIRED, Reason.INVALID_CLAIM):
            content = written(lines, journal, decision="reject", reason=reason)
            assert (content["reason"], content["message"]) == (reason, f"reject: {reason}")
            assert content["_aws"]["Timestamp"] == NOW * 1000
