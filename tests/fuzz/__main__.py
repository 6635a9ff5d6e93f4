"""``python -m tests.fuzz [--seconds N] [--keep] [TARGET …]``: look for inputs that break a promise.

Coverage-guided fuzzing of all that strangers can write: tokens, events, key sets (``docs/threat-model.md``).

Runs in an environment of its own, since atheris is a large package that nothing else needs. What it finds
on the way is kept in ``.build/fuzz/``; ``--keep`` brings the inputs that reach something new into ``corpus/``.
"""

import argparse
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

HERE = Path(__file__).resolve().parent
CORPUS = HERE / "corpus"
WORK = HERE.parents[1] / ".build" / "fuzz"
NAMES = ("tokens", "events", "key_sets", "proofs", "uris")
LONGEST = 20_000
"""Bytes of an input: somewhat more than the longest token."""


def main() -> int:
    """Run each target in a process of its own: the fuzzer ends its process when it is done."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", choices=NAMES, help="all of them, if none is named")
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--keep", action="store_true", help="bring what is new into the corpus")
    arguments = parser.parse_args()
    failed = []
    for name in arguments.targets or NAMES:
        if run(name, f"-max_total_time={arguments.seconds}", WORK / name, CORPUS / name):
            failed.append(name)
        elif arguments.keep:
            keep(name)
    if failed:
        print(f"broken: {', '.join(failed)}; the inputs are in {WORK}")
    return len(failed)


def run(name: str, *options: object) -> int:
    (WORK / name).mkdir(parents=True, exist_ok=True)
    print(f"--- {name} {options[0]}", flush=True)
    shared = [f"-artifact_prefix={WORK / name}-", f"-dict={HERE / 'words.dict'}", f"-max_len={LONGEST}"]
    shared += ["-timeout=10", "-rss_limit_mb=2048", "-print_final_stats=1"]
    command = [sys.executable, "-m", "tests.fuzz.runner", name, *map(str, options), *shared]
    return subprocess.run(command, check=False, cwd=HERE.parents[1]).returncode  # noqa: S603 - our own command


def keep(name: str) -> None:
    """Let the fuzzer choose as few inputs as reach everything that has been reached, the shortest first."""
    with TemporaryDirectory() as folder:
        chosen = Path(folder)
        if run(name, "-merge=1", chosen, CORPUS / name, WORK / name) or not any(chosen.iterdir()):
            return
        for old in (CORPUS / name).iterdir():
            old.unlink()
        for new in chosen.iterdir():
            (CORPUS / name / new.name[:12]).write_bytes(new.read_bytes())


if __name__ == "__main__":
    sys.exit(main())
