"""Check bills of materials against CycloneDX's schema.

``.venvs/tools/bin/python packaging/jwt_authorizer_packaging/bill_schema.py FILE…``.

The schema is the one that the CycloneDX library ships. Its own check of a bill takes some seconds, this one none.
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

_SCHEMA = "bom-1.6.SNAPSHOT.schema.json"
_REFERRED_TO = ("spdx.SNAPSHOT.schema.json", "jsf-0.82.SNAPSHOT.schema.json")
_ADDRESS = "http://cyclonedx.org/schema/"


def main(names: list[str]) -> int:
    """Say what is wrong with each file; give the exit code."""
    check = validator()
    problems = [f"{name}: {error}" for name in names for error in check.iter_errors(_read(Path(name)))]
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


def validator() -> Any:  # noqa: ANN401 - of a library that is in .venvs/tools alone
    """Give what checks a bill, formats such as those of dates and addresses included."""
    rules: Any = importlib.import_module("jsonschema_rs")
    folder = Path(str(importlib.import_module("cyclonedx.schema").__file__)).parent / "_res"
    registry = rules.Registry([(_ADDRESS + name, _read(folder / name)) for name in _REFERRED_TO])
    return rules.validator_for(_read(folder / _SCHEMA), registry=registry, validate_formats=True)


def _read(file: Path) -> Any:  # noqa: ANN401 - whatever JSON has
    return json.loads(file.read_text("utf-8"))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
