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
        return {"PATH": f"{self.program.parent}:{os.defpath}", "HOME": str(self.folder)}

    def __call__(self, *arguments: str, code: int = 0, given: str = "") -> str:
        """Run the command, and check its exit code."""
        return self.run("jwt-authorizer", *arguments, code=code, given=given)

    def pytest(self, **files: str) -> str:
        """Write a project's tests into the folder and run them."""
        for name, text in files.items():
            (self.folder / f"{name}.py").write_text(text)
        return self.run("python", "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error")

    def run(self, program: str, *arguments: str, code: int = 0, given: str = "") -> str:
        command = [str(self.program.with_name(program)), *arguments]
        done = subprocess.run(  # noqa: S603 - our own arguments
            command, cwd=self.folder, env=self.environment, input=given, text=True, capture_output=True, timeout=100,
            check=False,
        )  # fmt: skip
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout


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
def issuer(tools: Installed) -> Iterator[str]:
    """Run the installed issuer; give its URL."""
    command = [str(tools.program), "issuer", "--port", "0", "--alg", "ES256", "--json"]
    with subprocess.Popen(  # noqa: S603 - our own arguments
        command, cwd=tools.folder, env=tools.environment, stdout=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout is not None
        yield json.loads(running.stdout.readline())["issuer"]
        running.terminate()
        assert running.wait(10) == 0


def test_the_wheel_holds_the_function_and_the_tools_alone(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        tops = {name.partition("/")[0] for name in archive.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"jwt_authorizer", "jwt_authorizer_devkit"}


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


def test_each_module_can_be_imported(tools: Installed) -> None:
    assert int(tools.run("python", "-c", _IMPORT_ALL)) > len(list((ROOT / "devkit").rglob("*.py")))


# The pytest plugin, in the tests of another project.


TESTS = """
from pathlib import Path

import pytest
from jwt_authorizer_devkit.pytest_plugin import allows

KINDS = ["rest_token_event", "rest_request_event", "websocket_event", "http_api_v1_event", "http_api_v2_event"]


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_answered(kind, request, jwt_authorizer, signed_token):
    make = request.getfixturevalue(kind)
    event = make(signed_token(subject="ada"), "GET /orders/1")
    answer = jwt_authorizer()(event, None)
    assert allows(answer, event)
    assert kind == "http_api_v2_event" or answer["principalId"] == "ada"
    later = jwt_authorizer(clock=lambda: 4e9, http_api_reject="raise")
    for refused in (event, make(None, "GET /orders/1")):
        with pytest.raises(Exception, match="^Unauthorized$"):
            later(refused, None)


def test_appsync_is_told_which_fields_are_denied(jwt_authorizer, signed_token, appsync_event):
    authorizer = jwt_authorizer("[[fields]]\\nfield = 'Mutation.pay'\\nscopes = ['pay']")
    event = appsync_event(signed_token())
    answer = authorizer(event, None)
    assert allows(answer, event)
    assert answer["deniedFields"] == ["Mutation.pay"]
    assert not allows(authorizer(appsync_event(None), None), event)


@pytest.mark.parametrize("kind", ["rest_request_event", "http_api_v1_event", "http_api_v2_event"])
def test_a_bound_token_needs_a_proof(kind, request, jwt_authorizer, signed_token, dpop_client):
    authorizer = jwt_authorizer(bound_tokens=["dpop"], cached_by="nothing")
    token = signed_token({"cnf": dpop_client.cnf})
    event = request.getfixturevalue(kind)(token, "GET /orders/1")
    sent = dpop_client.sent(event, token, "https://api.example.com/orders/1")
    assert allows(authorizer(sent, None), sent)
    with pytest.raises(Exception, match="^Unauthorized$"):
        jwt_authorizer(bound_tokens=["dpop"], cached_by="nothing", http_api_reject="raise")(event, None)


def test_logs_are_captured_and_hold_no_token(jwt_authorizer, signed_token, rest_token_event, capsys):
    token = signed_token()
    jwt_authorizer()(rest_token_event(token), None)
    out = capsys.readouterr().out
    assert '"decision":"allow"' in out.replace(" ", "")
    assert token not in out


def test_after_a_test_with_capsys_the_function_still_starts(jwt_authorizer, capfd):
    jwt_authorizer()
    assert "Logging error" not in capfd.readouterr().err


def test_a_check_of_ones_own(jwt_authorizer, signed_token, rest_token_event):
    Path("bundled").mkdir()
    Path("bundled/own_checks.py").write_text(
        "from jwt_authorizer import Refuse\\n"
        "def check(caller): return Refuse('blocked') if 'blocked' in caller.scopes else {'plan': 'gold'}\\n"
    )
    authorizer = jwt_authorizer(hook="own_checks:check")
    assert authorizer(rest_token_event(signed_token()), None)["context"]["plan"] == "gold"
    refused = authorizer(rest_token_event(signed_token(scope="blocked")), None)
    assert refused["context"]["hook_reason"] == "blocked"
"""


def test_a_project_with_an_authorizer_py_of_its_own_uses_the_fixtures(tools: Installed) -> None:
    own = "import authorizer\n\n\ndef test_ours_is_ours():\n    assert authorizer.__file__.startswith('{}')\n"
    authorizer = "def lambda_handler(event, context):\n    raise NotImplementedError\n"
    assert "13 passed in" in tools.pytest(authorizer=authorizer, test_orders=TESTS + own.format(tools.folder))


@on_the_newest
def test_the_examples_of_the_page_run_as_they_stand(tools: Installed) -> None:
    page = DOCS / "testing.md"
    (config,) = blocks("toml", page=page)
    (tools.folder / "authorizer.toml").write_text(config.text)
    # Fenced by tildes: what the pages fence by backticks in Python are backends, and tried as such.
    python = re.findall(r"^~~~python\n(.*?)^~~~$", page.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    tests = {f"test_page_{number}": text for number, text in enumerate(python)}
    assert "7 passed in" in tools.pytest(**tests)


def test_the_command_works_in_an_empty_folder(tools: Installed, issuer: str) -> None:
    token = tools("mint", "--issuer", issuer, "--scope", "orders:read").strip()
    settings = f"JWT_ISSUER={issuer}\nJWT_AUDIENCE=https://api.example.com\nJWT_ALLOW_HTTP=true\n"
    (tools.folder / "function.env").write_text(settings)
    assert "allowed" in tools("explain", "-", "--env", "function.env", given=f"Bearer {token}\n")
    doctored = json.loads(tools("doctor", issuer, "--json", code=1))
    assert [one["topic"] for one in doctored["findings"] if one["level"] == "warning"] == ["tls"]
    # It needs boto3, which does not come with the tools.
    tools("doctor", "--stack", "shop", code=3)


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


@on_the_oldest
def test_your_own_checks_and_wrapper_have_the_types_that_the_wheel_says(tools: Installed) -> None:
    files = {"wrong.py": WRONG}
    for block in blocks("python", page=DOCS / "hooks.md"):
        files[block.text.split("\n", 1)[0].removeprefix("# bundled/").partition(".py")[0] + ".py"] = block.text
    assert {"checks.py", "tenants.py", "suspended.py", "plans.py", "wrapped.py", "wrong.py"} == files.keys()
    for name, text in files.items():
        (tools.folder / name).write_text(text)
    command = [str(ROOT / ".venv/bin/mypy"), "--strict", "--no-incremental", "--no-color-output", "--no-error-summary"]
    # boto3 comes without types.
    command += ["--disable-error-code=import-untyped", f"--python-executable={tools.program.parent / 'python'}", *files]
    done = subprocess.run(command, cwd=tools.folder, capture_output=True, text=True, timeout=110, check=False)  # noqa: S603 - ours
    errors = [re.sub(r"(.*):(\d+): error: .*\[(.*)\]", r"\1 \2 \3", line) for line in done.stdout.splitlines()]
    assert errors == ["wrong.py 5 misc", "wrong.py 6 attr-defined", "wrong.py 9 arg-type", "wrong.py 11 arg-type"]
