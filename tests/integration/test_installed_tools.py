"""The tools as a new user has them: a wheel in an environment of its own, an empty folder, the command.

On the function's version of Python, and on the oldest that the wheel says it runs on.
"""

import json
import os
import re
import subprocess
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.integration.emulator import ROOT
from tests.integration.orders_project import TESTS
from tests.unit.pages import DOCS, blocks

UV = ROOT / ".venvs/boot/bin/uv"


def uv(*arguments: str) -> None:
    # A shell, since index.sh sets the package index that this machine's pip uses.
    script = '. scripts/index.sh; exec "$0" "$@"'
    subprocess.run(["/bin/sh", "-c", script, str(UV), *arguments], check=True, cwd=ROOT, timeout=110)  # noqa: S603 - our own arguments


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    uv("build", "--quiet", "--wheel", "--out-dir", str(folder), ".")
    (built,) = folder.glob("*.whl")
    return built


@dataclass(frozen=True, slots=True)
class Installed:
    """The command of an environment, run in a folder that was empty."""

    program: Path
    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        return {
            "PATH": f"{self.program.parent}:{os.defpath}",
            "HOME": str(self.folder),
            # Typer would look for the shell that the tests were started from, and knows no plain sh.
            "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1",
        }

    def __call__(self, *arguments: str, code: int = 0, given: str = "") -> str:
        """Run the command, and check its exit code."""
        done = self.run([str(self.program), *arguments], given)
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout

    def python(self, *arguments: str) -> str:
        """Run the environment's Python, and check that it succeeds."""
        done = self.run([str(self.program.parent / "python"), *arguments])
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def pytest(self, **files: str) -> str:
        """Write a project's tests into the folder and run them."""
        for name, text in files.items():
            (self.folder / f"{name}.py").write_text(text)
        return self.python("-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error")

    def run(self, command: list[str], given: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603 - our own arguments
            command, cwd=self.folder, env=self.environment, input=given, text=True, capture_output=True, timeout=100,
            check=False,
        )  # fmt: skip


NEWEST, OLDEST = "3.13", "3.11"
on_the_newest = pytest.mark.parametrize("program", [NEWEST], indirect=True, scope="module")
on_the_oldest = pytest.mark.parametrize("program", [OLDEST], indirect=True, scope="module")


