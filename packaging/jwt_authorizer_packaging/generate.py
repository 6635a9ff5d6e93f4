"""Write the generated files.

They are ``template.yaml``, the JSON Schema, the dashboard's picture, the tables of settings in pages, and the
declarations of the Terraform module and the CDK construct.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from jwt_authorizer_devkit.schema import config_schema
from jwt_authorizer_packaging import dashboard_picture
from jwt_authorizer_packaging.cdk import cdk_files
from jwt_authorizer_packaging.pages import with_tables
from jwt_authorizer_packaging.template import ROOT, template, write
from jwt_authorizer_packaging.terraform import terraform_files

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_PAGES = ("README.md", "docs/settings.md", "docs/operations.md")


def generated(root: Path) -> Mapping[str, str]:
    """Return the content of each generated file by its path in the repository."""
    pages = {page: with_tables((root / page).read_text("utf-8"), page) for page in _PAGES}
    schema = json.dumps(config_schema(), indent=2, ensure_ascii=False) + "\n"
    stack = template()
    dashboard = stack["Resources"]["AuthorizerDashboard"]["Properties"]["DashboardBody"]["Fn::Sub"][0]
    return {
        "template.yaml": write(stack),
        "docs/config.schema.json": schema,
        "docs/images/dashboard.svg": dashboard_picture.picture(dashboard),
        **terraform_files(),
        **cdk_files(),
        **pages,
    }


def main() -> None:
    """Write each file whose content differs, and print its path."""
    for path, text in generated(ROOT).items():
        if not (ROOT / path).exists() or (ROOT / path).read_text("utf-8") != text:
            (ROOT / path).write_text(text, "utf-8")
            print(path)


if __name__ == "__main__":
    main()
