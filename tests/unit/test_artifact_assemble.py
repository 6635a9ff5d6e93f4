"""What the package's build does without installing anything."""

from __future__ import annotations

import importlib.util
import sys
from typing import TYPE_CHECKING

import pytest

from jwt_authorizer_packaging import assemble

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def package(tmp_path: Path) -> Path:
    folder = tmp_path / "package"
    assemble.empty(folder)
    return folder


def write(path: Path, text: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_it_starts_from_nothing(package: Path) -> None:
    write(package / "old" / "left.py")
    assemble.empty(package)
    assert list(package.iterdir()) == []


def test_what_no_run_time_code_reads_goes(package: Path) -> None:
    kept = [
        write(package / "lib" / "core.py"),
        write(package / "lib" / "data.json"),
        write(package / "lib-1.0.dist-info" / "METADATA"),
        write(package / "lib-1.0.dist-info" / "licenses" / "LICENSE"),
    ]
    write(package / "bin" / "lib-tool")
    write(package / "lib" / "core.pyi")
    write(package / "lib" / "tests" / "test_core.py")
    write(package / "lib" / "__pycache__" / "core.cpython-311.pyc")
    write(package / "lib-1.0.dist-info" / "RECORD")
    write(package / "lib-1.0.dist-info" / "INSTALLER")
    assemble.strip(package)
    assert sorted(path for path in package.rglob("*") if path.is_file()) == sorted(kept)


def test_our_code_comes_without_its_bytecode_and_without_notes(package: Path) -> None:
    assemble.copy_own(package)
    names = {path.name for path in package.rglob("*") if path.is_file()}
    assert {"handler.py", "errors.py"} <= names
    assert "README.md" not in names
    assert not any(name.endswith(".pyc") for name in names)


@pytest.mark.skipif(sys.version_info[:2] != assemble.version(), reason="the tests run on another Python than Lambda")
def test_bytecode_is_never_checked_against_times(package: Path) -> None:
    source = write(package / "lib" / "core.py", "X = {'a', 'b'}\n")
    assemble.compile_all(package)
    assemble.settle(package)
    compiled = (source.parent / "__pycache__" / f"core.{sys.implementation.cache_tag}.pyc").read_bytes()
    assert compiled[:4] == importlib.util.MAGIC_NUMBER
    # PEP 552: bit 0 says that a hash stands in place of the time, bit 1 that the hash is to be checked.
    assert int.from_bytes(compiled[4:8], "little") == 0b01
    assert b"/var/task/lib/core.py" in compiled
    assert source.stat().st_mtime == source.parent.stat().st_mtime


def test_it_builds_for_lambdas_architectures_only(capsys: pytest.CaptureFixture[str], package: Path) -> None:
    with pytest.raises(SystemExit):
        assemble.main(["--architecture", "riscv", "--into", str(package)])
    assert "riscv" in capsys.readouterr().err
