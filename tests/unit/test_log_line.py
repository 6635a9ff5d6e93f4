"""One JSON line a decision, which carries its metrics, and never what a stranger could abuse."""

import hmac
import json
from copy import replace
from typing import Any

import pytest

from jwt_authorizer import __version__
from jwt_authorizer.authorize import Outcome
from jwt_authorizer.errors import ErrorCode
from jwt_authorizer.events import EventKind
from jwt_authorizer.log_line import DecisionLog
from jwt_authorizer.rules import Allow, Deny
from jwt_authorizer.settings.model import LogAllowed, LogPrincipal, LogSettings
from tests.factories import ISSUER, NOW, principal, request

ALLOWED = Outcome("allow", None)


def written(lines: list[str], log: DecisionLog, outcome: Outcome = ALLOWED) -> dict[str, Any]:
    log.write(outcome, now=NOW, duration=0.0012345, invocation="function-1")
    assert lines[-1].endswith("\n")
    assert lines[-1].count("\n") == 1
    line: dict[str, Any] = json.loads(lines[-1])
    assert None not in line.values()
    return line


def line(outcome: Outcome = ALLOWED, settings: LogSettings | None = None) -> dict[str, Any]:
    lines: list[str] = []
    return written(lines, DecisionLog(lines.append, "orders", settings or LogSettings()), outcome)


def test_a_line_says_what_was_decided_and_why() -> None:
    content = line(
        Outcome(
            "deny",
            ErrorCode.INSUFFICIENT_SCOPE,
            "why",
            request=request(EventKind.HTTP_API_V2),
            issuer=ISSUER,
            alg="ES256",
            kid="key-1",
            token_cache="miss",
            principal=principal(),
            decision=Deny(ErrorCode.INSUFFICIENT_SCOPE, (), "GET /orders/{id}"),
            warnings=("look here",),
        )
    )
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
        "warnings": ["look here"],
        "Decisions": 1,
        "ColdStarts": 1,
    }


def test_what_was_not_found_out_is_left_out() -> None:
    content = line(Outcome("error", ErrorCode.INVALID_EVENT))
    assert content["level"] == "ERROR"
    assert content["request_id"] == "function-1"
    for name in ("event_kind", "issuer", "kid", "alg", "route", "token_cache", "principal", "detail", "warnings"):
        assert name not in content, name
    assert (line()["message"], "reason" in line()) == ("allow", False)


@pytest.mark.parametrize(
    ("kind", "members", "decision", "route"),
    [
        (EventKind.REST_REQUEST, {}, None, "GET /orders/{id}"),
        (EventKind.REST_REQUEST, {}, Allow("* /x"), "* /x"),
        (EventKind.HTTP_API_V2, {}, None, "GET /orders/{id}"),
        (EventKind.HTTP_API_V2, {"routeKey": "$default"}, None, "GET $default"),
        (EventKind.WEBSOCKET, {}, None, "$connect"),
        (EventKind.REST_TOKEN, {}, None, None),
    ],
)
def test_the_route_is_the_rule_s_or_else_what_api_gateway_matched_with_its_method(
    kind: EventKind, members: dict[str, Any], decision: Allow | None, route: str | None
) -> None:
    outcome = Outcome("allow", None, request=request(kind, **members), decision=decision)
    assert line(outcome).get("route") == route


@pytest.mark.parametrize(("header", "trace_id"), [("Self=1;Root=1-5759e988;Sampled=0", "1-5759e988"), ("odd", "odd")])
def test_a_line_leads_to_its_trace(header: str, trace_id: str) -> None:
    lines: list[str] = []
    DecisionLog(lines.append, "orders").write(ALLOWED, now=NOW, duration=0, invocation=None, trace=header)
    assert json.loads(lines[0])["trace_id"] == trace_id


def test_a_line_names_the_tenant_and_the_principal_s_hash_or_no_principal() -> None:
    outcome = replace(ALLOWED, principal=replace(principal(), id="user-\ud800", tenant="acme"))
    key = b"0123456789abcdef"
    content = line(outcome, LogSettings(principal=LogPrincipal.HASH, principal_key=key))
    assert content["tenant"] == "acme"
    assert "principal" not in line(outcome, LogSettings(principal=LogPrincipal.NONE))
    assert content["principal"] == hmac.new(key, b"user-\xed\xa0\x80", "sha256").hexdigest()[:16]


