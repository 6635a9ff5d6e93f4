"""The template of a release: what `sam build` needs is gone, the code is the zip beside it, the rest is as it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jwt_authorizer_devkit.routes.documents import read_document
from jwt_authorizer_packaging.packaged_template import packaged_template

ROOT = Path(__file__).resolve().parents[2]
SOURCE = (ROOT / "template.yaml").read_text("utf-8")
CATALOGUE = "AWS::ServerlessRepo::Application"
ZIP = "./jwt-authorizer-1.2.3-x86_64.zip"


def packaged(**more: bool) -> dict[str, Any]:
    return read_document(packaged_template(ZIP, "x86_64", **more))


def test_each_function_names_the_zip_and_nothing_is_left_to_build() -> None:
    template = packaged()
    functions = [each for each in template["Resources"].values() if each["Type"] == "AWS::Serverless::Function"]
    assert len(functions) == 2
    assert {function["Properties"]["CodeUri"] for function in functions} == {ZIP}
    assert not any("Metadata" in function for function in functions)


def test_it_refuses_the_architecture_that_its_zip_is_not_for() -> None:
    parameter = packaged()["Parameters"]["Architecture"]
    assert (parameter["Default"], parameter["AllowedValues"]) == ("x86_64", ["x86_64"])
    assert ZIP in parameter["Description"]


def test_all_else_is_as_it_was() -> None:
    before: dict[str, Any] = read_document(SOURCE)
    after = packaged(catalogued=True)
    for each in before["Resources"].values():
        if each["Type"] == "AWS::Serverless::Function":
            each["Properties"]["CodeUri"] = ZIP
            del each["Metadata"]
    before["Parameters"]["Architecture"] = after["Parameters"]["Architecture"]
    before["Metadata"][CATALOGUE] |= {"LicenseUrl": "LICENSE", "ReadmeUrl": "README.md"}
    assert after == before


def test_files_beside_it_are_named_where_they_are_and_nowhere_else() -> None:
    assert {"LicenseUrl", "ReadmeUrl"} < packaged(catalogued=True)["Metadata"][CATALOGUE].keys()
    # `sam deploy` uploads what these name, and fails where it is not.
    assert list(packaged()["Metadata"]) == ["AWS::CloudFormation::Interface"]
    assert "LICENSE" not in SOURCE
