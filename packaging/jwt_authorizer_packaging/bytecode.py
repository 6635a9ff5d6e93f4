"""Add bytecode and parsed documents to the package; leave out what running it does not need.

:mod:`jwt_authorizer_packaging.assemble` starts this with the very version of Python that Lambda runs, and with
``-X no_debug_ranges``: tracebacks name files and lines all the same, without the columns.
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
"""Where Lambda unpacks the package: what tracebacks name."""
_OUR_CODE = "jwt_authorizer"
_DEPENDENCIES = ("aws_lambda_powertools", "cryptography", "jmespath", "jwt", "typing_extensions.py")
"""What ``requirements.txt`` brings. Docstrings and sources are on the index, under the version in its METADATA.

A dependency that somebody adds stays whole: some read their own docstrings, or their sources.
"""
_UNCHECKED_HASH = (1).to_bytes(4, "little")
"""PEP 552: the bytecode is by the source's hash, which is never compared."""


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
        # Without optimization, which would drop assertions as well: some of them are checks.
        code = compile(tree, f"{LAMBDA_FOLDER}/{name.as_posix()}", "exec", dont_inherit=True, optimize=0)
        head = importlib.util.MAGIC_NUMBER + _UNCHECKED_HASH + importlib.util.source_hash(text)
        beside = name.parts[0] in _DEPENDENCIES
        target = source.with_suffix(".pyc") if beside else Path(importlib.util.cache_from_source(str(source)))
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(head + marshal.dumps(code))
        if beside:
            source.unlink()


def keep_parsed(document: Path) -> None:
    """Write ``X.toml`` once more as JSON, for a faster start: ``jwt_authorizer.settings`` reads ``X.toml.parsed``.

    That holds the SHA-256 of the text, a line break, and the JSON. Raises ``SystemExit`` for what is not TOML.
    """
    text = document.read_bytes().removeprefix(codecs.BOM_UTF8)
    try:
        says = tomllib.loads(text.decode("utf-8"))
    except ValueError as error:
        raise SystemExit(f"bundled/{document.name} is not a TOML document: {error}") from None
    with contextlib.suppress(TypeError):  # JSON has no dates; no setting is one
        parsed = f"{hashlib.sha256(text).hexdigest()}\n{json.dumps(says)}"
        document.with_name(f"{document.name}.parsed").write_text(parsed, "ascii")


def drop_docstrings(tree: ast.Module) -> None:
    """Take each docstring out. Lines keep their numbers."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:] or [ast.copy_location(ast.Pass(), node.body[0])]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