def test_the_line_of_an_allowed_request_may_be_its_metrics_alone() -> None:
    outcome = replace(strange("x"), issuer=ISSUER, detail="why", warnings=("look here",), token_cache="miss")
    brief = line(outcome, LogSettings(allowed=LogAllowed.METRIC))
    ids = {"request_id", "function_request_id"}
    assert set(brief) == {"_aws", "service", "decision", "Decisions", "ColdStarts"} | ids
    assert directives(brief)


# What untrusted input can do to a line.


def strange(text: str) -> Outcome:
    asked = request(EventKind.HTTP_API_V2, routeKey=text, requestContext={"requestId": text})
    return Outcome("allow", None, request=asked, kid=text, alg=text, principal=replace(principal(), id=text))


def test_no_line_is_longer_than_2_kb() -> None:
    lines: list[str] = []
    log = DecisionLog(lines.append, "orders")
    for number in range(300):
        log.count("JwksFetches", f"{number}: {'\U0001f600' * 300}")
    outcome = replace(strange("\U0001f600" * 300), issuer="i" * 2000, detail="d" * 3000, warnings=("w" * 900,) * 300)
    content = written(lines, log, outcome)
    assert len(lines[-1]) <= 2001
    assert (content["decision"], content["JwksFetches"]) == ("allow", 300)
    for name in ("notes", "warnings"):
        assert len(content[name]) == 6
        assert content[name][-1] == "and 295 more"


def test_counts_are_never_cut() -> None:
    lines: list[str] = []
    log = DecisionLog(lines.append, "orders")
    for number in range(100):
        log.count(f"MetricNumber{number}", "counted")
    assert written(lines, log)["MetricNumber99"] == 1


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
    assert directives(line(Outcome("reject", ErrorCode.TOKEN_EXPIRED)))[0] == (by_both, ["Decisions"])
    assert directives(line())[0] == (by_decision, ["Decisions"])


def test_a_cold_start_is_counted_once() -> None:
    lines: list[str] = []
    log = DecisionLog(lines.append, "orders")
    first, second = written(lines, log), written(lines, log)
    assert directives(first)[1] == ([[], ["service"]], ["ColdStarts"])
    assert len(directives(second)) == 1
    assert "ColdStarts" not in second


def test_what_the_key_cache_did_goes_into_the_next_line_with_its_notes() -> None:
    lines: list[str] = []
    log = DecisionLog(lines.append, "orders")
    written(lines, log)
    log.count("JwksFetches", "2 keys")
    log.count("JwksFetches", "failed")
    log.count("JwksFetchFailures", "no route to host")
    content = written(lines, log)
    assert directives(content)[1] == ([[], ["service"]], ["JwksFetches", "JwksFetchFailures"])
    assert (content["JwksFetches"], content["JwksFetchFailures"]) == (2, 1)
    assert content["notes"] == ["JwksFetches: 2 keys", "JwksFetches: failed", "JwksFetchFailures: no route to host"]
    assert "notes" not in written(lines, log)
    assert "JwksFetches" not in written(lines, log)


# ---------------------------------------------------------------------------------------------------------------
# ErrorCode codes are public: they may be added to, never renamed.


REFUSED_TOKENS = """missing_token malformed_token unsupported_algorithm unsupported_token_type unknown_issuer
unknown_key bad_signature token_expired token_not_yet_valid token_lifetime_too_long invalid_audience invalid_client
invalid_claim unsupported_binding unbound_token missing_dpop_proof invalid_dpop_proof replayed_dpop_proof
certificate_mismatch inactive_token revoked_token"""
MISSING_RIGHTS = "insufficient_scope claim_mismatch route_not_listed refused_by_hook"
UNDECIDED = """keys_unavailable invalid_event unsafe_cache response_too_large introspection_unavailable
revocation_unavailable replay_store_unavailable hook_failed internal_error"""


def test_the_codes_are_those_of_the_contract_in_its_order() -> None:
    assert [str(reason) for reason in ErrorCode] == f"{REFUSED_TOKENS} {MISSING_RIGHTS} {UNDECIDED}".split()
