"""Every template passes AWS's own checks, and SAM makes of ours what its conditions count on."""

import json
import subprocess
from pathlib import Path

import pytest

from demo.tools import Tools, clean_environment
from jwt_authorizer_devkit.routes.documents import read_document
from tests.cloudformation import Template, read_template, resolve
from tests.unit.pages import EXAMPLES, blocks
from tests.unit.test_template import ISSUER

ROOT = Path(__file__).resolve().parents[2]
SAM = Tools().sam
LINT = [str(SAM.with_name("cfn-lint")), "--non-zero-exit-code", "informational"]
TEMPLATES = [
    ROOT / "template.yaml",
    ROOT / "demo" / "template.yaml",
    *(path for path in sorted(EXAMPLES.rglob("*.yaml")) if "\nResources:\n" in path.read_text("utf-8")),
]
KINDS = ["off", "AllAtOnce", "Canary10Percent10Minutes", "Linear10PercentEvery3Minutes"]
_EXPAND = """
import copy, json, sys
from samcli.yamlhelper import yaml_parse
from samtranslator.translator.transform import transform

class NoPolicies:
    def load(self):
        return {}

template, kinds = json.load(sys.stdin)
made = {it: transform(copy.deepcopy(template), {"GradualDeployment": it}, NoPolicies()) for it in kinds}
json.dump(made, sys.stdout)
"""

pytestmark = pytest.mark.skipif(not SAM.exists(), reason="needs SAM CLI: `make setup`")


def checked(command: list[str], folder: Path, given: str | None = None) -> str:
    """Run a program of SAM's environment; give what it wrote, or fail with it."""
    environment = clean_environment(folder)
    ended = subprocess.run(  # noqa: S603 - our own arguments
        command, capture_output=True, text=True, check=False, cwd=ROOT, env=environment, input=given
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def test_the_linter_finds_nothing(tmp_path: Path) -> None:
    # What `sam validate --lint` asks, for all of them at once.
    shown = [block for block in blocks("yaml") if {"Parameters", "Resources"} <= read_document(block.text).keys()]
    assert shown
    pages = [tmp_path / f"{block.page.stem}-{block.line}.yaml" for block in shown]
    for path, block in zip(pages, shown, strict=True):
        path.write_text(f"Transform: AWS::Serverless-2016-10-31\n{block.text}")
    assert checked([*LINT, *map(str, TEMPLATES + pages)], tmp_path) == ""


@pytest.fixture(scope="module")
def expanded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Template]:
    """Have SAM expand the template for each kind of deployment, at once: loading SAM takes most of the time."""
    template = read_template(ROOT / "template.yaml")
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = "s3://bucket/package"
    command = [str(SAM.with_name("python")), "-c", _EXPAND]
    made = checked(command, tmp_path_factory.mktemp("sam"), json.dumps([template, KINDS]))
    return dict(json.loads(made))


@pytest.mark.parametrize("gradual", KINDS)
def test_sam_makes_codedeploy_s_resources_only_where_traffic_is_shifted(
    gradual: str, expanded: dict[str, Template]
) -> None:
    template = expanded[gradual]
    made = {name for name, it in template["Resources"].items() if it["Type"].startswith("AWS::CodeDeploy::")}
    # None of SAM's own roles: they may do the same to every function of the account.
    roles = {name for name, it in template["Resources"].items() if it["Type"] == "AWS::IAM::Role"}
    assert roles == {"AuthorizerRole", "RefresherRole", "RevokerRole", "DeploymentRole"}
    if gradual in ("off", "AllAtOnce"):
        assert not made
        return
    stack = resolve(template, ISSUER | {"GradualDeployment": gradual})
    (group,) = stack.of_type("AWS::CodeDeploy::DeploymentGroup").values()
    assert group["ServiceRoleArn"] == "DeploymentRole.Arn"
    assert group["DeploymentConfigName"] == f"CodeDeployDefault.Lambda{gradual}"
    assert "DEPLOYMENT_STOP_ON_ALARM" in group["AutoRollbackConfiguration"]["Events"]
    # CodeDeploy looks at no more than ten.
    alarms = [it["Name"] for it in group["AlarmConfiguration"]["Alarms"]]
    assert 0 < len(alarms) <= 10
    assert set(alarms) <= stack.of_type("AWS::CloudWatch::Alarm").keys()
    # The one alarm that looks at a version looks at the new one, which SAM names anew with each.
    (failed,) = (it for it in stack.resources["NewVersionAlarm"]["Properties"]["Metrics"] if it["Id"] == "failed")
    dimensions = {it["Name"]: it["Value"] for it in failed["MetricStat"]["Metric"]["Dimensions"]}
    (version,) = (name for name, it in template["Resources"].items() if it["Type"] == "AWS::Lambda::Version")
    assert dimensions == {
        "FunctionName": "AuthorizerFunction",
        "Resource": "AuthorizerFunction:live",
        "ExecutedVersion": f"{version}.Version",
    }
