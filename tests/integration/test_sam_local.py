"""``sam local invoke``, in a container: the recipe of events/README.md."""

import contextlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.tools import ROOT, Tools, clean_environment, host_architecture
from tests.unit.pages import blocks

_STAND_IN = "TEST_CONTAINER_ENGINE"
_START_SECONDS, _END_SECONDS = 500, 20


@pytest.fixture
def engine() -> Iterator[dict[str, str]]:
    """Run a Docker engine where one can be had; yield the variables that name it, and none for Docker's own default."""
    if _works(["docker", "version"]):
        image = f"public.ecr.aws/lambda/python:3.13-{host_architecture()}"
        if not _works(["docker", "image", "inspect", image]) and not _works(["docker", "pull", image], 300):
            pytest.skip(f"Docker runs, but the image of Lambda's runtime cannot be pulled ({image})")
        yield {}
        return
    folders = [Path(os.environ[_STAND_IN])] if _STAND_IN in os.environ else ROOT.parent.glob("*/sam-local")
    folder = next((it for it in folders if (it / "up").is_file()), None)
    if folder is None:
        pytest.skip(f"no Docker here, and {_STAND_IN} names no folder with programs, up and down, that run one")
    usual = f"unix://{os.environ.get('SAM_LOCAL_STATE', '/var/tmp/sam-local')}/docker.sock"  # noqa: S108 - its own default
    # One that runs already belongs to somebody else.
    ours = not _works(["docker", "--host", usual, "version"])
    started = subprocess.run([str(folder / "up")], check=False, capture_output=True, text=True, timeout=_START_SECONDS)  # noqa: S603 - named by the user
    found = re.search(r"\bDOCKER_HOST=(\S+)", started.stdout)
    if started.returncode != 0 or found is None:
        pytest.skip(f"no Docker here: {folder}/up failed: {started.stderr.strip().rpartition('\n')[2]}")
    try:
        yield {"DOCKER_HOST": found[1]}
    finally:
        if ours:
            _works([str(folder / "down")], _END_SECONDS)


def _works(command: list[str], seconds: float = 10) -> bool:
    """Return whether a program exists, succeeds and takes no longer."""
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        return subprocess.run(command, check=False, capture_output=True, timeout=seconds).returncode == 0  # noqa: S603 - our own arguments
    return False


# The first run on a machine may have to install an engine.
@pytest.mark.timeout(600)
@pytest.mark.skipif(not Tools().sam.exists(), reason="no SAM CLI: run `make setup`")
def test_the_recipe_of_the_events_page_works(engine: dict[str, str], tmp_path: Path) -> None:
    """Run the lines of the page. ``sam`` builds into a folder of ours, and pulls no image."""
    (recipe,) = [block.text for block in blocks("sh", page=ROOT / "events" / "README.md") if "sam local" in block.text]
    (tmp_path / "events").symlink_to(ROOT / "events")
    (tmp_path / "none.toml").write_text("version = 0.1\n")
    own = f"--config-file {tmp_path}/none.toml"
    tools = {
        "jwt-authorizer": f'exec {sys.executable} -m jwt_authorizer_devkit.cli "$@"',
        "sam": f"""
            case $1 in
            build) cd {ROOT} && exec {Tools().sam} "$@" {own} --build-dir {tmp_path}/build ;;
            *) exec {Tools().sam} "$@" {own} --template-file {tmp_path}/build/template.yaml --skip-pull-image ;;
            esac""",
    }
    for name, line in tools.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{line}\n")
        (tmp_path / name).chmod(0o755)
    environment = clean_environment(tmp_path, **engine)
    environment |= {"PATH": f"{tmp_path}:{environment['PATH']}", "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(  # noqa: S603 - the page's lines
        ["bash", "-euc", recipe.replace("x86_64", host_architecture())],  # noqa: S607 - any bash will do
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout.strip().rpartition("\n")[2])
    assert (answer["principalId"], answer["context"]["iss"]) == ("user-1", "https://issuer.example.com")
