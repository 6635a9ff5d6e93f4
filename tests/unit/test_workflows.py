"""The GitHub workflows: they run what there is, and only the job that runs none of our code may write.

Their form and their weak points are checked by `make workflows`; GitHub alone can tell whether they run.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = {path.stem: yaml.safe_load(path.read_text("utf-8")) for path in (ROOT / ".github/workflows").glob("*.yml")}
JOBS = [(name, job) for name, workflow in WORKFLOWS.items() for job in workflow["jobs"]]


def steps(workflow: str, job: str) -> Iterator[dict[str, Any]]:
    yield from WORKFLOWS[workflow]["jobs"][job].get("steps", ())


def test_a_push_is_tested_as_at_a_desk() -> None:
    runs = [step["run"] for step in steps("test", "test") if "run" in step]
    assert runs == [".ci/run"]
    assert "exec make test" in (ROOT / ".ci" / "run").read_text("utf-8")
    assert [step["run"] for step in steps("test", "audit") if "run" in step] == ["make audit"]


def test_a_tag_is_tested_built_on_two_machines_and_compared() -> None:
    jobs = WORKFLOWS["release"]["jobs"]
    assert jobs["publish"]["needs"] == ["test", "build"]
    assert jobs["test"]["uses"] == "./.github/workflows/test.yml"
    machines = jobs["build"]["strategy"]["matrix"]["os"]
    assert len(set(machines)) == 2
    runs = " ".join(step["run"] for step in steps("release", "publish") if "run" in step)
    assert f"diff --recursive dist-{machines[0]} dist-{machines[1]}" in runs
    assert "sha256sum --check --strict SHA256SUMS" in runs
    (build,) = [step["run"] for step in steps("release", "build") if "run" in step]
    assert build == 'make release TAG="$GITHUB_REF_NAME"'


@pytest.mark.parametrize(("workflow", "job"), JOBS)
def test_what_may_write_runs_none_of_our_code(workflow: str, job: str) -> None:
    described = WORKFLOWS[workflow]
    permissions = described["jobs"][job].get("permissions", described["permissions"])
    if "write" not in permissions.values():
        return
    # Without a checkout there is none to run.
    assert not any("actions/checkout" in step.get("uses", "") for step in steps(workflow, job))
    assert "write" not in (described["permissions"] or {}).values()


@pytest.mark.parametrize(("workflow", "job"), JOBS)
def test_targets_of_make_exist(workflow: str, job: str) -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for step in steps(workflow, job):
        for target in re.findall(r"\bmake ([a-z]+)", step.get("run", "")):
            assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
