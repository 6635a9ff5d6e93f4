"""``sam local invoke`` and ``sam local start-api``: what people at a desk run, in containers."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import urllib3

from demo.processes import ending_with_us
from demo.tools import ROOT, Tools, clean_environment, host_architecture
from jwt_authorizer_devkit.mint import Defect, access_claims, mint
from jwt_authorizer_devkit.signing import generate, key_set
from tests.integration.emulator import free_addresses, listens, wait_for
from tests.unit.pages import blocks

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jwt_authorizer_devkit.signing import SigningKey

# The first run on a machine pulls an image.
pytestmark = pytest.mark.timeout(600)

ISSUER = "https://issuer.example.com"
AUDIENCE = "https://api.example.com"
_END_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Local:
    """SAM CLI, and a key whose public half is in the settings."""

    key: SigningKey
    folder: Path

    def token(self, defect: Defect | None = None) -> str:
        claims = access_claims(ISSUER, {}, audience=AUDIENCE, now=time.time(), scope="orders:read")
        return mint(self.key, claims, defect=defect)


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Local:
    if not Tools().sam.exists():
        pytest.skip("no SAM CLI: run `make setup`")
    if not docker("version"):
        pytest.skip("no Docker here; an engine elsewhere is named by DOCKER_HOST")
    image = f"public.ecr.aws/lambda/python:3.13-{host_architecture()}"
    if not docker("image", "inspect", image) and not docker("pull", image):
        pytest.skip(f"Docker runs, but the image of Lambda's runtime cannot be pulled ({image})")
    return Local(generate("ES256", "key-1"), tmp_path_factory.mktemp("sam"))


def docker(*arguments: str) -> bool:
    """Return whether Docker is there, and does it."""
    program = shutil.which("docker")
    if program is None:
        return False
    return subprocess.run([program, *arguments], check=False, capture_output=True).returncode == 0  # noqa: S603 - our own arguments


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
    environment = clean_environment(local.folder)
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
    with log.open("w") as output, ending_with_us(command, clean_environment(local.folder), folder, output) as process:
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
