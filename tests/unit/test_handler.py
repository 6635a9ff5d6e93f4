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
from tests.factories import AUDIENCE, ISSUER, NOW, rest_request_event, rest_token_event, signing_key, token

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


def test_importing_it_reads_the_environment(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    jwks = json.dumps(key_set((signing_key(),)))
    function = start(monkeypatch, JWT_ISSUER=ISSUER, JWT_AUDIENCE=AUDIENCE, JWT_JWKS=jwks)
    assert capsys.readouterr().out == ""
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        function(rest_token_event(None), None)


# A function that does not start decides nothing: it has a metric of its own.


def failure(written: str) -> dict[str, Any]:
    """Read the one line that was written, and take out what CloudWatch makes its metrics from."""
    (text,) = written.splitlines()
    line: dict[str, Any] = json.loads(text)
    assert abs(line["_aws"].pop("Timestamp") / 1000 - time.time()) < 60
    assert line.pop("_aws") == {
        "CloudWatchMetrics": [
            {
                "Namespace": NAMESPACE,
                "Dimensions": [[], ["service"]],
                "Metrics": [{"Name": "StartFailures", "Unit": "Count"}],
            }
        ]
    }
    return line


def test_wrong_settings_are_counted(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SettingsError):
        start(monkeypatch, JWT_ISSUER=ISSUER, JWT_LEEWAY_SECONDS="soon", POWERTOOLS_SERVICE_NAME="orders")
    line = failure(capsys.readouterr().out)
    audience, leeway = sorted(line.pop("problems"))
    assert audience.startswith("JWT_AUDIENCE: ")
    assert leeway.startswith("JWT_LEEWAY_SECONDS (is 'soon'): ")
    assert line == {
        "level": "ERROR",
        "message": "the function does not start: SettingsError",
        "service": "orders",
        "version": __version__,
        "StartFailures": 1,
    }


def test_so_is_a_package_without_what_it_needs() -> None:
    # As one that was built for another architecture: what is compiled does not load. -S: no packages but our own.
    script = "import sys; sys.path.insert(0, sys.argv[1]); import jwt_authorizer.handler"
    ended = subprocess.run(  # noqa: S603 - our own arguments
        [sys.executable, "-S", "-c", script, str(ROOT / "authorizer")],
        env={},
        capture_output=True,
        text=True,
        check=False,
    )
    line = failure(ended.stdout)
    assert (line["message"], line["problems"]) == ("the function does not start: ModuleNotFoundError", [])
    # As the lines about decisions have it.
    assert line["service"] == "jwt-authorizer"
    # It goes on to Lambda, which writes down the rest.
    assert (ended.returncode, "No module named 'cryptography'" in ended.stderr) == (1, True)


def test_the_line_is_out_before_lambda_ends_the_process() -> None:
    # It is ended as by a signal: what Python would still write at its own end is lost.
    script = "import os\ntry:\n  import jwt_authorizer.handler\nexcept Exception:\n  os._exit(1)"
    ended = subprocess.run(  # noqa: S603 - our own arguments
        [sys.executable, "-c", script], cwd=ROOT, env={}, capture_output=True, text=True, check=False
    )
    assert failure(ended.stdout)["message"] == "the function does not start: SettingsError"
    assert (ended.returncode, ended.stderr) == (1, "")


# An environment that starts from a snapshot: its keys are as old as the snapshot.


WEEK = 7 * 24 * 3600.0


def restored(folder: Path, initialization: str, *, away: float, gone: bool = False) -> tuple[int, dict[str, Any]]:
    """Start, sleep, wake up, answer one request; give the number of hooks that ran, and the request's line."""
    (folder / "jwks.json").write_text(json.dumps(key_set((signing_key(),))), "utf-8")
    now = NOW - away
    lines: list[str] = []
    environment = {
        "JWT_ISSUER": ISSUER,
        "JWT_AUDIENCE": AUDIENCE,
        "JWT_JWKS": "file:jwks.json",
        "AWS_LAMBDA_INITIALIZATION_TYPE": initialization,
    }
    hooks = snapshot_restore_py.get_after_restore()
    hooks.clear()
    function = create_function(environment, write=lines.append, clock=lambda: now, package_root=folder)
    now = NOW
    if gone:
        (folder / "jwks.json").unlink()
    for hook, arguments, named in hooks:
        hook(*arguments, **named)
    if not gone:
        # What the hook did not fetch, nobody will.
        (folder / "jwks.json").unlink()
        assert function(rest_request_event(token()), None)["policyDocument"]["Statement"][0]["Effect"] == "Allow"  # type: ignore[index]  # an answer's members have any type
    return len(hooks), json.loads(lines[-1]) if lines else {}


@pytest.mark.parametrize(
    ("initialization", "away", "hooks", "fetches"),
    [("snap-start", WEEK, 1, 2), ("snap-start", 60, 1, 1), ("on-demand", 60, 0, 1)],
    ids=["old keys", "young keys", "no snapshot"],
)
def test_keys_that_a_snapshot_has_kept_too_long_are_fetched_before_the_first_request(
    tmp_path: Path, initialization: str, away: float, hooks: int, fetches: int
) -> None:
    ran, line = restored(tmp_path, initialization, away=away)
    assert (ran, line["JwksFetches"], line.get("JwksFetchFailures")) == (hooks, fetches, None)


def test_a_failure_does_not_keep_the_environment_from_starting(tmp_path: Path) -> None:
    assert restored(tmp_path, "snap-start", away=WEEK, gone=True) == (1, {})


@pytest.mark.parametrize(
    "settings",
    [
        {"JWT_ISSUER": "http://127.0.0.1:1"},
        {"JWT_ISSUER": ISSUER, "JWT_JWKS": '{"keys": []}'},
        {"JWT_ISSUER": ISSUER, "JWT_JWKS": "s3://keys/jwks.json"},
        {"JWT_ISSUER": "https://{tenant}.test"},
        {"JWT_ISSUER": "https://somebody@issuer.test"},
        {"JWT_CONFIG": "file:authorizer.toml"},
        {},
    ],
)
def test_it_asks_ahead_only_where_keys_will_be_asked_for(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, str]
) -> None:
    start(monkeypatch, JWT_ISSUER=ISSUER, JWT_AUDIENCE=AUDIENCE, JWT_JWKS=json.dumps(key_set((signing_key("ES256"),))))
    assert sys.modules["jwt_authorizer.handler"].prefetch_keys(settings) is None
