"""Examples for other tools: they list the settings, to refuse a misspelt one early, and a page says what they lack."""

from __future__ import annotations

import ast
import re

import pytest

from jwt_authorizer.settings.table import SETTINGS
from tests.unit.pages import EXAMPLES, ROOT, read_yaml, table

TEMPLATE = "The template, so with the Serverless Framework too"


@pytest.mark.parametrize(
    ("file", "listed"),
    [
        ("cdk/authorizer_construct.py", r"^SETTINGS = \((.*?)^\)"),
        ("terraform/jwt_authorizer/variables.tf", r"setsubtract\(keys\(var\.settings\), \[(.*?)\]\)"),
    ],
)
def test_an_example_lists_the_settings_there_are(file: str, listed: str) -> None:
    found = re.search(listed, (EXAMPLES / file).read_text("utf-8"), re.DOTALL | re.MULTILINE)
    assert found
    assert re.findall(r'"(\w+)"', found[1]) == [setting.name for setting in SETTINGS]


def parameters_of_the_template() -> list[str]:
    parameters = read_yaml((ROOT / "template.yaml").read_text("utf-8"))["Parameters"]
    return ["Jwt…", *(name for name in parameters if not name.startswith("Jwt"))]


def parameters_of_the_construct() -> list[str]:
    source = (EXAMPLES / "cdk" / "authorizer_construct.py").read_text("utf-8")
    (init,) = [node for node in ast.walk(ast.parse(source)) if getattr(node, "name", "") == "__init__"]
    assert isinstance(init, ast.FunctionDef)
    return [argument.arg for argument in init.args.kwonlyargs if argument.arg != "package"]


def parameters_of_the_module() -> list[str]:
    variables = (EXAMPLES / "terraform" / "jwt_authorizer" / "variables.tf").read_text("utf-8")
    return [
        name for name in re.findall(r'^variable "(\w+)"', variables, re.MULTILINE) if name not in {"name", "package"}
    ]


def test_the_page_says_what_comes_with_which_tool() -> None:
    page = (EXAMPLES / "README.md").read_text("utf-8")
    tools = (parameters_of_the_template(), parameters_of_the_construct(), parameters_of_the_module())
    for column, there_are in zip((TEMPLATE, "CDK", "Terraform"), tools, strict=True):
        rows = table(EXAMPLES / "README.md", "What", TEMPLATE, "CDK", "Terraform")
        named = [name.strip() for row in rows for name in row[column].split(",")]
        # Once each; and "no", or for who may call a word of another kind.
        assert sorted(name for name in named if f"`{name}`" in page) == sorted(there_are), column
        assert {name for name in named if f"`{name}`" not in page} <= {
            "no",
            "the APIs that have its authorizers",
            "the two APIs of main.tf",
        }


def test_the_page_says_which_folders_need_their_neighbour() -> None:
    page = " ".join((EXAMPLES / "README.md").read_text("utf-8").split())
    said = re.search(r"take a folder elsewhere: ([\w, -]+) need `backend/` beside them", page)
    assert said
    sharing = [path.parent.name for path in EXAMPLES.glob("*/*.yaml") if "CodeUri: ../" in path.read_text("utf-8")]
    assert sorted(re.split(r", | and ", said[1])) == sorted(set(sharing))
