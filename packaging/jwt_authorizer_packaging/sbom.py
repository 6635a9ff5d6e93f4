"""The bill of materials of a package, in CycloneDX: each distribution, and the components of its compiled libraries.

It describes the finished package, not the requirements, so it does not list what ``assemble.py`` leaves out.
``cyclonedx-py`` (in ``.venvs/tools``) writes it. This module adds what that tool does not know: the zip's checksum, the
parts of a distribution that are left out, and the bills inside wheels (PEP 770), such as cryptography's for OpenSSL and
its Rust crates.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_OID, uuid5

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

_PARTLY = {
    "aws-lambda-powertools": "the Logger, and what it imports",
    "cffi": "_cffi_backend, the compiled part that cryptography imports",
}
"""The parts that :mod:`jwt_authorizer_packaging.assemble` keeps, if it does not keep the whole distribution."""
_OURS = "jwt-authorizer"
_KEPT_OF_NESTED = ("type", "name", "version", "purl", "licenses", "hashes", "externalReferences", "properties")


@dataclass(frozen=True, slots=True)
class Package:
    """A finished package: its folder, the name and SHA-256 of the zip, and the Python that compiled it."""

    folder: Path
    version: str
    architecture: str
    zip_name: str
    zip_sha256: str
    python: str


def bill_of_materials(package: Package, *, tool: Path, project: Path, made: datetime) -> str:
    """Return the document. The same package and ``made`` (its time stamp) give the same bytes.

    Raises:
        ValueError: The tool failed. The message has its output.

    """
    document = _written_by_tool(package, tool, project, made)
    # An identifier that depends only on the zip.
    document["serialNumber"] = f"urn:uuid:{uuid5(NAMESPACE_OID, package.zip_sha256)}"
    root = document["metadata"]["component"]
    root["version"] = package.version
    root["hashes"] = [{"alg": "SHA-256", "content": package.zip_sha256}]
    root["properties"] = _properties(
        file=package.zip_name,
        architecture=package.architecture,
        bytecode=f"CPython {package.python}",
        compression=f"zlib {zlib.ZLIB_RUNTIME_VERSION}",
    )
    for component in document["components"]:
        name = component["purl"].partition("@")[0].rpartition("/")[2]
        if name in _PARTLY:
            component["properties"] = _properties(contains=_PARTLY[name])
        nested = list(_nested(package.folder, component))
        if nested:
            component["components"] = nested
    return json.dumps(document, indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def _written_by_tool(package: Package, tool: Path, project: Path, made: datetime) -> dict[str, Any]:
    command = [str(tool), "environment", "-S", "--pyproject", str(project), "--spec-version", "1.6"]
    # The finished bill is checked later; the tool's own check would miss our additions, and is slow.
    command += ["--output-reproducible", "--no-validate", sys.executable]
    # Without site, the interpreter's path is PYTHONPATH and the standard library.
    environment = os.environ | {
        "PYTHONPATH": str(package.folder),
        "PYTHONDONTWRITEBYTECODE": "1",
        "SOURCE_DATE_EPOCH": str(int(made.timestamp())),
    }
    done = subprocess.run(command, check=False, env=environment, capture_output=True, text=True)  # noqa: S603 - our own arguments
    if done.returncode != 0:
        message = f"the bill of materials could not be written: {done.stderr.strip()}"
        raise ValueError(message)
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def _properties(**values: str) -> list[dict[str, str]]:
    return [{"name": f"{_OURS}:{name}", "value": value} for name, value in values.items()]


def _nested(folder: Path, component: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the components in a wheel's own bills (PEP 770), with references that are unique in this bill."""
    stem = f"{component['name'].lower().replace('-', '_')}-{component['version']}.dist-info"
    for file in sorted((folder / stem / "sboms").glob("*.json")):
        for inner in json.loads(file.read_text("utf-8")).get("components", []):
            kept = {name: inner[name] for name in _KEPT_OF_NESTED if name in inner}
            yield {**kept, "bom-ref": f"{component['bom-ref']}/{inner['name']}=={inner['version']}"}
