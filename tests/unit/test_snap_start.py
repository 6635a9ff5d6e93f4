"""An environment that starts from a snapshot: its keys are as old as the snapshot."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import snapshot_restore_py  # type: ignore[import-untyped]  # it ships no types

from jwt_authorizer.function import create_function
from jwt_authorizer_devkit.signing import key_set
from tests.factories import AUDIENCE, ISSUER, NOW, rest_request_event, signing_key, token

if TYPE_CHECKING:
    from pathlib import Path

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


def test_keys_are_fetched_again_before_the_first_request(tmp_path: Path) -> None:
    hooks, line = restored(tmp_path, "snap-start", away=WEEK)
    assert (hooks, line["JwksFetches"], line.get("JwksFetchFailures")) == (1, 2, None)


def test_keys_that_are_still_young_are_not(tmp_path: Path) -> None:
    hooks, line = restored(tmp_path, "snap-start", away=60)
    assert (hooks, line["JwksFetches"]) == (1, 1)


def test_a_failure_does_not_keep_the_environment_from_starting(tmp_path: Path) -> None:
    assert restored(tmp_path, "snap-start", away=WEEK, gone=True) == (1, {})


def test_without_a_snapshot_there_is_no_hook(tmp_path: Path) -> None:
    assert restored(tmp_path, "on-demand", away=60)[0] == 0
