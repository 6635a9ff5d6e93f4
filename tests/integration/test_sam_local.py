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
from jwt_authorizer_devkit.events import sample
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

    def command(self, *arguments: str, function: str) -> list[str]:
        """Complete a ``sam local`` command: the keys are in the settings, since a container may reach no issuer."""
        settings = {"JWT_ISSUER": ISSUER, "JWT_AUDIENCE": AUDIENCE, "JWT_JWKS": json.dumps(key_set((self.key,)))}
        file = self.folder / f"{function}.json"
        file.write_text(json.dumps({function: settings}))
        (self.folder / "none.toml").write_text("version = 0.1\n")
        return [
            *(str(Tools().sam), "local", *arguments),
            *("--env-vars", str(file), "--config-file", str(self.folder / "none.toml")),
            *("--parameter-overrides", f"Architecture={host_architecture()}", "--skip-pull-image"),
        ]


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


@pytest.fixture(scope="module")
def built(local: Local) -> Path:
    """Build as the README says, into a folder of our own."""
    folder = local.folder / "build"
    command = [str(Tools().sam), "build", "--build-dir", str(folder)]
    command += ["--parameter-overrides", f"Architecture={host_architecture()}"]
    subprocess.run(command, check=True, cwd=ROOT, env=clean_environment(local.folder), capture_output=True)  # noqa: S603 - our own
    return folder / "template.yaml"


def invoke(local: Local, template: Path, event: object) -> Any:  # noqa: ANN401 - whatever JSON a function answers
    file = local.folder / "event.json"
    file.write_text(json.dumps(event))
    command = local.command(
        *("invoke", "AuthorizerFunction", "--template-file", str(template), "--event", str(file)),
        function="AuthorizerFunction",
    )
    done = subprocess.run(  # noqa: S603 - our own arguments
        command, check=False, capture_output=True, text=True, cwd=local.folder, env=clean_environment(local.folder)
    )
    assert done.stdout.strip(), done.stderr
    return json.loads(done.stdout)


def test_invoke_answers_as_lambda_does(local: Local, built: Path) -> None:
    assert invoke(local, built, sample("http-api-2.0", local.token()))["context"]["sub"] == "user-1"
    answer = invoke(local, built, sample("rest-token", local.token(Defect.FORGED)))
    assert (answer["errorType"], answer["errorMessage"]) == ("Exception", "Unauthorized")


def test_the_recipe_of_the_events_page_works(local: Local, built: Path) -> None:
    """Run the lines of the page. ``sam`` neither builds again nor pulls an image."""
    (recipe,) = [block.text for block in blocks("sh", page=ROOT / "events" / "README.md") if "sam local" in block.text]
    folder = local.folder / "recipe"
    folder.mkdir()
    (folder / "events").symlink_to(ROOT / "events")
    options = f"--template-file {built} --skip-pull-image --config-file {folder}/none.toml"
    (folder / "none.toml").write_text("version = 0.1\n")
    tools = {
        "jwt-authorizer": f'exec {sys.executable} -m jwt_authorizer_devkit.cli "$@"',
        "sam": f'[ "$1" = build ] || exec {Tools().sam} "$@" {options}',
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
    answer = json.loads(done.stdout)
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
    command = local.command(
        *("start-api", "--port", address.rpartition(":")[2], "--warm-containers", "LAZY"), function="Authorizer"
    )
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
