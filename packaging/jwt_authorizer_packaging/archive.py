"""The package as a zip: the same folder gives the same bytes, on whatever machine and whenever."""

from __future__ import annotations

import hashlib
import zipfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_FIRST_OF_1980 = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip can hold; a zip has no time zone."""
_READABLE = 0o100644
"""A plain file that Lambda's own user can read; a zip keeps a Unix mode in the upper half of its attributes."""
_UNIX = 3
_LEVEL = 9


def zip_folder(folder: Path, target: Path) -> None:
    """Write the files of a folder, sorted by name, each with the same time and rights.

    Folders have no entries of their own: Lambda makes them. What the compressor makes of the same input depends on its
    version alone, which ``docs/releasing.md`` says how to have.
    """
    names = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL) as archive:
        for name in sorted(names):
            entry = zipfile.ZipInfo(name, _FIRST_OF_1980)
            entry.create_system = _UNIX  # else that of the machine
            entry.external_attr = _READABLE << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, names[name].read_bytes())


def sha256(file: Path) -> str:
    """Give a file's SHA-256 in hexadecimal."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def checksums(files: list[Path]) -> str:
    """Give the text that ``sha256sum --check`` reads, one line a file."""
    return "".join(f"{sha256(file)}  {file.name}\n" for file in sorted(files, key=lambda file: file.name))
