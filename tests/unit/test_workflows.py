"""The GitHub workflows: they run what there is, and only the job that runs none of our code may write.

Their form and their weak points are checked by `make workflows`; GitHub alone can tell whether they run.
"""

from __future__ import annotations

import re
import shlex
import subprocess
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
RELEASING = (ROOT / "docs" / "releasing.md").read_text("utf-8")
WORKFLOWS = {path.stem: yaml.safe_load(path.read_text("utf-8")) for path in (ROOT / ".github/workflows").glob("*.yml")}
UPDATES = yaml.safe_load((ROOT / ".github/dependabot.yml").read_text("utf-8"))["updates"]
NODE_LOCKS = [
    path.relative_to(ROOT)
    for pattern in ("*/package-lock.json", "*/*/package-lock.json")
    for path in ROOT.glob(pattern)
    if not {".build", "node_modules", "dist", "site"} & {*path.parts}
]
JOBS = [(name, job) for name, workflow in WORKFLOWS.items() for job in workflow["jobs"]]


def steps(workflow: str, job: str) -> Iterator[dict[str, Any]]:
    yield from WORKFLOWS[workflow]["jobs"][job].get("steps", ())


def test_a_push_is_tested_as_at_a_desk() -> None:
    runs = [step["run"] for step in steps("test", "test") if "run" in step]
    assert runs == [".ci/run"]
    assert "exec make test" in (ROOT / ".ci" / "run").read_text("utf-8")
    assert [step["run"] for step in steps("test", "audit") if "run" in step] == ["make audit"]


def test_it_is_tested_on_both_of_lambdas_architectures_and_each_week() -> None:
    machines = WORKFLOWS["test"]["jobs"]["test"]["strategy"]["matrix"]["os"]
    assert {machine.endswith("-arm") for machine in machines} == {True, False}
    triggers = triggers_of("test")
    assert {"pull_request", "schedule"} < triggers.keys()
    assert triggers["push"]["branches"] == ["main"]


def triggers_of(workflow: str) -> dict[str, Any]:
    found: dict[str, Any] = WORKFLOWS[workflow][True]  # "on", to YAML
    return found


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
    assert triggers_of("release") == {"push": {"tags": ["v*"]}}


def test_whoever_builds_a_tag_again_has_the_python_of_the_workflow() -> None:
    setting = "UV_PYTHON_PREFERENCE=only-managed"
    name, _, value = setting.partition("=")
    assert WORKFLOWS["release"]["jobs"]["build"]["env"] == {name: value}
    assert f"{setting} make release TAG=" in RELEASING


def test_a_release_is_attested_before_it_is_drafted_and_a_person_publishes_it() -> None:
    # Only then does what `gh attestation verify` says hold of each file: releasing.md, "Check one".
    publish = list(steps("release", "publish"))
    (attest,) = [step for step in publish if step.get("uses", "").startswith("actions/attest@")]
    assert attest["with"] == {"subject-checksums": "dist-ubuntu-24.04/SHA256SUMS"}
    permissions = WORKFLOWS["release"]["jobs"]["publish"]["permissions"]
    assert permissions == {"contents": "write", "id-token": "write", "attestations": "write"}
    draft = publish[-1]
    assert publish.index(attest) < publish.index(draft)
    assert re.search(r"^gh release create \S+ .*--draft --verify-tag ", draft["run"])
    assert not any("gh release" in step.get("run", "") for step in publish[:-1])


def test_what_is_drafted_is_every_file_that_the_page_lists() -> None:
    *_, draft = steps("release", "publish")
    words = shlex.split(draft["run"].replace("\\\n", " "))
    taken = [word.removeprefix("./") for word in words[words.index("--notes") + 2 :]]
    rows = re.findall(r"^\| (`.+?) \|", RELEASING, re.MULTILINE)
    listed = [name for row in rows for name in re.findall(r"`(\S+?)`", row)]
    assert len(listed) == 7
    assert [name for name in listed if not any(fnmatch(name, pattern) for pattern in taken)] == []


def ecosystem(name: str) -> dict[str, Any]:
    (entry,) = [entry for entry in UPDATES if entry["package-ecosystem"] == name]
    found: dict[str, Any] = entry
    return found


def test_new_versions_of_all_that_is_pinned_are_told_each_week() -> None:
    assert [entry["package-ecosystem"] for entry in UPDATES] == ["pip", "npm", "github-actions"]
    assert {entry["schedule"]["interval"] for entry in UPDATES} == {"weekly"}
    assert set(ecosystem("pip")["directories"]) == {"/", "/requirements"}
    assert NODE_LOCKS
    assert set(ecosystem("npm")["directories"]) == {f"/{lock.parent.as_posix()}" for lock in NODE_LOCKS}


def test_all_that_is_pinned_is_audited() -> None:
    done = subprocess.run(["make", "-n", "audit"], check=True, capture_output=True, text=True, cwd=ROOT)  # noqa: S607 - make is wherever the machine has it
    assert "for file in requirements.txt requirements/*.txt;" in done.stdout
    (locks,) = re.findall(r"for file in (\S+package-lock.json .*);", done.stdout)
    assert sorted(locks.split()) == sorted(map(str, NODE_LOCKS))
    assert "npm audit --package-lock-only" in done.stdout


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


def test_the_site_is_published_with_each_release_once_somebody_turned_that_on() -> None:
    assert triggers_of("pages")["release"] == {"types": ["published"]}
    assert WORKFLOWS["pages"]["jobs"]["build"]["if"] == "vars.PUBLISH_DOCS == 'true'"
    assert WORKFLOWS["pages"]["jobs"]["publish"]["needs"] == "build"
