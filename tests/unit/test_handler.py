"""The entry point that the template names: put together from the environment when it is imported."""

import gc
import importlib
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import snapshot_restore_py  # type: ignore[import-untyped]  # it ships no types

from jwt_authorizer import NAMESPACE, __version__
from jwt_authorizer.errors import SettingsError
from jwt_authorizer.function import AuthorizerFunction, create_function
from jwt_authorizer_devkit.signing import key_set
from tests.factories import ISSUER, NOW, environment, rest_request_event, rest_token_event, signing_key, token

ROOT = Path(__file__).resolve().parents[2]


def start(monkeypatch: pytest.MonkeyPatch, **settings: str) -> AuthorizerFunction:
    """Import the module as Lambda does, once for each environment."""
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    sys.modules.pop("jwt_authorizer.handler", None)
    try:
        function: AuthorizerFunction = importlib.import_module("jwt_authorizer.handler").lambda_handler
    finally:
        assert gc.isenabled()
        gc.unfreeze()  # what the tests make may go again
    return function


@pytest.mark.parametrize(
    "settings",
    [
        {"JWT_ISSUER": "http://127.0.0.1:1"},
        {"JWT_ISSUER": ISSUER, "JWT_JWKS": '{"keys": []}'},
        {"JWT_ISSUER": ISSUER, "JWT_JWKS": "s3://keys/jwks.json"},
        {"JWT_ISSUER": "https://{tenant}.test"},
        {"JWT_ISSUER": "https://somebody@issuer.test"},
        {},
    ],
)
def test_importing_it_reads_the_environment_and_asks_ahead_only_where_keys_will_be_asked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], settings: dict[str, str]
) -> None:
    function = start(monkeypatch, **environment())
    assert sys.modules["jwt_authorizer.handler"].prefetch_keys(settings) is None
    assert capsys.readouterr().out == ""
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        function(rest_token_event(None), None)


# A function that does not start decides nothing: it has a metric of its own.


def failure(written: str) -> dict[str, Any]:
    """Read the one line that was written, and take out what CloudWatch makes its metrics from."""
    (text,) = written.splitlines()
    line: dict[str, Any] = json.loads(text)
    assert abs(line["_aws"].pop("Timestamp") / 1000 - time.time()) < 60
    metrics = [{"Name": "StartFailures", "Unit": "Count"}]
    directive = {"Namespace": NAMESPACE, "Dimensions": [[], ["service"]], "Metrics": metrics}
    assert line.pop("_aws") == {"CloudWatchMetrics": [directive]}
    return line


def test_wrong_settings_are_counted(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SettingsError):
        start(monkeypatch, JWT_ISSUER=ISSUER, JWT_LEEWAY_SECONDS="soon", POWERTOOLS_SERVICE_NAME="orders")
    line = failure(capsys.readouterr().out)
    assert [problem.partition(": ")[0] for problem in sorted(line.pop("problems"))] == [
        "JWT_AUDIENCE",
        "JWT_LEEWAY_SECONDS (is 'soon')",
    ]
    assert line == {
        "level": "ERROR",
        "message": "the function does not start: SettingsError",
        "service": "orders",
        "version": __version__,
        "StartFailures": 1,
    }


# As a package that was built for another architecture (-S: no packages but our own): what is compiled does not load.
# os._exit: Lambda ends the process as by a signal, so what Python would still write at its own end is lost.
@pytest.mark.parametrize(
    ("option", "script", "error"),
    [
        ("-S", "import jwt_authorizer.handler", "ModuleNotFoundError"),
        ("-B", "import os\ntry:\n  import jwt_authorizer.handler\nexcept Exception:\n  os._exit(1)", "SettingsError"),
    ],
)
def test_so_is_any_other_failure_before_lambda_ends_the_process(option: str, script: str, error: str) -> None:
    command = [sys.executable, option, "-c", f"import sys; sys.path.insert(0, 'authorizer')\n{script}"]
    ended = subprocess.run(command, cwd=ROOT, env={}, capture_output=True, text=True, check=False)  # noqa: S603 - ours
    line = failure(ended.stdout)
    assert (line["message"], line["service"]) == (f"the function does not start: {error}", "jwt-authorizer")
    # The error goes on to Lambda, which writes down the rest.
    assert (ended.returncode, "No module named 'cryptography'" in ended.stderr) == (1, option == "-S")


# An environment that starts from a snapshot: its keys are as old as the snapshot.


WEEK = 7 * 24 * 3600.0


@pytest.mark.parametrize(
    ("initialization", "away", "hooks", "fetches"),
    [("snap-start", WEEK, 1, 2), ("snap-start", 60, 1, 1), ("on-demand", 60, 0, 1)],
    ids=["old keys", "young keys", "no snapshot"],
)
@pytest.mark.parametrize("available", [True, False])
def test_keys_that_a_snapshot_has_kept_too_long_are_fetched_before_the_first_request(  # noqa: PLR0913, PLR0917 - pytest's
    tmp_path: Path,
    initialization: str,
    away: float,
    hooks: int,
    fetches: int,
    available: bool,  # noqa: FBT001 - the same
) -> None:
    keys = tmp_path / "jwks.json"
    keys.write_text(json.dumps(key_set((signing_key(),))), "utf-8")
    now = NOW - away
    lines: list[str] = []
    settings = environment(JWT_JWKS="file:jwks.json", AWS_LAMBDA_INITIALIZATION_TYPE=initialization)
    registered = snapshot_restore_py.get_after_restore()
    registered.clear()
    function = create_function(settings, write=lines.append, clock=lambda: now, package_root=tmp_path)
    now = NOW
    if not available:  # then the hook fails, and the environment starts all the same
        keys.unlink()
    for hook, arguments, named in registered:
        hook(*arguments, **named)
    assert (len(registered), lines) == (hooks, [])
    if available:
        keys.unlink()  # what the hook did not fetch, nobody will
        assert function(rest_request_event(token()), None)["policyDocument"]["Statement"][0]["Effect"] == "Allow"  # type: ignore[index]  # an answer's members have any type
        line = json.loads(lines[-1])
        assert (line["JwksFetches"], line.get("JwksFetchFailures")) == (fetches, None)
