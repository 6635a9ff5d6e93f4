"""A folder with settings in it, where tests run the command `jwt-authorizer`; and requests to what it starts."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

from jwt_authorizer_devkit.cli.app import run
from tests.factories import AUDIENCE, ISSUER, NOW, environment

AT = f"--at={NOW:.0f}"


@dataclass(frozen=True, slots=True)
class Desk:
    """A folder with settings in it, and a way to run commands there."""

    folder: Path
    capture: pytest.CaptureFixture[str]

    def run(self, *arguments: str) -> tuple[int, str]:
        """Run a command; give its exit code and all it printed."""
        code = run(list(arguments))
        captured = self.capture.readouterr()
        return code, captured.out + captured.err

    def json(self, *arguments: str) -> tuple[int, Any]:
        code = run([*arguments, "--json"])
        return code, json.loads(self.capture.readouterr().out)

    def explain(self, *arguments: str) -> tuple[int, str]:
        return self.run("explain", *arguments, AT, f"--env={self.folder / 'function.env'}")

    def explain_json(self, token: str) -> tuple[int, Any]:
        return self.json("explain", token, AT, f"--env={self.folder / 'function.env'}")

    def write(self, name: str, text: str) -> str:
        path = self.folder / name
        path.write_text(text, "utf-8")
        return str(path)


def set_up(folder: Path, capture: pytest.CaptureFixture[str]) -> Desk:
    """Write settings that let in what :func:`tests.factories.token` makes."""
    desk = Desk(folder, capture)
    keys = environment()["JWT_JWKS"]
    desk.write("function.env", f"# settings\nexport JWT_ISSUER={ISSUER}\nJWT_AUDIENCE='{AUDIENCE}'\nJWT_JWKS={keys}\n")
    return desk


def fetch(
    url: str, headers: dict[str, str] | None = None, data: bytes | None = None, /, **form: str
) -> tuple[int, str]:
    """Ask a server of this machine. Return the status and the body."""
    method = "GET" if data is None and not form else "POST"
    answer = httpx2.request(method, url, headers=headers, content=data, data=form or None, timeout=10)
    return answer.status_code, answer.text
