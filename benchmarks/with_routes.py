"""What rules cost at start-up: a process until its handler is ready, with 100 and 300 routes and with none."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

from benchmarks.policy_times import timed_api
from benchmarks.process import base_interpreter
from jwt_authorizer_packaging.bytecode import keep_parsed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from benchmarks.process import Package

SIZES = (0, 100, 300)
_SCRIPT = """
import awslambdaric.bootstrap
from jwt_authorizer.handler import lambda_handler
import time
print(time.process_time())
"""


def measure(package: Package, runtime: Path, jwks: str, rounds: int) -> dict[int, float]:
    """Return processor seconds by number of routes: the least of all rounds, each size once a round.

    The routes are in a bundled document, as the build leaves it; the keys are in the settings: nothing is fetched.
    """
    issuer = {"issuer": "https://issuer.example.com", "audience": "https://api.example.com", "jwks": jwks}
    settings: dict[int, Mapping[str, str]] = {0: {f"JWT_{name.upper()}": value for name, value in issuer.items()}}
    written: list[Path] = []
    for size in SIZES[1:]:
        document = package.folder / f"routes-{size}.toml"
        document.write_text(_document(issuer, size), "utf-8")
        keep_parsed(document)
        written += [document, document.with_name(f"{document.name}.parsed")]
        settings[size] = {"JWT_CONFIG": f"file:{document.name}"}
    times: dict[int, list[float]] = {size: [] for size in SIZES}
    for _ in range(rounds):
        for size in SIZES:
            times[size].append(_start(package, runtime, settings[size]))
    for path in written:  # the package is weighed as it was built
        path.unlink()
    return {size: min(each) for size, each in times.items()}


def _document(issuer: Mapping[str, str], size: int) -> str:
    tables = ["[[issuers]]", *(f"{name} = {json.dumps(value)}" for name, value in issuer.items())]
    for route in timed_api(size, absent=False).routes:
        (method,) = route.methods or ("GET",)
        tables += ["[[routes]]", f'method = "{method}"', f'path = "{route.path}"', f"scopes = {list(route.scopes)}"]
    return "\n".join(tables)


def _start(package: Package, runtime: Path, settings: Mapping[str, str]) -> float:
    environment = {
        "PYTHONPATH": f"{package.folder}:{runtime}",
        "PYTHONDONTWRITEBYTECODE": "1",
        "AWS_REGION": "eu-west-1",
        "LAMBDA_TASK_ROOT": str(package.folder),
        **settings,
    }
    command = [base_interpreter(), "-c", _SCRIPT]
    done = subprocess.run(command, env=environment, cwd=package.folder, check=True, capture_output=True)  # noqa: S603 - our own arguments
    return float(done.stdout)
