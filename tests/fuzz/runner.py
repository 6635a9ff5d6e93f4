"""``python -m tests.fuzz.runner TARGET OPTION …``: one target in the fuzzer's own process, with libFuzzer's options."""

import importlib
import shlex
import sys
from typing import Any


def main() -> None:
    """Fuzz until the options say stop. Does not return."""
    name, *options = sys.argv[1:]
    # By name, since the checks run where atheris is not installed.
    atheris: Any = importlib.import_module("atheris")
    with atheris.instrument_imports(include=["jwt_authorizer", "json", "jwt", "tests.fuzz"]):
        targets = importlib.import_module("tests.fuzz.targets")
    # libFuzzer starts itself again to merge, through a shell and by this text.
    itself = f"{shlex.quote(sys.executable)} -m tests.fuzz.runner {name}"
    atheris.Setup([itself, *options], targets.TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
