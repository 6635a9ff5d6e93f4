# ruff: noqa: INP001 - a script, run by its path
"""Mutation testing: break the core on purpose, one change at a time, and report which changes the tests catch.

``python scripts/mutate.py [FILE...]`` tries the mutants in ``scripts/mutants.toml``, or those of the named files, in a
temporary copy of what Git tracks. A mutant is caught if a test fails. One that survives is a check without a
test. Takes about half an hour.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CORE = Path("authorizer/jwt_authorizer")
HTTPS = "tests/integration/test_https.py"
ALL = ("tests/security", "tests/unit", "tests/vectors", "tests/properties", HTTPS)


def main(only: list[str]) -> int:
    """Try the mutants. Return how many survived, or no longer apply to the code."""
    mutants = tomllib.loads((ROOT / "scripts" / "mutants.toml").read_text("utf-8"))["mutant"]
    chosen = [mutant for mutant in mutants if not only or mutant["file"] in only]
    found: dict[str, list[str]] = {"caught": [], "survived": [], "text is gone": []}
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        tracked = subprocess.check_output(["git", "ls-files", "-z"], cwd=ROOT, text=True)  # noqa: S607 - the user's Git
        for name in tracked.split("\0")[:-1]:
            if (ROOT / name).is_file():
                (copy / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, copy / name)
        (copy / ".venv").symlink_to(sys.prefix)  # tests look for programs there
        if not passes(copy, ALL):
            sys.exit("The tests fail without a mutant, so mutants cannot be tested.")
        for number, mutant in enumerate(chosen, 1):
            outcome = attempt(copy, mutant, number)
            found[outcome].append(mutant["why"])
            print(f"{number:3} {outcome:12} {mutant['file']}: {mutant['why']}", flush=True)  # noqa: T201 - the report
    print(", ".join(f"{len(names)} {outcome}" for outcome, names in found.items()))  # noqa: T201 - the report
    return len(chosen) - len(found["caught"])


def attempt(copy: Path, mutant: dict[str, str], number: int) -> str:
    """Apply a mutant, run the tests, and restore the file."""
    path = copy / CORE / mutant["file"]
    source = path.read_text("utf-8") if path.is_file() else ""
    if source.count(mutant["old"]) != 1:
        return "text is gone"
    path.write_text(source.replace(mutant["old"], mutant["new"]), "utf-8")
    # Python detects changed source by time and size, which two mutants in a second may share.
    later = path.stat().st_mtime + 10 * number
    os.utime(path, (later, later))
    # Run the tests first that import the mutant's module, and those of the whole function: they fail soonest.
    room = mutant["file"].removesuffix(".py").partition("/")[0]
    imported = re.compile(rf"^from jwt_authorizer(\.{room}\b| import .*\b{room}\b)", re.MULTILINE)
    own = [
        str(test.relative_to(copy))
        for test in (*sorted(copy.glob("tests/unit/test_*.py")), copy / HTTPS)
        if test.stem.startswith(("test_authorize", "test_function")) or imported.search(test.read_text("utf-8"))
    ]
    caught = not all(passes(copy, tests) for tests in (tuple(own), ("tests/security",), ALL))
    path.write_text(source, "utf-8")
    return "caught" if caught else "survived"


def passes(copy: Path, tests: tuple[str, ...]) -> bool:
    """Run tests until the first failure."""
    command = [sys.executable, "-m", "pytest", *tests, "--exitfirst", "--quiet", "-p", "no:cacheprovider"]
    if "tests/security" in tests:
        command += ["-n", "2", "--dist=worksteal"]
    # Programs that the tests start have to import the copy as well.
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(("authorizer", "devkit", "packaging"))}
    ended = subprocess.run(command, cwd=copy, env=environment, capture_output=True, check=False)  # noqa: S603 - ours
    return ended.returncode == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
