"""``sam build`` and ``sam deploy``, as for a real account, but to the local AWS."""

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
"""For the uploads of ``sam deploy``: faster than the stack that ``--resolve-s3`` would deploy."""
DEMO_TEMPLATE = ROOT / "demo" / "template.yaml"


@functools.cache
def aws_client(service: str, aws: LocalAws) -> Any:  # noqa: ANN401 - boto3 generates its clients at run time
    """Return a boto3 client for the local AWS. Cached, since creating one takes longer than most calls."""
    return boto3.client(
        service,
        endpoint_url=aws.endpoint,
        region_name=REGION,
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
    )


@dataclass(frozen=True, slots=True)
class Deployer:
    """Builds once, and deploys as often as needed."""

    tools: Tools
    aws: LocalAws
    folder: Path

    @property
    def build_folder(self) -> Path:
        """The folder of ``sam build``: the package, and the template that names it."""
        return self.folder / "build"

    def prepare(self) -> None:
        """Create the bucket for deployments."""
        aws_client("s3", self.aws).create_bucket(Bucket=BUCKET)

    def build(self) -> None:
        """Build the authorizer for this machine, outside the working tree, where ``.aws-sam`` belongs to the user."""
        command = [str(self.tools.sam), "build", "--template-file", str(ROOT / "template.yaml")]
        command += ["--build-dir", str(self.build_folder), *self._own_config()]
        command += ["--parameter-overrides", f"Architecture={host_architecture()}"]
        run(command, clean_environment(self.folder), "sam build")
        # The local AWS does not evaluate alarms, and does not support the metric math of some.
        template = self.build_folder / "template.yaml"
        text, found = re.subn(r"(?m)^(  Alarms:\n(?:    .*\n)*?    Default:) 'on'$", r"\1 'off'", template.read_text())
        if found != 1:
            message = "sam build has changed the format of its template: the alarms can't be left out"
            raise DemoError(message)
        template.write_text(text)

    def deploy_authorizer(self, stack: str, parameters: Mapping[str, str]) -> Outputs:
        """Deploy the built authorizer with these parameters, and return the stack's outputs."""
        return self.deploy_template(
            stack, self.build_folder / "template.yaml", {"Architecture": host_architecture(), **parameters}
        )

    def deploy_apis(self, stack: str, parameters: Mapping[str, str]) -> Outputs:
        """Deploy the APIs of ``demo/template.yaml``, and return the stack's outputs."""
        return self.deploy_template(stack, DEMO_TEMPLATE, {"RouteResponses": "off", **parameters})

    def deploy_template(self, stack: str, template: Path, parameters: Mapping[str, str]) -> Outputs:
        """Create or update a stack from any template, and return its outputs."""
        command = [str(self.tools.sam), "deploy", "--template-file", str(template), "--stack-name", stack]
        command += [
            "--s3-bucket",
            BUCKET,
            "--no-confirm-changeset",
            "--no-progressbar",
            "--capabilities",
            "CAPABILITY_IAM",
        ]
        # In a file, since SAM CLI splits values with spaces or line breaks on the command line. JSON is YAML.
        overrides = self.folder / f"{stack}-parameters.yaml"
        overrides.write_text(json.dumps(dict(parameters)))
        command += ["--region", REGION, *self._own_config(), "--parameter-overrides", f"file://{overrides}"]
        run(command, clean_environment(self.folder, self.aws.endpoint), f"sam deploy of {stack}")
        described = aws_client("cloudformation", self.aws).describe_stacks(StackName=stack)
        return {output["OutputKey"]: output["OutputValue"] for output in described["Stacks"][0]["Outputs"]}

    def _own_config(self) -> list[str]:
        # The user's samconfig.toml may have answers to `sam deploy --guided`: a stack's name, a profile.
        config = self.folder / "samconfig.toml"
        config.write_text("version = 0.1\n")
        return ["--config-file", str(config)]
