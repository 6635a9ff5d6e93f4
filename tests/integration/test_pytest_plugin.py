"""The pytest plugin, as the tests of another project use it: found by its entry point, run in a folder of their own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CONFIG = """
unlisted_routes = "absent"

[[issuers]]
issuer = "https://myapp.authgear.cloud"
audience = ["https://orders.example.com"]

[[routes]]
method = "GET"
path = "/orders/{id}"
scopes = ["orders:read"]
"""
TESTS = """
import re
from pathlib import Path

import pytest
from jwt_authorizer.errors import SettingsError
from jwt_authorizer_devkit.pytest_plugin import allows

KINDS = ["rest_token_event", "rest_request_event", "websocket_event", "http_api_v1_event", "http_api_v2_event"]
PRODUCTION = {"iss": "https://myapp.authgear.cloud"}


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


def test_the_settings_of_production_with_local_keys(jwt_authorizer, signed_token, http_api_v2_event):
    authorizer = jwt_authorizer(Path(__file__).with_name("authorizer.toml"))
    token = signed_token(PRODUCTION, audience="https://orders.example.com", scope="orders:read")
    assert authorizer(http_api_v2_event(token, "GET /orders/1"), None)["isAuthorized"] is True
    token = signed_token(PRODUCTION, audience="https://orders.example.com", scope="orders:write")
    answer = authorizer(http_api_v2_event(token, "GET /orders/1"), None)
    assert not allows(answer, {})
    assert answer["context"]["reason"] == "insufficient_scope"


def test_wrong_settings_do_not_start(jwt_authorizer):
    with pytest.raises(SettingsError, match="cached_by"):
        jwt_authorizer(cached_by="tokens")


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


def test_members_can_be_other_than_usual(http_api_v2_event, signed_token):
    event = http_api_v2_event(signed_token(), "GET /", identitySource=["only the token"])
    assert event["identitySource"] == ["only the token"]


def test_a_request_without_a_path_is_an_error(rest_token_event, signed_token):
    with pytest.raises(ValueError, match=re.escape('like "GET /orders/1"')):
        rest_token_event(signed_token(), "/orders")
"""


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """Give a folder that tells pytest of the plugin as an installed distribution would."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    folder = tmp_path / "site" / f"jwt_authorizer-{project['version']}.dist-info"
    folder.mkdir(parents=True)
    lines = "".join(f"{name} = {module}\n" for name, module in project["entry-points"]["pytest11"].items())
    (folder / "entry_points.txt").write_text(f"[pytest11]\n{lines}", "utf-8")
    metadata = f"Metadata-Version: 2.4\nName: {project['name']}\nVersion: {project['version']}\n"
    (folder / "METADATA").write_text(metadata, "utf-8")
    return folder.parent


def _run(folder: Path, installed: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("JWT_", "PYTEST", "COV"))}
    return subprocess.run(  # noqa: S603 - our own arguments
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error", *arguments],
        check=False,
        capture_output=True,
        text=True,
        cwd=folder,
        env=environment | {"PYTHONPATH": f"{installed}{os.pathsep}{ROOT}"},
        timeout=100,
    )


def test_another_project_tests_itself_with_the_fixtures(tmp_path: Path, installed: Path) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "authorizer.toml").write_text(CONFIG, "utf-8")
    (folder / "test_orders.py").write_text(TESTS, "utf-8")
    run = _run(folder, installed)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "39 passed" in run.stdout


def test_a_session_that_uses_none_of_it_imports_nothing_of_it(tmp_path: Path, installed: Path) -> None:
    late = "{'jwt_authorizer', 'jwt_authorizer_devkit.issuer'}"
    test = f"import sys\n\ndef test_imports():\n    assert not {late} & sys.modules.keys()\n"
    (tmp_path / "test_imports.py").write_text(test, "utf-8")
    run = _run(tmp_path, installed, "test_imports.py")
    assert run.returncode == 0, run.stdout + run.stderr


def test_the_examples_of_the_page_run_as_they_stand(tmp_path: Path, installed: Path) -> None:
    page = (ROOT / "docs" / "testing.md").read_text("utf-8")
    # Fenced by tildes: what the pages fence by backticks in Python are backends, and tried as such.
    python = re.findall(r"^~~~python\n(.*?)^~~~$", page, re.DOTALL | re.MULTILINE)
    (config,) = re.findall(r"^```toml\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    (tmp_path / "authorizer.toml").write_text(config, "utf-8")
    for number, text in enumerate(python):
        (tmp_path / f"test_page_{number}.py").write_text(text, "utf-8")
    run = _run(tmp_path, installed)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "7 passed" in run.stdout
