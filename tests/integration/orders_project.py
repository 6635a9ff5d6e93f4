"""The tests of another project, which use the fixtures of the pytest plugin: run by test_installed_tools.py."""

TESTS = """
import re
from pathlib import Path

import pytest
from jwt_authorizer_devkit.pytest_plugin import allows

KINDS = ["rest_token_event", "rest_request_event", "websocket_event", "http_api_v1_event", "http_api_v2_event"]


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_answered(kind, request, jwt_authorizer, signed_token):
    event = request.getfixturevalue(kind)(signed_token(subject="ada"), "GET /orders/1")
    answer = jwt_authorizer()(event, None)
    assert allows(answer, event)
    assert kind == "http_api_v2_event" or answer["principalId"] == "ada"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("defect", ["expired", "forged", "wrong-audience", None])
def test_bad_tokens_and_none_are_refused(kind, defect, request, jwt_authorizer, signed_token):
    token = None if defect is None else signed_token(defect=defect)
    event = request.getfixturevalue(kind)(token, "GET /orders/1")
    with pytest.raises(Exception, match="^Unauthorized$"):
        jwt_authorizer(http_api_reject="raise")(event, None)


@pytest.mark.parametrize("defect", ["expired", None])
def test_appsync_is_told_which_fields_are_denied(defect, jwt_authorizer, signed_token, appsync_event):
    authorizer = jwt_authorizer("[[fields]]\\nfield = 'Mutation.pay'\\nscopes = ['pay']")
    event = appsync_event(signed_token())
    answer = authorizer(event, None)
    assert allows(answer, event)
    assert answer["deniedFields"] == ["Mutation.pay"]
    event = appsync_event(defect and signed_token(defect=defect))
    assert not allows(authorizer(event, None), event)


@pytest.mark.parametrize("kind", ["rest_request_event", "http_api_v1_event", "http_api_v2_event"])
def test_a_bound_token_needs_a_proof(kind, request, jwt_authorizer, signed_token, dpop_client):
    authorizer = jwt_authorizer(bound_tokens=["dpop"], cached_by="nothing")
    token = signed_token({"cnf": dpop_client.cnf})
    event = request.getfixturevalue(kind)(token, "GET /orders/1")
    sent = dpop_client.sent(event, token, "https://api.example.com/orders/1")
    assert allows(authorizer(sent, None), sent)
    with pytest.raises(Exception, match="^Unauthorized$"):
        jwt_authorizer(bound_tokens=["dpop"], cached_by="nothing", http_api_reject="raise")(event, None)


def test_a_clock_of_ones_own(jwt_authorizer, signed_token, rest_token_event):
    later = jwt_authorizer(clock=lambda: 4e9)
    with pytest.raises(Exception, match="^Unauthorized$"):
        later(rest_token_event(signed_token()), None)


def test_logs_are_captured_and_hold_no_token(jwt_authorizer, signed_token, rest_token_event, capsys):
    token = signed_token()
    jwt_authorizer()(rest_token_event(token), None)
    out = capsys.readouterr().out
    assert '"decision":"allow"' in out.replace(" ", "")
    assert token not in out


def test_after_a_test_with_capsys_the_function_still_starts(jwt_authorizer, capfd):
    jwt_authorizer()
    assert "Logging error" not in capfd.readouterr().err


def test_a_check_of_ones_own(jwt_authorizer, signed_token, rest_token_event):
    Path("bundled").mkdir()
    Path("bundled/own_checks.py").write_text(
        "from jwt_authorizer import Refuse\\n"
        "def check(caller): return Refuse('blocked') if 'blocked' in caller.scopes else {'plan': 'gold'}\\n"
    )
    authorizer = jwt_authorizer(hook="own_checks:check")
    assert authorizer(rest_token_event(signed_token()), None)["context"]["plan"] == "gold"
    refused = authorizer(rest_token_event(signed_token(scope="blocked")), None)
    assert refused["context"]["hook_reason"] == "blocked"


def test_the_issuer_can_rotate_its_keys(jwt_authorizer_issuer, jwt_authorizer, signed_token, rest_token_event):
    authorizer = jwt_authorizer(jwks_cooldown_seconds=1)
    before = signed_token()
    jwt_authorizer_issuer.rotate()
    jwt_authorizer()(rest_token_event(signed_token()), None)
    authorizer(rest_token_event(before), None)


def test_a_request_without_a_path_is_an_error(rest_token_event, signed_token):
    with pytest.raises(ValueError, match=re.escape('like "GET /orders/1"')):
        rest_token_event(signed_token(), "/orders")
"""
