"""What ``sam build`` puts into the package: the function, its run-time dependencies, and nothing else."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from demo.tools import ROOT, Tools, clean_environment, host_architecture
from jwt_authorizer_packaging.assemble import PYTHON_VERSION

if TYPE_CHECKING:
    from demo.stack import Stack

# ELF header, e_machine: https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html
_MACHINES = {"arm64": 183, "x86_64": 62}


@pytest.fixture(scope="module")
def packages(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Build for both architectures: this machine's, which is the stack's, and the other from a folder with spaces."""
    folder = tmp_path_factory.mktemp("the other architecture")
    project = _copy(folder / "My Project")
    (other,) = set(_MACHINES) - {host_architecture()}
    command = [str(Tools().sam), "build", "--build-dir", str(folder / "build")]
    command += ["--config-file", str(folder / "none.toml"), "--parameter-overrides", f"Architecture={other}"]
    (folder / "none.toml").write_text("version = 0.1\n")
    subprocess.run(  # noqa: S603 - our own arguments
        command, check=True, cwd=project, env=clean_environment(folder), capture_output=True
    )
    name = "AuthorizerFunction"
    return {host_architecture(): stack.deployer.build_folder / name, other: folder / "build" / name}


def _copy(project: Path) -> Path:
    """Copy what `sam build` needs; the environment that it finds is this one."""
    for name in ("packaging", "authorizer", "bundled", "scripts"):
        shutil.copytree(ROOT / name, project / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("requirements.txt", "template.yaml"):
        shutil.copy(ROOT / name, project)
    (project / ".venv").symlink_to(ROOT / ".venv")
    (project / ".venvs").symlink_to(ROOT / ".venvs")
    return project


@pytest.fixture(params=sorted(_MACHINES))
def package(request: pytest.FixtureRequest, packages: dict[str, Path]) -> Path:
    return packages[request.param]


def test_it_holds_the_required_distributions_and_our_code(package: Path) -> None:
    required = set(re.findall(r"^([a-z0-9-]+)==", (ROOT / "requirements.txt").read_text(), re.MULTILINE))
    installed = {
        re.sub(r"[-_.]+", "-", path.name.split("-")[0]).lower() for path in package.glob("*.dist-info") if path.is_dir()
    }
    assert installed <= required
    assert {"cryptography", "pyjwt"} <= installed
    sources = {path.relative_to(ROOT / "authorizer") for path in (ROOT / "authorizer" / "jwt_authorizer").rglob("*.py")}
    shipped = {path.relative_to(package) for path in (package / "jwt_authorizer").rglob("*.py")}
    assert shipped == sources


def test_it_holds_nothing_else(package: Path) -> None:
    recorded = {"jwt_authorizer", "__pycache__"}
    for metadata in package.glob("*.dist-info"):
        recorded.add(metadata.name)
    others = {path.name for path in package.iterdir()} - recorded
    # The importable names of the dependencies; a new dependency is to be noticed here.
    assert {re.sub(r"\..*", "", name) for name in others} <= {
        "_cffi_backend",
        "aws_lambda_powertools",
        "cffi",
        "cryptography",
        "jmespath",
        "jwt",
        "pycparser",
        "typing_extensions",
    }
    names = {path.name for path in package.rglob("*")}
    assert not names & {"tests", "test", "docs", "demo", "devkit", "boto3", "README.md", ".venv", "bin", "RECORD"}


def test_its_libraries_are_for_its_architecture(packages: dict[str, Path]) -> None:
    for architecture, package in packages.items():
        libraries = list(package.rglob("*.so"))
        assert libraries
        for library in libraries:
            machine = int.from_bytes(library.read_bytes()[18:20], "little")
            assert (library.name, machine) == (library.name, _MACHINES[architecture])


@pytest.mark.skipif(
    f"{sys.version_info.major}.{sys.version_info.minor}" != PYTHON_VERSION, reason="the tests run on another Python"
)
def test_each_module_comes_with_bytecode(package: Path) -> None:
    tag = sys.implementation.cache_tag
    without = [
        path for path in package.rglob("*.py") if not (path.parent / "__pycache__" / f"{path.stem}.{tag}.pyc").is_file()
    ]
    assert without == []


def test_it_starts_by_itself(packages: dict[str, Path], tmp_path: Path) -> None:
    # -I -S: neither the environment's packages nor the folder's.
    script = "import sys; sys.path.insert(0, sys.argv[1]); import jwt_authorizer.function as f; print(f.__file__)"
    package = packages[host_architecture()]
    done = subprocess.run(  # noqa: S603 - our own arguments
        [sys.executable, "-I", "-S", "-c", script, str(package)],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert Path(done.stdout.strip()).is_relative_to(package)
