"""``sam local invoke`` and ``sam local start-api``: what people at a desk run, in containers."""

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import urllib3

from demo.processes import ending_with_us
from demo.tools import ROOT, Tools, clean_environment, host_architecture
from jwt_authorizer_devkit.mint import Defect, access_claims, mint
from jwt_authorizer_devkit.signing import SigningKey, generate, key_set
from tests.integration.emulator import free_addresses, listens, wait_for
from tests.unit.pages import blocks

# The first run on a machine may have to install an engine.
pytestmark = pytest.mark.timeout(600)

ISSUER = "https://issuer.example.com"
AUDIENCE = "https://api.example.com"
_END_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Local:
    """SAM CLI, and a key whose public half is in the settings."""

    key: SigningKey
    folder: Path
    engine: str | None
    """``DOCKER_HOST``; ``None`` for Docker's own default."""

    def token(self, defect: Defect | None = None) -> str:
        claims = access_claims(ISSUER, {}, audience=AUDIENCE, now=time.time(), scope="orders:read")
        return mint(self.key, claims, defect=defect)

    def environment(self) -> dict[str, str]:
        return clean_environment(self.folder, **({"DOCKER_HOST": self.engine} if self.engine else {}))


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Local]:
    if not Tools().sam.exists():
        pytest.skip("no SAM CLI: run `make setup`")
    with container_engine() as engine:
        yield Local(generate("ES256", "key-1"), tmp_path_factory.mktemp("sam"), engine)


def test_the_recipe_of_the_events_page_works(local: Local) -> None:
    """Run the lines of the page. ``sam`` builds into a folder of ours, and pulls no image."""
    (recipe,) = [block.text for block in blocks("sh", page=ROOT / "events" / "README.md") if "sam local" in block.text]
    folder = local.folder / "recipe"
    folder.mkdir()
    (folder / "events").symlink_to(ROOT / "events")
    (folder / "none.toml").write_text("version = 0.1\n")
    own = f"--config-file {folder}/none.toml"
    tools = {
        "jwt-authorizer": f'exec {sys.executable} -m jwt_authorizer_devkit.cli "$@"',
        "sam": f"""
            case $1 in
            build) cd {ROOT} && exec {Tools().sam} "$@" {own} --build-dir {folder}/build ;;
            *) exec {Tools().sam} "$@" {own} --template-file {folder}/build/template.yaml --skip-pull-image ;;
            esac""",
    }
    for name, line in tools.items():
        (folder / name).write_text(f"#!/bin/sh\n{line}\n")
        (folder / name).chmod(0o755)
    environment = local.environment()
    environment |= {"PATH": f"{folder}:{environment['PATH']}", "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(  # noqa: S603 - the page's lines
        ["bash", "-euc", recipe.replace("x86_64", host_architecture())],  # noqa: S607 - any bash will do
        cwd=folder, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout.strip().rpartition("\n")[2])
    assert (answer["principalId"], answer["context"]["iss"]) == ("user-1", "https://issuer.example.com")


@pytest.fixture(scope="module")
def apis(local: Local, package: Path) -> Iterator[str]:
    """Run `sam local start-api` for a REST API and an HTTP API; give their address."""
    folder = local.folder / "apis"
    folder.mkdir()
    shutil.copy(ROOT / "tests" / "integration" / "local-apis.yaml", folder / "template.yaml")
    shutil.copytree(ROOT / "demo" / "backend", folder / "backend")
    shutil.copytree(package, folder / "package")
    (address,) = free_addresses(1)
    # In the settings, since a container may reach no issuer.
    keys = json.dumps(key_set((local.key,)))
    settings = {"JWT_ISSUER": ISSUER, "JWT_AUDIENCE": AUDIENCE, "JWT_JWKS": keys}
    (folder / "settings.json").write_text(json.dumps({"Authorizer": settings}))
    (folder / "none.toml").write_text("version = 0.1\n")
    command = [
        *(str(Tools().sam), "local", "start-api", "--port", address.rpartition(":")[2], "--warm-containers", "LAZY"),
        *("--env-vars", "settings.json", "--config-file", str(folder / "none.toml"), "--skip-pull-image"),
        *("--parameter-overrides", f"Architecture={host_architecture()}"),
    ]
    log = folder / "sam.log"
    with log.open("w") as output, ending_with_us(command, local.environment(), folder, output) as process:
        wait_for(lambda: listens(address) or process.poll() is not None, 60)
        assert process.poll() is None, log.read_text()
        yield f"http://{address}"
        # It removes its containers when asked to end; give it the time.
        process.terminate()
        process.wait(_END_SECONDS)


