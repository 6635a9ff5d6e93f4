"""The page about operations says of the stack what the template says."""

from __future__ import annotations

import re

from jwt_authorizer.settings.table import SETTINGS
from tests.cloudformation import read_template
from tests.unit.pages import DOCS, ROOT
from tests.unit.running import alarms

TEXT = (DOCS / "operations.md").read_text("utf-8")
TEMPLATE = read_template(ROOT / "template.yaml")
# Where an empty parameter has a value all the same.
MEANT = {"ServiceName": "the stack's name", "RefreshIssuer": "`JwtIssuer`"}


def rows(heading: str) -> list[list[str]]:
    """Give the cells of the table in a section, its head left out."""
    section = TEXT.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return [row.strip("|").split(" | ") for row in re.findall(r"^\|.*\|$", section, re.MULTILINE)[2:]]


def names(cell: str) -> list[str]:
    return re.findall(r"`(\w+)`", cell)


def test_each_parameter_of_the_stack_is_listed_with_its_default() -> None:
    listed = {name: default for cell, default, _ in rows("Parameters") for name in names(cell)}
    of_settings = {"".join(part.capitalize() for part in it.variable.split("_")) for it in SETTINGS}
    assert listed.keys() == TEMPLATE["Parameters"].keys() - of_settings
    for name, default in listed.items():
        value = str(TEMPLATE["Parameters"][name]["Default"])
        assert default == (f"`{value}`" if value else MEANT.get(name, "none")), name


def test_each_output_is_listed() -> None:
    assert sorted(name for cell, _ in rows("Outputs") for name in names(cell)) == sorted(TEMPLATE["Outputs"])


def test_each_alarm_is_listed_in_the_order_of_the_template() -> None:
    assert [name for cell, _ in rows("Alarms and dashboard") for name in names(cell)] == list(alarms())


def test_figures_in_the_readme_are_the_template_s() -> None:
    (text,) = re.findall(
        r"^\| `MemorySize`, `LogRetentionDays` \| (.*) \|$", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE
    )
    parameters = TEMPLATE["Parameters"]
    assert text.startswith(
        f"{parameters['MemorySize']['Default']} MB and {parameters['LogRetentionDays']['Default']} days "
    )


def test_how_a_version_may_take_over_is_as_the_template_allows() -> None:
    values = set(TEMPLATE["Parameters"]["GradualDeployment"]["AllowedValues"])
    assert set(re.findall(r"GradualDeployment=(\w+)", TEXT + (DOCS / "runbook.md").read_text("utf-8"))) <= values
    assert set(re.findall(r"`((?:Canary|Linear)\w+)`", TEXT)) <= values
    minutes = {
        kind: sorted(int(it) for it in re.findall(rf"{kind}(\d+)Minutes?", " ".join(values)))
        for kind in ("Canary10Percent", "Linear10PercentEvery")
    }
    assert minutes == {"Canary10Percent": [5, 10, 15, 30], "Linear10PercentEvery": [1, 2, 3, 10]}
    text = " ".join(TEXT.split())
    assert "after 5, 10, 15 or 30 minutes" in text
    assert "every 1, 2, 3 or 10 minutes" in text
