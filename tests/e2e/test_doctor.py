"""`jwt-authorizer doctor` looks at APIs that are deployed, through the AWS endpoints that they were deployed with."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from demo.calls import Api
from demo.deployment import aws_client
from demo.tools import ROOT

if TYPE_CHECKING:
    from demo.stack import Stack


def doctor(stack: Stack, *arguments: str) -> tuple[int, list[dict[str, Any]]]:
    done = subprocess.run(  # noqa: S603 - our own arguments
        [sys.executable, "-m", "jwt_authorizer_devkit.cli", "doctor", *arguments, "--json"],
        cwd=ROOT,
        env={
            "PATH": "/usr/bin:/bin",
            "AWS_ENDPOINT_URL": stack.aws.endpoint,
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
        },
        text=True,
        capture_output=True,
        timeout=60,
        check=False,
    )
    document = json.loads(done.stdout)
    return done.returncode, document.get("findings") or [document]


def test_the_demos_apis_fit_its_authorizer(stack: Stack) -> None:
    code, findings = doctor(stack, "--stack", "demo-apis")
    assert code == 0, findings
    described = " ".join(finding["said"] for finding in findings)
    for kind in ("REST API", "HTTP API", "WEBSOCKET API"):
        assert kind in described


def test_settings_that_do_not_fit_are_found(stack: Stack, tmp_path: Any) -> None:  # noqa: ANN401 - a Path
    env = tmp_path / "function.env"
    env.write_text(f"JWT_ISSUER={stack.issuer.url}\nJWT_AUDIENCE=x\nJWT_ALLOW_HTTP=true\nJWT_CACHED_BY=nothing\n")
    api_id = stack.main.client.outputs[Api.REST]
    code, findings = doctor(stack, "--api", str(api_id), "--env", str(env))
    (problem,) = [finding for finding in findings if finding["level"] == "problem"]
    assert code == 1
    assert "answers are for one request (JWT_CACHED_BY=nothing)" in problem["said"]
    assert f"--rest-api-id {api_id}" in problem["fix"]


def test_what_is_not_there_is_a_finding_or_wrong_input(stack: Stack) -> None:
    code, (answer,) = doctor(stack, "--stack", "never-deployed")
    assert (code, "There is no stack never-deployed" in answer["error"]) == (2, True)
    gateway = aws_client("apigateway", stack.aws)
    empty = gateway.create_rest_api(name="empty")["id"]
    try:
        code, (finding,) = doctor(stack, "--api", empty)
    finally:
        gateway.delete_rest_api(restApiId=empty)
    assert (code, finding["level"]) == (1, "problem")
    assert "has no routes" in finding["said"]
