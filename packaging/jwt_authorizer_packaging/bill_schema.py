"""Check bills of materials against CycloneDX's schema.

``.venvs/tools/bin/python packaging/jwt_authorizer_packaging/bill_schema.py FILE…``.

The schema is from the CycloneDX library. That library's own check takes some seconds; this one is much faster.
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
    """Print what is wrong with each file, and return the exit code."""
    check = validator()
    problems = [f"{name}: {error}" for name in names for error in check.iter_errors(_read(Path(name)))]
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


def validator() -> Any:  # noqa: ANN401 - its library is only in .venvs/tools
    """Return a validator for bills. It also checks formats, such as those of dates and URLs."""
    rules: Any = importlib.import_module("jsonschema_rs")
    folder = Path(str(importlib.import_module("cyclonedx.schema").__file__)).parent / "_res"
    registry = rules.Registry([(_ADDRESS + name, _read(folder / name)) for name in _REFERRED_TO])
    return rules.validator_for(_read(folder / _SCHEMA), registry=registry, validate_formats=True)


def _read(file: Path) -> Any:  # noqa: ANN401 - any JSON
    return json.loads(file.read_text("utf-8"))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
