"""Keep what a release promises, for later ones to be held to: ``make record`` writes ``releases/<version>/``.

The folder of a version that has no tag yet is written anew whenever that version changes; afterwards it stays.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from artifact.assemble import ROOT
from artifact.interface import Interface, interface
from artifact.version import ReleaseError, version_of
from devkit.routes.documents import Mapping, read_document

if TYPE_CHECKING:
    from pathlib import Path

_TEMPLATE, _INTERFACE = "template.yaml", "interface.json"


@dataclass(frozen=True, slots=True)
class Release:
    """What a version promises: its template, and what :func:`artifact.interface.interface` says of its code."""

    number: str
    template: Mapping
    interface: Interface


def recorded(root: Path) -> list[Release]:
    """Give the releases that there is a record of, the oldest first."""
    folders = [folder for folder in (root / "releases").iterdir() if folder.is_dir()]
    return [_read(folder) for folder in sorted(folders, key=lambda folder: _order(folder.name))]


def current(root: Path) -> Release:
    """Describe this tree."""
    return Release(
        version_of(root).number, read_document((root / _TEMPLATE).read_text("utf-8")), json.loads(_text(interface()))
    )


def check(root: Path, number: str) -> None:
    """Raise :class:`ReleaseError` where the record of a version is missing, or is of something else."""
    for name, text in _files(root).items():
        file = root / "releases" / number / name
        if not file.is_file() or file.read_text("utf-8") != text:
            message = f"releases/{number}/{name} is not what this tree is: run `make record` and commit it"
            raise ReleaseError(message)


def write(root: Path, number: str) -> list[Path]:
    """Write the record of this tree; give its files."""
    folder = root / "releases" / number
    folder.mkdir(parents=True, exist_ok=True)
    files = _files(root)
    for name, text in files.items():
        (folder / name).write_text(text, "utf-8")
    return [folder / name for name in files]


def _files(root: Path) -> dict[str, str]:
    return {_TEMPLATE: (root / _TEMPLATE).read_text("utf-8"), _INTERFACE: _text(interface())}


def _text(described: Interface) -> str:
    return json.dumps(described, indent=2, ensure_ascii=False) + "\n"


def _read(folder: Path) -> Release:
    return Release(
        folder.name,
        read_document((folder / _TEMPLATE).read_text("utf-8")),
        json.loads((folder / _INTERFACE).read_text("utf-8")),
    )


def _order(number: str) -> tuple[int, ...]:
    return tuple(int(part) for part in number.split("."))


def _tagged(number: str) -> bool:
    command = ["git", "tag", "--list", f"v{number}"]
    return bool(subprocess.run(command, check=False, capture_output=True, cwd=ROOT).stdout)  # noqa: S603 - our own arguments


def main() -> int:
    """Write the record of this tree; give the exit code."""
    try:
        version = version_of(ROOT)
        if _tagged(version.number):
            check(ROOT, version.number)
            print(f"record: {version.number} has its tag; the record of it is right, and stays")
            return 0
        files = write(ROOT, version.number)
    except ReleaseError as error:
        print(f"record: {error}", file=sys.stderr)
        return 1
    for file in files:
        print(f"record: {file.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
