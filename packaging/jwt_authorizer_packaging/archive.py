"""Zip the package reproducibly: the same folder gives the same bytes, on any machine and at any time."""

from __future__ import annotations

import hashlib
import zipfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_FIRST_OF_1980 = (1980, 1, 1, 0, 0, 0)
"""The earliest time in a zip, which does not have time zones."""
_READABLE = 0o100644
"""A regular file that Lambda's user can read. The Unix mode is in the upper half of a zip entry's attributes."""
_UNIX = 3
_LEVEL = 9


def zip_folder(folder: Path, target: Path) -> None:
    """Write the files of a folder, sorted by name, each with the same time and mode.

    Folders do not have entries: Lambda creates them. The compressed bytes depend on the version of the compressor:
    ``docs/releasing.md`` says how to get the same one.
    """
    names = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL) as archive:
        for name in sorted(names):
            entry = zipfile.ZipInfo(name, _FIRST_OF_1980)
            entry.create_system = _UNIX  # the default depends on the machine
            entry.external_attr = _READABLE << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, names[name].read_bytes())


def sha256(file: Path) -> str:
    """Return a file's SHA-256 in hexadecimal."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def checksums(files: list[Path]) -> str:
    """Return the input of ``sha256sum --check``, one line for each file."""
    return "".join(f"{sha256(file)}  {file.name}\n" for file in sorted(files, key=lambda file: file.name))
