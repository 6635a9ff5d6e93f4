"""Stacks made by CloudFormation's own calls: ten times as quick as `sam deploy`, and what that does in the end."""

import hashlib
import io
import json
import re
import time
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo.deployment import BUCKET, aws_client
from demo.local_aws import LocalAws
from demo.tools import REGION

_CODE_URI = re.compile(r"CodeUri: (\S+)")
_UNKNOWN = re.compile(r"^  \w+:\n    Type: AWS::ApiGatewayV2::RouteResponse\n(?:    .*\n)+", re.MULTILINE)
"""What the local AWS refuses to make. It sends a WebSocket's answers without it; AWS does not."""
_CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]


@dataclass(frozen=True, slots=True)
class Made:
    """A stack that has been made."""

    aws: LocalAws
    name: str
    outputs: Mapping[str, str]
    parameters: Mapping[str, str]
    """As given; the template's defaults are not among them."""

    def template(self) -> dict[str, Any]:
        """Give the template as the SAM transform left it."""
        client = aws_client("cloudformation", self.aws)
        body = client.get_template(StackName=self.name, TemplateStage="Processed")["TemplateBody"]
        return dict(json.loads(body) if isinstance(body, str) else body)

    def resources(self) -> dict[str, str]:
        """Give the ids of its resources by their names in the template."""
        listed = aws_client("cloudformation", self.aws).describe_stack_resources(StackName=self.name)
        return {found["LogicalResourceId"]: found["PhysicalResourceId"] for found in listed["StackResources"]}


def make_stack(aws: LocalAws, name: str, template: str | Path, parameters: Mapping[str, str]) -> Made:
    """Make a stack of a template that has been packaged, or of a file, whose folders of code are packaged here."""
    body = template if isinstance(template, str) else _packaged(aws, template, parameters)
    aws_client("cloudformation", aws).create_stack(
        StackName=name,
        TemplateURL=_address(aws, body),
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        Capabilities=_CAPABILITIES,
    )
    return Made(aws, name, _outputs(aws, name, "CREATE_COMPLETE"), parameters)


def change_stack(made: Made, parameters: Mapping[str, str]) -> Made:
    """Give a stack other values for these parameters, and no others."""
    client = aws_client("cloudformation", made.aws)
    (stack,) = client.describe_stacks(StackName=made.name)["Stacks"]
    kept = {it["ParameterKey"] for it in stack["Parameters"]} - parameters.keys()
    client.update_stack(
        StackName=made.name,
        UsePreviousTemplate=True,
        Parameters=[
            *({"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()),
            *({"ParameterKey": key, "UsePreviousValue": True} for key in sorted(kept)),
        ],
        Capabilities=_CAPABILITIES,
    )
    return Made(
        made.aws, made.name, _outputs(made.aws, made.name, "UPDATE_COMPLETE"), {**made.parameters, **parameters}
    )


def _outputs(aws: LocalAws, name: str, wanted: str) -> dict[str, str]:
    """Wait until nothing more happens to a stack, and give its outputs."""
    client = aws_client("cloudformation", aws)
    while True:
        (stack,) = client.describe_stacks(StackName=name)["Stacks"]
        if not stack["StackStatus"].endswith("IN_PROGRESS"):
            break
        time.sleep(0.02)
    assert stack["StackStatus"] == wanted, (stack["StackStatus"], stack.get("StackStatusReason"))
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


def packaged_template(aws: LocalAws, stack: str) -> str:
    """Give the template that ``sam deploy`` made this stack of, with the addresses of the code that it uploaded."""
    body = aws_client("cloudformation", aws).get_template(StackName=stack, TemplateStage="Original")["TemplateBody"]
    return body if isinstance(body, str) else json.dumps(body)


def _packaged(aws: LocalAws, template: Path, parameters: Mapping[str, str]) -> str:
    """Upload the folders that the template names, and name the uploads instead, as ``sam deploy`` does.

    The SAM transform of the local AWS takes the defaults of parameters for their values. So these become the defaults.
    """

    def upload(found: re.Match[str]) -> str:
        return f"CodeUri: s3://{BUCKET}/{_uploaded(aws, _archive(template.parent / found[1]))}"

    text = _UNKNOWN.sub("", template.read_text("utf-8"))
    for name, value in parameters.items():
        default = re.search(rf"^  {name}:\n(?:    .*\n)*?    Default: (.*)$", text, re.MULTILINE)
        if default is not None:
            text = text[: default.start(1)] + json.dumps(value) + text[default.end(1) :]
    return _CODE_URI.sub(upload, text)


def _address(aws: LocalAws, template: str) -> str:
    """Put a template where CloudFormation reads it: of one by itself it takes 50 KB, of one in a bucket a megabyte."""
    return f"https://s3.{REGION}.amazonaws.com/{BUCKET}/{_uploaded(aws, template.encode())}"


def _uploaded(aws: LocalAws, content: bytes) -> str:
    """Put something where ``sam deploy`` puts it, and give its key."""
    key = f"examples/{hashlib.sha256(content).hexdigest()}"
    aws_client("s3", aws).put_object(Bucket=BUCKET, Key=key, Body=content)
    return key


def _archive(folder: Path) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for path in sorted(folder.glob("*.py")):
            archive.write(path, path.name)
    return file.getvalue()
