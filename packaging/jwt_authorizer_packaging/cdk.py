"""The CDK construct: its generated file, with a property for each parameter of the template, and its packages.

``python -m jwt_authorizer_packaging.cdk DIST`` builds its npm and Python packages from a release's zips in DIST.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from jwt_authorizer_devkit.routes.documents import read_document
from jwt_authorizer_packaging.packaged_template import packaged_template
from jwt_authorizer_packaging.parameters import Parameter, parameters
from jwt_authorizer_packaging.template import ROOT, template, write
from jwt_authorizer_packaging.version import version_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jwt_authorizer_packaging.template import Value

CONSTRUCT = "cdk-construct"
PACKAGE = "jwt-authorizer.zip"
"""The name of a package beside its template."""
_CODE = {"Bucket": {"Ref": "PackageBucket"}, "Key": {"Ref": "PackageKey"}}
_TYPES = {
    "text": "string",
    "boolean": "boolean",
    "number": "number",
    "switch": "boolean",
    "list": "string[]",
    "pairs": "{ [name: string]: string }",
    "json": "{ [name: string]: any }",
}
_HEAD = "// Written by `make generate` from the parameters of template.yaml; do not edit.\n"
_INTERFACE = """
/** The parameters of the template. One that is not given has the template's default. */
export interface JwtAuthorizerParameters {
%s}
"""
_TABLE = """
/** @internal */
export interface Parameter {
  readonly name: string;
  readonly parameter: string;
  readonly kind: string;
  readonly allowed?: string[];
  readonly least?: number;
  readonly most?: number;
  readonly pattern?: string;
}

/** @internal */
export const PARAMETERS: Parameter[] = [
%s];
"""


def cdk_files() -> Mapping[str, str]:
    """Return the content of the construct's generated file by its path in the repository."""
    found = parameters(template()["Parameters"])
    content = _HEAD + _INTERFACE % "\n".join(map(_property, found)) + _TABLE % "".join(map(_row, found))
    return {f"{CONSTRUCT}/src/parameters.ts": content}


def fill_construct(folder: Path, packages: Mapping[str, Path]) -> None:
    """Copy the construct's sources to a folder, with the template and the package for each architecture."""
    shutil.copytree(ROOT / CONSTRUCT, folder, ignore=shutil.ignore_patterns("node_modules", "dist", "lib"))
    described = json.loads((folder / "package.json").read_text("utf-8"))
    described["version"] = version_of(ROOT).number
    (folder / "package.json").write_text(json.dumps(described, indent=2), "utf-8")
    for architecture, package in packages.items():
        beside = folder / "packages" / architecture
        beside.mkdir(parents=True)
        shutil.copyfile(package, beside / PACKAGE)
        (beside / "template.yaml").write_text(construct_template(architecture), "utf-8")


def main(dist: Path) -> None:
    """Build the packages for npm and PyPI, with both architectures in each."""
    found = {name: next(dist.glob(f"jwt-authorizer-*-{name}.zip")) for name in ("arm64", "x86_64")}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / CONSTRUCT
        fill_construct(folder, found)
        (folder / "node_modules").symlink_to(ROOT / ".venvs" / "node" / CONSTRUCT / "node_modules")
        for command in (["jsii"], ["jsii-pacmak", "--targets", "js", "python"]):
            name, *arguments = command
            subprocess.run([folder / "node_modules" / ".bin" / name, *arguments], cwd=folder, check=True)  # noqa: S603 - our own arguments
        for file in (*folder.glob("dist/js/*.tgz"), *folder.glob("dist/python/*.whl")):
            shutil.copy(file, dist)
            print(dist / file.name)


def construct_template(architecture: str) -> str:
    """Return the packaged template with the code's bucket and key as parameters, which the CDK sets."""
    stack: Value = read_document(packaged_template(PACKAGE, architecture))
    for name, it in (("PackageBucket", "bucket"), ("PackageKey", "key")):
        stack["Parameters"][name] = {"Type": "String", "Description": f"The S3 {it} of the package"}
    for resource in stack["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = _CODE
    return write(stack)


def _property(parameter: Parameter) -> str:
    text = parameter.declared["Description"].replace("*/", "*\u200b/")
    default = "- not set" if parameter.default is None else json.dumps(parameter.default)
    lines = ["  /**", f"   * {text}", "   *", f"   * @default {default}", "   */"]
    return "\n".join([*lines, f"  readonly {_camel(parameter.name)}?: {_TYPES[parameter.kind]};", ""])


def _row(parameter: Parameter) -> str:
    declared = parameter.declared
    row = {
        "name": _camel(parameter.name),
        "parameter": parameter.parameter,
        "kind": parameter.kind,
        "allowed": [str(it) for it in parameter.allowed] or None,
        "least": declared.get("MinValue"),
        "most": declared.get("MaxValue"),
        "pattern": declared.get("AllowedPattern"),
    }
    members = (f"{name}: {json.dumps(value)}" for name, value in row.items() if value is not None)
    return f"  {{ {', '.join(members)} }},\n"


def _camel(name: str) -> str:
    return re.sub(r"_(.)", lambda found: found[1].upper(), name)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
