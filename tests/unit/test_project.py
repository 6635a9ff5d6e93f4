"""What holds for the project as a whole: pinned requirements, one version of Python, pages that agree with files."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from jwt_authorizer_packaging.assemble import PYTHON_VERSION
from jwt_authorizer_packaging.generate import generated

ROOT = Path(__file__).resolve().parents[2]
GENERATED = generated(ROOT)
CODE = ["packaging", "authorizer", "benchmarks", "demo", "devkit", "tests/fuzz", "docs/website"]

# "About 250": what a file may grow to before it has to be divided. Tests are lists of cases, and read one at a time.
LONGEST = 280
LONGEST_TESTS = 550

# Pieced together, so that this file does not hold what it looks for.
NOWHERE = ["/" + "root/", "/" + "work/", "/home" + "/", "py" + "pi.org", "python" + "hosted.org", "registry." + "npmjs"]
# A folder of ours, and papers in it, that nobody else has.
NOWHERE += ["../" + "shared", '"shared' + '" /', "work" + "place", "DES" + "IGN", "CONT" + "RACT"]


def tracked(*patterns: str) -> list[Path]:
    """Give the files that belong to the project: those that are committed."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout: which files belong to the project cannot be told")
    listed = subprocess.run(  # noqa: S603 - our own arguments
        ["git", "ls-files", "-z", "--", *patterns],  # noqa: S607 - git is wherever the machine has it
        check=True,
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    return [path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file()]


def pins(file: Path) -> set[tuple[str, str]]:
    """Read name and version of each requirement. That each has a hash is what installing them insists on."""
    return set(re.findall(r"^([a-z0-9-]+)==(\S+)", file.read_text("utf-8"), re.MULTILINE))


@pytest.mark.parametrize("name", ["dev", "fuzz"])
def test_tests_run_with_the_versions_that_are_deployed(name: str) -> None:
    assert pins(ROOT / "requirements.txt") <= pins(ROOT / "requirements" / f"{name}.txt")


def test_the_version_of_python_is_one() -> None:
    assert (ROOT / ".python-version").read_text("utf-8").strip() == PYTHON_VERSION
    assert f"--python-version {PYTHON_VERSION} " in (ROOT / "Makefile").read_text("utf-8")
    runtimes = {found for path in tracked("*.yaml") for found in re.findall(r"python3\.\d+", path.read_text("utf-8"))}
    assert runtimes == {f"python{PYTHON_VERSION}"}


@pytest.mark.parametrize("path", GENERATED)
def test_what_is_committed_is_up_to_date(path: str) -> None:
    assert (ROOT / path).read_text("utf-8") == GENERATED[path], "run `make generate`"


@pytest.mark.parametrize(("limit", "folders"), [(LONGEST, CODE), (LONGEST_TESTS, ["tests"])])
def test_files_fit_in_the_head(limit: int, folders: list[str]) -> None:
    files = tracked(*(f"{folder}/*.py" for folder in folders))
    assert [file.name for file in files if file.read_text("utf-8").count("\n") > limit] == []


def test_nothing_names_a_machine_a_neighbor_or_a_package_index() -> None:
    found = []
    for path in tracked():
        text = path.read_bytes().decode("utf-8", "replace")
        found += [f"{path.relative_to(ROOT)}: {word}" for word in NOWHERE if word in text]
    assert found == []


WORKFLOWS = [yaml.safe_load(path.read_text("utf-8")) for path in sorted((ROOT / ".github" / "workflows").glob("*.yml"))]
JOBS = [(workflow, job) for workflow in WORKFLOWS for job in workflow["jobs"].values()]


def test_what_may_write_runs_none_of_our_code() -> None:
    # Without a checkout there is none to run. The form of workflows, and more, is checked by `make workflows`.
    assert JOBS
    for workflow, job in JOBS:
        assert "write" not in (workflow["permissions"] or {}).values()
        if "write" in job.get("permissions", {}).values():
            assert not any("actions/checkout" in step.get("uses", "") for step in job["steps"])


def test_all_that_is_pinned_is_audited_and_updated() -> None:
    folders = {path.parent for path in tracked("*package-lock.json")}
    updates = yaml.safe_load((ROOT / ".github" / "dependabot.yml").read_text("utf-8"))["updates"]
    updated = {entry["package-ecosystem"]: set(entry.get("directories", ())) for entry in updates}
    assert updated["pip"] == {"/", "/requirements"}
    assert updated["npm"] == {f"/{folder.relative_to(ROOT).as_posix()}" for folder in folders}
    audited = subprocess.run(["make", "-n", "audit"], check=True, capture_output=True, text=True, cwd=ROOT).stdout  # noqa: S607 - make is wherever the machine has it
    assert all(str((folder / "package-lock.json").relative_to(ROOT)) in audited for folder in folders)
