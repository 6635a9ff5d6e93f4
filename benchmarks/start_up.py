"""Measure how rules lengthen a start: a whole process until it is ready, with 100 and 300 routes, and without any.

    python -m benchmarks.start_up [--rounds 25]

The document is in the package as the build leaves it: TOML, and beside it the parsed document. The processor time of
whole processes is measured, in turn; the least of all rounds counts. All have their keys in the settings, so that the
network does not matter.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import packages
from benchmarks.policy_times import timed_api
from benchmarks.process import base_interpreter
from benchmarks.workload import AUDIENCE, workload
from jwt_authorizer_packaging.bytecode import keep_parsed

if TYPE_CHECKING:
    from benchmarks.process import Package
    from benchmarks.workload import Workload

COUNTS = (0, 100, 300)
BARS = {100: (1.2, 1.05), 300: (1.25, 1.1)}
"""By number of routes: the ratio that must be met, and the one that should be met."""
_READY = "import awslambdaric.bootstrap; import jwt_authorizer.handler"


def measure(package: Package, runtime: Path, load: Workload, rounds: int) -> dict[int, float]:
    """Return the processor seconds of a start by the number of routes."""
    environments = {count: _environment(package, load, count) for count in COUNTS}
    least = dict.fromkeys(COUNTS, float("inf"))
    for _ in range(rounds):
        for count, environment in environments.items():
            least[count] = min(least[count], _start(package, runtime, environment))
    return least


def _environment(package: Package, load: Workload, count: int) -> dict[str, str]:
    """Write the settings of a function with ``count`` routes, and return its variables."""
    if not count:
        return {"JWT_ISSUER": load.issuer, "JWT_AUDIENCE": AUDIENCE, "JWT_JWKS": load.jwks()}
    lines = ["[[issuers]]", f'issuer = "{load.issuer}"', f'audience = ["{AUDIENCE}"]', f"jwks = '{load.jwks()}'"]
    for route in timed_api(count, absent=False).routes:
        methods = json.dumps(sorted(route.methods or ()))
        lines += ["[[routes]]", f"method = {methods}", f'path = "{route.path}"', f"scopes = {json.dumps(route.scopes)}"]
    text = "\n".join(lines)
    name = f"rules-{count}.toml"
    document = package.folder / name
    document.write_text(text, "utf-8")
    keep_parsed(document)
    return {"JWT_CONFIG": f"file:{name}"}


def _start(package: Package, runtime: Path, settings: dict[str, str]) -> float:
    environment = {"PYTHONPATH": f"{package.folder}:{runtime}", "PYTHONDONTWRITEBYTECODE": "1", **settings}
    environment |= {"LAMBDA_TASK_ROOT": str(package.folder), "SSL_CERT_DIR": package.environment["SSL_CERT_DIR"]}
    command = [base_interpreter(), "-c", _READY]
    process = subprocess.Popen(command, env=environment, cwd=package.folder)  # noqa: S603 - our own arguments
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return usage.ru_utime + usage.ru_stime


def main() -> int:
    """Measure and print. Return 1 if a bar is not met."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.start_up", description=__doc__)
    parser.add_argument("--rounds", type=int, default=25)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder, workload(Path(folder)) as load:
        times = measure(packages.ours(load), packages.runtime(), load, rounds)
    print(f"without rules: {times[0] * 1e3:.1f} ms")
    for count, (bar, aim) in BARS.items():
        ratio = times[count] / times[0]
        print(f"{count} routes: {times[count] * 1e3:.1f} ms, {ratio:.2f} times (bar {bar}, aim {aim})")
    return 0 if all(times[count] <= bar * times[0] for count, (bar, _) in BARS.items()) else 1


if __name__ == "__main__":
    sys.exit(main())
