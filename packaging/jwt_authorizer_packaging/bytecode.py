"""Add bytecode and parsed documents to the package; remove docstrings and sources that are not needed at run time.

:mod:`jwt_authorizer_packaging.assemble` starts this with Lambda's version of Python, and with ``-X no_debug_ranges``:
tracebacks have files and lines, but not columns.
"""

from __future__ import annotations

import ast
import codecs
import contextlib
import hashlib
import importlib.util
import json
import marshal
import sys
import tomllib
from pathlib import Path

LAMBDA_FOLDER = "/var/task"
"""Where Lambda unpacks the package: the folder in tracebacks."""
_OUR_CODE = "jwt_authorizer"
_DEPENDENCIES = ("aws_lambda_powertools", "cryptography", "jmespath", "jwt", "typing_extensions.py")
"""The packages of ``requirements.txt``. Their docstrings and sources are on PyPI, under the version in METADATA.

Other dependencies are not changed, since some read their own docstrings or sources.
"""
_UNCHECKED_HASH = (1).to_bytes(4, "little")
"""PEP 552: the bytecode has the source's hash, but Python never compares it."""


def main(package: Path) -> None:
    """Compile each module of the package, and parse each TOML document at its top."""
    for document in sorted(package.glob("*.toml")):
        keep_parsed(document)
    for source in sorted(package.rglob("*.py")):
        name = source.relative_to(package)
        text = source.read_bytes()
        try:
            tree = ast.parse(text)
        except SyntaxError as error:
            raise SystemExit(f"{name}, line {error.lineno}, does not compile: {error.msg}") from None
        if name.parts[0] in (_OUR_CODE, *_DEPENDENCIES):
            drop_docstrings(tree)
        # Without optimization, which would also drop assertions, some of which are checks.
        code = compile(tree, f"{LAMBDA_FOLDER}/{name.as_posix()}", "exec", dont_inherit=True, optimize=0)
        head = importlib.util.MAGIC_NUMBER + _UNCHECKED_HASH + importlib.util.source_hash(text)
        beside = name.parts[0] in _DEPENDENCIES
        target = source.with_suffix(".pyc") if beside else Path(importlib.util.cache_from_source(str(source)))
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(head + marshal.dumps(code))
        if beside:
            source.unlink()


def keep_parsed(document: Path) -> None:
    """Write ``X.toml`` as JSON too, for a faster start: ``jwt_authorizer.settings`` reads ``X.toml.parsed``.

    That file has the SHA-256 of the TOML, a line break, and the JSON. Raises ``SystemExit`` if it is not TOML.
    """
    text = document.read_bytes().removeprefix(codecs.BOM_UTF8)
    try:
        parsed = tomllib.loads(text.decode("utf-8"))
    except ValueError as error:
        raise SystemExit(f"bundled/{document.name} is not a TOML document: {error}") from None
    with contextlib.suppress(TypeError):  # dates are not JSON; no setting is a date
        content = f"{hashlib.sha256(text).hexdigest()}\n{json.dumps(parsed)}"
        document.with_name(f"{document.name}.parsed").write_text(content, "ascii")


def drop_docstrings(tree: ast.Module) -> None:
    """Remove each docstring. Line numbers do not change."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:] or [ast.copy_location(ast.Pass(), node.body[0])]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
