"""The zip of a release: bytes that depend on nothing but names and contents."""

from __future__ import annotations

import os
import subprocess
import zipfile
from typing import TYPE_CHECKING

import pytest

from jwt_authorizer_packaging.archive import checksums, sha256, zip_folder

if TYPE_CHECKING:
    from pathlib import Path

FILES = {"b.py": "b = 1\n", "a/deep/c.py": "c = 2\n" * 100, "a/B.py": "", "z.so": "binary"}


def folder(path: Path, names: list[str]) -> Path:
    for name in names:
        file = path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(FILES[name])
    return path


def test_neither_order_nor_times_nor_rights_nor_place_matter(tmp_path: Path) -> None:
    one = folder(tmp_path / "one", list(FILES))
    other = folder(tmp_path / "a" / "longer" / "name", sorted(FILES, reverse=True))
    (other / "empty").mkdir()
    for path in other.rglob("*"):
        os.utime(path, (1_000_000_000, 1_000_000_000))
        path.chmod(0o700)
    zip_folder(one, tmp_path / "one.zip")
    zip_folder(other, tmp_path / "other.zip")
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "other.zip").read_bytes()
    (one / "b.py").write_text("b = 2\n")
    zip_folder(one, tmp_path / "changed.zip")
    assert sha256(tmp_path / "changed.zip") != sha256(tmp_path / "one.zip")


def test_lambda_can_read_every_file(tmp_path: Path) -> None:
    made = folder(tmp_path / "made", list(FILES))
    (made / "b.py").chmod(0o600)
    zip_folder(made, tmp_path / "made.zip")
    with zipfile.ZipFile(tmp_path / "made.zip") as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["a/B.py", "a/deep/c.py", "b.py", "z.so"]
        for entry in archive.infolist():
            assert archive.read(entry).decode() == FILES[entry.filename]
            # A regular file, rw-r--r--, as a Unix system would have made it; the first moment that a zip can hold.
            assert (entry.create_system, entry.external_attr >> 16) == (3, 0o100644)
            assert entry.date_time == (1980, 1, 1, 0, 0, 0)
            assert entry.compress_type == zipfile.ZIP_DEFLATED


def test_checksums_are_what_sha256sum_reads(tmp_path: Path) -> None:
    made = folder(tmp_path, ["b.py", "z.so"])
    (made / "SHA256SUMS").write_text(checksums([made / "z.so", made / "b.py"]))
    check = ["sha256sum", "--check", "--strict", "SHA256SUMS"]
    try:
        good = subprocess.run(check, cwd=made, capture_output=True, text=True, check=False)  # noqa: S603 - our own arguments
    except FileNotFoundError:
        pytest.skip("this machine has no sha256sum")
    assert good.stdout.splitlines() == ["b.py: OK", "z.so: OK"]
    (made / "b.py").write_text("other\n")
    assert subprocess.run(check, cwd=made, capture_output=True, check=False).returncode == 1  # noqa: S603 - our own arguments
