"""The deployed package under Lambda's own runtime client: what Lambda, API Gateway and the log get to see."""

import json
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from benchmarks.process import Package, live
from jwt_authorizer.errors import ErrorCode
from jwt_authorizer_devkit.certificate import self_signed
from jwt_authorizer_devkit.events import kinds, sample
from jwt_authorizer_devkit.issuer import Provider, local_issuer
from tests.integration.conftest import Run
from tests.integration.emulator import Emulator

AUDIENCE = "https://api.example.com"
TRACE = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"


@pytest.fixture
def issuer() -> Iterator[Provider]:
    with local_issuer() as provider:
        yield provider


@pytest.fixture
def function(run: Run, issuer: Provider) -> Emulator:
    return run(**settings(issuer))


def settings(issuer: Provider) -> dict[str, str]:
    return {"JWT_ISSUER": issuer.url, "JWT_AUDIENCE": AUDIENCE, "JWT_ALLOW_HTTP": "true"}


def error_of(answer: dict[str, Any]) -> tuple[str, str]:
    return answer["errorType"], answer["errorMessage"]


def decisions(function: Emulator) -> list[tuple[str, str | None]]:
    return [(line["decision"], line.get("reason")) for line in function.lines() if "decision" in line]


@pytest.mark.parametrize("kind", kinds())
def test_each_kind_of_event_is_allowed(function: Emulator, issuer: Provider, kind: str) -> None:
    answer = function.invoke(sample(kind, issuer.token(audience=AUDIENCE)))
    if "isAuthorized" in answer:
        assert answer["isAuthorized"] is True
    else:
        assert [statement["Effect"] for statement in answer["policyDocument"]["Statement"]] == ["Allow"]
        assert answer["principalId"] == "user-1"
    assert answer.get("context", answer.get("resolverContext"))["sub"] == "user-1"
    assert decisions(function) == [("allow", None)]


def test_a_log_in_json_keeps_our_lines_and_no_level_leaves_out_the_error_of_a_401_alone(
    run: Run, issuer: Provider
) -> None:
    """With ``SystemLogLevel``, Lambda's own lines and the runtime's errors are JSON.

    Lambda drops the lines below a level ("Log-level filtering" in its guide). Ours is below the error of the runtime: a
    level that leaves out the error leaves out our line first, metrics and all.
    """
    function = run(**settings(issuer), AWS_LAMBDA_LOG_FORMAT="JSON")
    answer = function.invoke(sample("rest-token", issuer.token(audience=AUDIENCE, defect="expired")))
    assert error_of(answer) == ("Exception", "Unauthorized")
    (ours,) = [line for line in function.lines() if "decision" in line]
    (error,) = [line for line in function.lines() if "errorMessage" in line]
    assert ours["_aws"]
    assert (ours["level"], error["level"], error["errorMessage"]) == ("INFO", "ERROR", "Unauthorized")


def test_the_key_fetch_of_start_up_is_a_subsegment_of_the_first_request(
    package: Path, runtime: Path, issuer: Provider
) -> None:
    """By the Runtime API of the benchmarks, since the emulator passes no tracing header on."""
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as daemon:
        daemon.bind(("127.0.0.1", 0))
        daemon.settimeout(5)
        address = "{}:{}".format(*daemon.getsockname())
        environment = {**settings(issuer), "AWS_XRAY_DAEMON_ADDRESS": address}
        ours = Package("ours", package, "jwt_authorizer.handler.lambda_handler", environment)
        event = json.dumps(sample("http-api-2.0", issuer.token(audience=AUDIENCE))).encode()
        lived = live(ours, runtime, [event], TRACE)
        assert json.loads(lived.answers[0])["isAuthorized"] is True
        documents = [json.loads(daemon.recv(65536).partition(b"\n")[2]) for _ in range(2)]
    assert {(one["trace_id"], one["parent_id"]) for one in documents} == {
        ("1-5759e988-bd862e3fe1be46a994272793", "53995c3f42cd8ad8")
    }
    assert [one["http"]["request"]["url"] for one in documents] == [
        f"{issuer.url}/.well-known/openid-configuration",
        issuer.jwks_url,
    ]
    assert all(one["http"]["response"] == {"status": 200} for one in documents)


def test_wrong_settings_stop_the_start_with_all_that_is_wrong(run: Run) -> None:
    function = run(JWT_ISUER="https://issuer.example.com", JWT_ALGORITHMS="none", JWT_LEEWAY_SECONDS="soon")
    error, message = error_of(function.invoke(sample("rest-token")))
    assert error == "SettingsError"
    for name in ("JWT_ISUER", "JWT_ISSUER", "JWT_ALGORITHMS", "JWT_LEEWAY_SECONDS"):
        assert f"\n  - {name}" in message
    # The log is where an operator looks, and where CloudWatch counts it.
    assert message in function.written()
    failures = [line for line in function.lines() if "StartFailures" in line]
    assert failures
    assert {len(line["problems"]) for line in failures} == {message.count("\n  - ")}


def test_each_line_says_what_was_decided_and_never_holds_the_token(function: Emulator, issuer: Provider) -> None:
    good = issuer.token({"email": "someone@example.com"}, audience=AUDIENCE)
    forged = issuer.token(audience=AUDIENCE, defect="forged")
    function.invoke(sample("rest-request", good))
    assert error_of(function.invoke(sample("rest-request", forged))) == ("Exception", "Unauthorized")
    event = sample("http-api-2.0", good)
    for other in (event | {"headers": 1}, event | {"routeArn": "x"}, sample("other-http-api-backend")):
        error, message = error_of(function.invoke(other))
        assert (error, message.partition(":")[0]) == ("DecisionError", "invalid_event")
    bad = [("reject", ErrorCode.BAD_SIGNATURE), *[("error", ErrorCode.INVALID_EVENT)] * 3]
    assert decisions(function) == [("allow", None), *bad]
    assert issuer.fetches == {"openid": 1, "jwks": 1}
    allowed, rejected, *_ = (line for line in function.lines() if "decision" in line)
    # What there is not is left out: a reason to allow, and whoever sent a forged token.
    assert ("reason" in allowed, "principal" in rejected) == (False, False)
    assert (allowed["principal"], allowed["issuer"], allowed["alg"]) == ("user-1", issuer.url, "RS256")
    assert {"Decisions", "ColdStarts", "JwksFetches"} <= allowed.keys()
    assert "ColdStarts" not in rejected
    for token in (good, forged):
        for part in token.split("."):
            assert part not in function.written()
    assert "someone@example.com" not in function.written()


def test_an_issuer_with_its_own_authority_is_trusted_where_it_is_named(run: Run, tmp_path: Path) -> None:
    files = self_signed(tmp_path, "localhost")
    with local_issuer(name="localhost", tls=files) as issuer:
        token = issuer.token(audience=AUDIENCE)
        trusting = run(**settings(issuer), SSL_CERT_FILE=str(files.certificate))
        assert trusting.invoke(sample("rest-token", token))["principalId"] == "user-1"
        other = run(**settings(issuer))
        error, message = error_of(other.invoke(sample("rest-token", token)))
        assert error == "DecisionError"
        assert message.startswith("keys_unavailable: ")
        assert decisions(other) == [("error", ErrorCode.KEYS_UNAVAILABLE)]