@pytest.fixture(scope="module", params=[NEWEST, OLDEST])
def program(request: pytest.FixtureRequest, wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    environment = tmp_path_factory.mktemp("environment") / "venv"
    found = subprocess.run(  # noqa: S603 - our own arguments
        [UV, "python", "find", "--no-project", "--no-python-downloads", request.param], capture_output=True, check=False
    )
    if found.returncode != 0:
        pytest.skip(f"needs a Python {request.param}, which this machine does not have")
    uv("venv", "--quiet", "--no-project", "--python", request.param, str(environment))
    uv("pip", "install", "--quiet", "--python", str(environment / "bin/python"), f"{wheel}[devkit]", "pytest")
    return environment / "bin/jwt-authorizer"


@pytest.fixture
def tools(program: Path, tmp_path: Path) -> Installed:
    return Installed(program, tmp_path)


@pytest.fixture
def addresses(tools: Installed) -> Iterator[dict[str, str]]:
    """Run the installed issuer, and give what it says of itself."""
    command = [str(tools.program), "issuer", "--port", "0", "--alg", "ES256", "--json"]
    with subprocess.Popen(  # noqa: S603 - our own arguments
        command, cwd=tools.folder, env=tools.environment, stdout=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout is not None
        yield json.loads(running.stdout.readline())
        running.terminate()
        assert running.wait(10) == 0


def test_the_wheel_holds_the_function_and_the_tools_alone(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"jwt_authorizer", "jwt_authorizer_devkit"}
    # Both are typed, and say so; the sample events come along.
    assert {"jwt_authorizer/py.typed", "jwt_authorizer_devkit/py.typed"} <= set(names)
    events = {f"jwt_authorizer_devkit/sample_events/{path.name}" for path in (ROOT / "events").iterdir()}
    assert events <= set(names)


def test_each_module_can_be_imported(tools: Installed) -> None:
    assert int(tools.python("-c", _IMPORT_ALL)) > len(list((ROOT / "devkit").rglob("*.py")))


# The pytest plugin, in the tests of another project.


def test_a_project_with_an_authorizer_py_of_its_own_uses_the_fixtures(tools: Installed) -> None:
    own = "import authorizer\n\n\ndef test_ours_is_ours():\n    assert authorizer.__file__.startswith('{}')\n"
    authorizer = "def lambda_handler(event, context):\n    raise NotImplementedError\n"
    assert "37 passed in" in tools.pytest(authorizer=authorizer, test_orders=TESTS + own.format(tools.folder))


@on_the_newest
def test_a_session_that_uses_none_of_it_imports_nothing_of_it(tools: Installed) -> None:
    late = "{'jwt_authorizer', 'jwt_authorizer_devkit.issuer'}"
    tools.pytest(test_imports=f"import sys\n\ndef test_imports():\n    assert not {late} & sys.modules.keys()\n")


@on_the_newest
def test_the_examples_of_the_page_run_as_they_stand(tools: Installed) -> None:
    page = DOCS / "testing.md"
    (config,) = blocks("toml", page=page)
    (tools.folder / "authorizer.toml").write_text(config.text)
    # Fenced by tildes: what the pages fence by backticks in Python are backends, and tried as such.
    python = re.findall(r"^~~~python\n(.*?)^~~~$", page.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    tests = {f"test_page_{number}": text for number, text in enumerate(python)}
    assert "7 passed in" in tools.pytest(**tests)


# The command.


def test_the_command_works_in_an_empty_folder(tools: Installed, addresses: dict[str, str]) -> None:
    assert "_JWT_AUTHORIZER_COMPLETE" in tools("--show-completion", "bash")
    issuer = addresses["issuer"]
    token = tools("mint", "--issuer", issuer, "--scope", "orders:read").strip()
    settings = f"JWT_ISSUER={issuer}\nJWT_AUDIENCE=https://api.example.com\nJWT_ALLOW_HTTP=true\n"
    (tools.folder / "function.env").write_text(settings)
    assert "allowed" in tools("explain", "-", "--env", "function.env", given=f"Bearer {token}\n")
    doctored = json.loads(tools("doctor", issuer, "--json", code=1))
    assert [one["topic"] for one in doctored["findings"] if one["level"] == "warning"] == ["tls"]
    tools("doctor", "--stack", "shop", code=3)


_IMPORT_ALL = """
import importlib, pkgutil
count = 0
for top in ("jwt_authorizer", "jwt_authorizer_devkit"):
    package = importlib.import_module(top)
    for module in pkgutil.walk_packages(package.__path__, top + "."):
        # What reads its settings as it is imported, and what runs.
        if module.name.rpartition(".")[2] not in ("handler", "__main__"):
            importlib.import_module(module.name)
            count += 1
print(count)
"""


# Your own check and wrapper, as docs/hooks.md has them, against the types of the wheel.

WRONG = """
from jwt_authorizer import Caller, Refuse, create_function

def check(caller: Caller) -> dict[str, str | int | float | bool] | Refuse | None:
    caller.id = "someone else"
    return {"plan": caller.plan}

def refuse(caller: Caller) -> Refuse:
    return Refuse(5)

function = create_function(["JWT_ISSUER"])
"""


def mypy(tools: Installed, *files: str) -> tuple[int, list[str]]:
    command = [str(ROOT / ".venv/bin/mypy"), "--strict", "--no-incremental", "--no-color-output", "--no-error-summary"]
    # boto3 comes without types.
    command += ["--disable-error-code=import-untyped", f"--python-executable={tools.program.parent / 'python'}", *files]
    done = subprocess.run(command, cwd=tools.folder, capture_output=True, text=True, timeout=110, check=False)  # noqa: S603 - ours
    return done.returncode, done.stdout.splitlines()


@on_the_oldest
def test_your_own_checks_and_wrapper_have_the_types_that_the_wheel_says(tools: Installed) -> None:
    names = []
    for block in blocks("python", page=DOCS / "hooks.md"):
        names.append(block.text.split("\n", 1)[0].removeprefix("# bundled/").partition(".py")[0] + ".py")
        (tools.folder / names[-1]).write_text(block.text)
    assert {"checks.py", "tenants.py", "suspended.py", "plans.py", "wrapped.py"} == set(names)
    assert mypy(tools, *names) == (0, [])
    (tools.folder / "wrong.py").write_text(WRONG)
    code, errors = mypy(tools, "wrong.py")
    assert code == 1
    assert [re.sub(r"wrong.py:(\d+): error: .*\[(.*)\]", r"\1 \2", error) for error in errors] == [
        "5 misc",
        "6 attr-defined",
        "9 arg-type",
        "11 arg-type",
    ]
