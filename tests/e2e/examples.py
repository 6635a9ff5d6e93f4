"""The APIs of examples/, deployed with the settings that stand beside them, and called as their pages say."""

import json
import re
import subprocess
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import urllib3
from urllib3 import BaseHTTPResponse as Reply

from demo.decisions import DecisionLog
from demo.deployment import aws_client
from demo.local_aws import LocalAws
from demo.stack import Stack
from demo.tools import ROOT, Tools, clean_environment
from jwt_authorizer.settings import load_settings
from jwt_authorizer_devkit.doctoring.apis import apis_of_stack, environment_of, read_api
from jwt_authorizer_devkit.doctoring.attached import examine_attached
from jwt_authorizer_devkit.doctoring.findings import Level
from jwt_authorizer_devkit.issuer import Provider
from jwt_authorizer_devkit.mint import Defect
from tests.e2e.asking import make_authorizer
from tests.e2e.cloudformation import Made, make_stack
from tests.e2e.imported import import_the_rest
from tests.unit.pages import EXAMPLES

AUTHGEAR = "https://myapp.authgear.cloud"
"""The issuer in the examples' settings, and its tokens' audience. Tests put one of this machine in its place."""

_URL = re.compile(r"(?:https|wss)://(\w+)\.[^/]+(?:/(\w+))?")
_TIMEOUT = 30.0


