"""``sam build`` and ``sam deploy``, as for a real account, towards the local one."""

from __future__ import annotations

import functools
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import boto3  # type: ignore[import-untyped]  # boto3 ships no types

from demo.tools import (
    ACCESS_KEY,
    REGION,
    ROOT,
    SECRET_KEY,
    DemoError,
    Tools,
    clean_environment,
    host_architecture,
    run,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import Any

    from demo.local_aws import LocalAws

type Outputs = Mapping[str, str]

BUCKET = "packages"
"""Takes what ``sam deploy`` uploads: quicker than the stack that ``--resolve-s3`` would make."""
DEMO_TEMPLATE = ROOT / "demo" / "template.yaml"


@functools.cache
def aws_client(service: str, aws: LocalAws) -> Any:  # noqa: ANN401 - boto3 makes its clients at run time
    """Return a boto3 client for the local AWS, the same each time: making one takes longer than most calls."""
    return boto3.client(
        service,
        endpoint_url=aws.endpoint,
        region_name=REGION,
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
    )


@dataclass(frozen=True, slots=True)
class Deployer:
    """Builds once, deploys as often as wanted."""

    tools: Tools
    aws: LocalAws
    folder: Path

    @property
    def build_folder(self) -> Path:
        """Where ``sam build`` puts the package and the template that names it."""
        return self.folder / "build"

    def prepare(self) -> None:
        """Make the bucket that deployments go through."""
        aws_client("s3", self.aws).create_bucket(Bucket=BUCKET)

    def build(self) -> None:
        """Build the authorizer for this machine, outside the tree: ``.aws-sam`` there is the user's."""
        command = [str(self.tools.sam), "build", "--template-file", str(ROOT / "template.yaml")]
        command += ["--build-dir", str(self.build_folder), *self._own_config()]
        command += ["--parameter-overrides", f"Architecture={host_architecture()}"]
        run(command, clean_environment(self.folder), "sam build")
        # The local AWS knows no metric math, which some of the alarms need, and evaluates none of them.
        template = self.build_folder / "template.yaml"
        text, found = re.subn(r"(?m)^(  Alarms:\n(?:    .*\n)*?    Default:) 'on'$", r"\1 'off'", template.read_text())
        if found != 1:
            message = "sam build writes its template in another way now: the alarms can't be left out"
            raise DemoError(message)
        template.write_text(text)

    def deploy_authorizer(self, stack: str, parameters: Mapping[str, str]) -> Outputs:
        """Deploy the built authorizer with these parameters; give the stack's outputs."""
        return self.deploy_template(
            stack, self.build_folder / "template.yaml", {"Architecture": host_architecture(), **parameters}
        )

    def deploy_apis(self, stack: str, parameters: Mapping[str, str]) -> Outputs:
        """Deploy the APIs of ``demo/template.yaml``; give the stack's outputs."""
        return self.deploy_template(stack, DEMO_TEMPLATE, {"RouteResponses": "off", **parameters})

    def deploy_template(self, stack: str, template: Path, parameters: Mapping[str, str]) -> Outputs:
        """Deploy any template, or update the stack to it; give the stack's outputs."""
        command = [str(self.tools.sam), "deploy", "--template-file", str(template), "--stack-name", stack]
        command += [
            "--s3-bucket",
            BUCKET,
            "--no-confirm-changeset",
            "--no-progressbar",
            "--capabilities",
            "CAPABILITY_IAM",
        ]
        # In a file, since on the command line SAM CLI would split a text with spaces or lines itself. JSON is YAML.
        overrides = self.folder / f"{stack}-parameters.yaml"
        overrides.write_text(json.dumps(dict(parameters)))
        command += ["--region", REGION, *self._own_config(), "--parameter-overrides", f"file://{overrides}"]
        run(command, clean_environment(self.folder, self.aws.endpoint), f"sam deploy of {stack}")
        described = aws_client("cloudformation", self.aws).describe_stacks(StackName=stack)
        return {output["OutputKey"]: output["OutputValue"] for output in described["Stacks"][0]["Outputs"]}

    def _own_config(self) -> list[str]:
        # samconfig.toml may hold the user's answers to `sam deploy --guided`: a stack's name, a profile.
        config = self.folder / "samconfig.toml"
        config.write_text("version = 0.1\n")
        return ["--config-file", str(config)]
