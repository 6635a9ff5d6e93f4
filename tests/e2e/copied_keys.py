"""An authorizer that reads its keys from a copy, behind the alias that SnapStart needs: both parts off by default."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from demo.calls import Client
from demo.decisions import DecisionLog
from demo.deployment import aws_client
from demo.scenarios import AUDIENCE
from demo.stack import Deployed

if TYPE_CHECKING:
    from pathlib import Path

    from demo.deployment import Outputs
    from demo.local_aws import LocalAws
    from demo.stack import Stack
    from jwt_authorizer_devkit.issuer import Provider

STACK = "copied"
COOLDOWN = 1
"""Seconds: the least that can be set."""
BUCKET = "copies-of-keys"
TARGETS = {
    "ssm:/copies/demo": "arn:aws:ssm:us-east-1:000000000000:parameter/copies/demo",
    f"s3://{BUCKET}/demo.json": f"arn:aws:s3:::{BUCKET}/demo.json",
}


@dataclass(slots=True)
class CopiedKeys:
    """The stack, deployed anew for each target; ``issuer`` speaks TLS, as the refresher demands."""

    stack: Stack
    issuer: Provider
    authority: Path
    """The certificate authority that the refresher has to trust for it."""
    _outputs: Outputs | None = None
    _deployed: Deployed | None = None

    @property
    def outputs(self) -> Outputs:
        assert self._outputs is not None, "deploy first"
        return self._outputs

    def deploy(self, target: str) -> Deployed:
        """Deploy, or update, the authorizer so that it reads its keys from ``target``, which a refresher writes."""
        if self._outputs is None:
            aws_client("s3", self.stack.aws).create_bucket(Bucket=BUCKET)
        parameters = {
            "JwtIssuer": self.issuer.url,
            "JwtAudience": AUDIENCE,
            "JwtJwksCooldownSeconds": str(COOLDOWN),
            "JwtJwks": target,
            "RefreshTarget": target,
            "RefreshTargetArn": TARGETS[target],
            "SnapStart": "on",
        }
        self._outputs = self.stack.deployer.deploy_authorizer(f"{STACK}-authorizer", parameters)
        if self._deployed is None:
            # The alias keeps its ARN, so that the APIs need no update.
            apis = {"AuthorizerArn": self._outputs["FunctionArn"]}
            client = Client(self.stack.aws, self.stack.deployer.deploy_apis(f"{STACK}-apis", apis))
            self._deployed = Deployed(client, DecisionLog(self.stack.aws, self._outputs["LogGroup"]))
        return self._deployed

    def deploy_once(self) -> Deployed:
        """Give what is deployed, or deploy it for any target."""
        return self._deployed or self.deploy(next(iter(TARGETS)))

    def published_version(self) -> str | None:
        """Name the version that the alias stands for."""
        if self._outputs is None:
            return None
        function, _, alias = self._outputs["FunctionArn"].rpartition(":")
        answer = aws_client("lambda", self.stack.aws).get_alias(FunctionName=function, Name=alias)
        return str(answer["FunctionVersion"])

    def refresh(self) -> dict[str, Any]:
        """Run the refresher, as its schedule would."""
        return run_refresher(self.stack.aws, self.outputs["RefresherName"], self.authority)


def run_refresher(aws: LocalAws, name: str, authority: Path) -> dict[str, Any]:
    """Run a refresher once, and have it trust this certificate authority."""
    functions = aws_client("lambda", aws)
    environment = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    if "SSL_CERT_FILE" not in environment:
        environment |= {"SSL_CERT_FILE": str(authority)}
        functions.update_function_configuration(FunctionName=name, Environment={"Variables": environment})
    return _answer(functions.invoke(FunctionName=name, Payload=b"{}"))


def _answer(invoked: Any) -> dict[str, Any]:  # noqa: ANN401 - boto3's answers have no type
    payload = invoked["Payload"].read()
    assert "FunctionError" not in invoked, payload
    return dict(json.loads(payload))