@dataclass(frozen=True, slots=True)
class Example:
    """An example that is deployed: the API, and the authorizer that it asks."""

    aws: LocalAws
    api: Made
    authorizer: Made
    log: DecisionLog

    def path(self, path: str = "", output: str = "Url") -> str:
        """Give the path under which the local AWS serves the API, instead of the URL that AWS would."""
        found = _URL.fullmatch(self.api.outputs[output])
        assert found
        return f"/_aws/execute-api/{found[1]}/{found[2] or '$default'}{path}"

    def call(
        self, request: str, headers: Mapping[str, str] | None = None, body: str | None = None, *, output: str = "Url"
    ) -> Reply:
        """Make a request that is written ``GET /orders``."""
        method, path = request.split(" ")
        return send(self.aws, method, self.path(path, output), headers or {}, body)

    def ask(
        self, request: str, headers: Mapping[str, str] | None = None, body: str | None = None, *, output: str = "Url"
    ) -> tuple[Reply, str]:
        """Make a request, and say with it what the log says, as the examples' pages do."""
        self.log.new()
        reply = self.call(request, headers, body, output=output)
        return reply, self.said()

    def as_listed(self, row: Mapping[str, str], headers: Mapping[str, str], body: str | None = None) -> Reply:
        """Make the call of a page's row; hold its status and what the log says against it."""
        call, _, _when = row["Call"].partition(",")
        reply, said = self.ask(call, headers, body)
        assert (str(reply.status), said) == (row["Status"], row["The log says"])
        return reply

    def answer(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Ask the authorizer itself."""
        name, payload = self.authorizer.outputs["FunctionArn"], json.dumps(event)
        invoked = aws_client("lambda", self.aws).invoke(FunctionName=name, Payload=payload)
        told: dict[str, Any] = json.loads(invoked["Payload"].read())
        return told

    def mapped_headers(self, kind: str, context: Mapping[str, Any]) -> dict[str, str]:
        """Give the headers that a gateway response of the API maps from the authorizer's context."""
        client = aws_client("apigateway", self.aws)
        response = client.get_gateway_response(restApiId=self.api.resources()["Api"], responseType=kind)
        headers, source = "gatewayresponse.header.", "context.authorizer."
        return {
            name.removeprefix(headers).lower(): context[value.removeprefix(source)]
            for name, value in response["responseParameters"].items()
            if value.startswith(source)
        }

    def said(self) -> str:
        """Give the decision since the last time, or that there was none."""
        lines = self.log.new()
        assert len(lines) <= 1, lines
        return str(lines[0].get("reason") or lines[0]["decision"]) if lines else "(nothing)"


def send(aws: LocalAws, method: str, path: str, headers: Mapping[str, str], body: str | None = None) -> Reply:
    """Make an HTTP request to the local AWS; a ``Host`` among the headers counts."""
    return urllib3.request(method, aws.endpoint + path, headers=headers, body=body, retries=False, timeout=_TIMEOUT)


def rest_event(resource: str, token: str | None) -> dict[str, Any]:
    """Make the event of a request of a REST API, such as ``GET/orders``."""
    arn = f"arn:aws:execute-api:us-east-1:000000000000:abcdef1234/prod/{resource}"
    return {"type": "REQUEST", "methodArn": arn, "headers": bearer(token)}


def run_lines(aws: LocalAws, lines: str, folder: Path = ROOT, **variables: str) -> str:
    """Run lines of a page as a reader does, in a shell with the commands of AWS and SAM; return what they print."""
    environment = clean_environment(aws.log.parent, aws.endpoint, **variables)
    environment["PATH"] = f"{ROOT / '.venvs' / 'tools' / 'bin'}:{Tools().sam.parent}:{environment['PATH']}"
    command = ["bash", "-euo", "pipefail", "-c", lines]
    done = subprocess.run(  # noqa: S603 - our own pages
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=200
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


def bearer(token: str | None) -> dict[str, str]:
    """Give the header that carries a token; none for none."""
    return {} if token is None else {"Authorization": f"Bearer {token}"}


def named_token(
    issuer: Provider, name: str, claims: Mapping[str, object] | None = None, *, scope: str | None = None
) -> str | None:
    """Mint what a page calls a token; ``None`` for none."""
    if name in ("none", "no JWT"):
        return None if name == "none" else "no-jwt"
    lifetime, defect = 3600 if name == "long-lived" else 300, name.replace(" ", "-")
    wrong = defect if defect in list(Defect) else None
    return issuer.token(claims, audience=issuer.url, subject="alice", scope=scope, lifetime=lifetime, defect=wrong)


def authorizer_settings(name: str, instead: Mapping[str, str]) -> dict[str, str]:
    """Read what an example tells the authorizer's template, with some texts replaced; a document is given whole."""
    config = tomllib.loads((EXAMPLES / name / "samconfig.toml").read_text("utf-8"))
    pairs = [each.partition("=") for each in config["authorizer"]["deploy"]["parameters"]["parameter_overrides"]]
    settings = {key: value for key, _, value in pairs}
    document = settings.get("JwtConfig", "")
    if document.startswith("file:"):
        settings["JwtConfig"] = (EXAMPLES / name / document.removeprefix("file:")).read_text("utf-8")
    for old, new in instead.items():
        settings = {key: value.replace(old, new) for key, value in settings.items()}
    return settings


def misfits(example: Example, *, cached_for: int | None = None) -> list[str]:
    """Give what ``jwt-authorizer doctor`` has to say against the APIs of an example and their authorizer's settings.

    ``cached_for``: as if the API cached for that many seconds.
    """

    def clients(service: str) -> Any:  # noqa: ANN401 - boto3 makes its clients at run time
        return aws_client(service, example.aws)

    attached = [one for api in apis_of_stack(example.api.name, clients) for one in read_api(api, clients).attached]
    assert attached
    return [
        finding.said
        for one in attached
        for finding in examine_attached(
            one if cached_for is None else replace(one, ttl=cached_for),
            load_settings(environment_of(one.function, clients), EXAMPLES),
        )
        if finding.level is not Level.GOOD
    ]


@dataclass(slots=True)
class Examples:
    """Deploys examples to the local AWS. Those whose settings are the same share an authorizer."""

    stack: Stack
    _authorizers: dict[frozenset[tuple[str, str]], Made] = field(default_factory=dict)

    @property
    def aws(self) -> LocalAws:
        return self.stack.aws

    def authorizer(self, settings: Mapping[str, str]) -> Made:
        """Deploy the package that ``sam deploy`` uploaded for the demo, with these parameters."""
        key = frozenset(settings.items())
        if key not in self._authorizers:
            name = f"examples-authorizer-{len(self._authorizers)}"
            self._authorizers[key] = make_authorizer(self.stack, name, {**settings, "JwtAllowHttp": "true"})
        return self._authorizers[key]

    def deploy(
        self,
        name: str,
        *,
        instead: Mapping[str, str] | None = None,
        api: Mapping[str, str] | None = None,
        more: Mapping[str, str] | None = None,
    ) -> Example:
        """Deploy an example, with texts of its settings replaced by others, ``more`` settings, and its API's own."""
        settings = authorizer_settings(name, instead or {AUTHGEAR: self.stack.issuer.url})
        authorizer = self.authorizer({**settings, **(more or {})})
        return self.asking(authorizer, name, EXAMPLES / name / "template.yaml", api or {})

    def asking(self, authorizer: Made, name: str, template: Path, api: Mapping[str, str]) -> Example:
        """Deploy APIs that ask an authorizer which is there; their template takes its ARN, its URI, or neither."""
        text, outputs = template.read_text("utf-8"), authorizer.outputs
        named = {"AuthorizerArn": outputs["FunctionArn"], "AuthorizerUri": outputs["AuthorizerUri"]}
        parameters = {name: value for name, value in named.items() if f"  {name}:\n" in text}
        made = make_stack(self.aws, f"examples-{name}", template, {**parameters, **api})
        import_the_rest(made)
        return Example(self.aws, made, authorizer, DecisionLog(self.aws, outputs["LogGroup"]))