def get(url: str, token: str | None) -> tuple[int, Any]:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    response = urllib3.request("GET", url, headers=headers, timeout=60, retries=False)
    return response.status, response.json() if response.status == 200 else None


def test_start_api_calls_the_backends_with_the_claims(apis: str, local: Local) -> None:
    status, body = get(f"{apis}/rest", local.token())
    assert (status, body["authorizer"]["sub"]) == (200, "user-1")
    assert json.loads(body["authorizer"]["claims"])["scope"] == "orders:read"
    status, body = get(f"{apis}/http", local.token())
    assert (status, body["authorizer"]["lambda"]["claims"]["scope"]) == (200, "orders:read")


@pytest.mark.parametrize(
    ("path", "defect", "status"),
    [
        ("rest", None, 401),
        ("http", None, 401),
        # AWS answers 401 here, `sam local` has no place for an authorizer that raises.
        ("rest", Defect.FORGED, 502),
        ("http", Defect.FORGED, 403),
    ],
)
def test_start_api_lets_nobody_else_in(apis: str, local: Local, path: str, defect: Defect | None, status: int) -> None:
    assert get(f"{apis}/{path}", None if defect is None else local.token(defect))[0] == status


# A Docker engine for ``sam local``, where one can be had.


_STAND_IN = "TEST_CONTAINER_ENGINE"
_START_SECONDS, _ENGINE_END_SECONDS = 500, 20


@contextlib.contextmanager
def container_engine() -> Iterator[str | None]:
    """Yield ``DOCKER_HOST`` (``None``: Docker's own default) while the block runs; skip the test without an engine."""
    if _works(["docker", "version"]):
        image = f"public.ecr.aws/lambda/python:3.13-{host_architecture()}"
        if not _works(["docker", "image", "inspect", image]) and not _works(["docker", "pull", image], 300):
            pytest.skip(f"Docker runs, but the image of Lambda's runtime cannot be pulled ({image})")
        yield None
        return
    named = os.environ.get(_STAND_IN)
    folders = sorted(ROOT.parent.glob("*/sam-local")) if named is None else [Path(named)]
    programs = [(folder / "up", folder / "down") for folder in folders]
    up, down = next((both for both in programs if all(it.is_file() for it in both)), (None, None))
    if up is None:
        pytest.skip(f"no Docker here, and {_STAND_IN} names no folder with programs, up and down, that run one")
    usual = f"unix://{os.environ.get('SAM_LOCAL_STATE', '/var/tmp/sam-local')}/docker.sock"  # noqa: S108 - its own default
    # One that runs already belongs to somebody else.
    ours = not _works(["docker", "--host", usual, "version"])
    started = subprocess.run([str(up)], check=False, capture_output=True, text=True, timeout=_START_SECONDS)  # noqa: S603 - named by the user
    found = re.search(r"\bDOCKER_HOST=(\S+)", started.stdout)
    if started.returncode != 0 or found is None:
        pytest.skip(f"no Docker here: {up} failed: {started.stderr.strip().rpartition('\n')[2]}")
    try:
        yield found[1]
    finally:
        if ours:
            _works([str(down)], _ENGINE_END_SECONDS)


def _works(command: list[str], seconds: float = 10) -> bool:
    """Return whether a program exists, succeeds and takes no longer."""
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        return subprocess.run(command, check=False, capture_output=True, timeout=seconds).returncode == 0  # noqa: S603 - our own arguments
    return False
