"""The long run of ``benchmarks/faults.py``, short: its promises hold, and its report says so."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.timeout(120)
def test_no_good_token_is_turned_away_and_no_bad_one_let_in_while_an_issuer_fails_in_every_way() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks.faults", "--requests", "3000", "--seed", "2"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "| Good tokens refused (401 or 403) | 0 |" in run.stdout
    assert "| Bad tokens let in | 0 |" in run.stdout
