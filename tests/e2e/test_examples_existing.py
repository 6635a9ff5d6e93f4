"""examples/existing-api: APIs that are there already are closed by the commands of its page, step by step."""

import re
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from demo.deployment import aws_client
from demo.stack import Stack
from demo.tools import ROOT, Tools, clean_environment
from tests.e2e.aws_commands import run_command
from tests.e2e.examples import AUTHGEAR, Example, Examples, authorizer_settings, bearer, misfits
from tests.unit.pages import EXAMPLES, blocks

PAGE = EXAMPLES / "existing-api" / "README.md"
ANYBODY = {"sub": "anybody"}


def commands(service: str) -> list[str]:
    """Give the page's commands that attach the authorizer to an API of this service."""
    (block,) = [each for each in blocks("sh", page=PAGE) if f"aws {service} update-" in each.text]
    return [f"aws {each}" for each in block.text.removeprefix("aws ").strip().split("\naws ")]


@pytest.fixture(scope="module")
def example(examples: Examples, stack: Stack) -> Example:
    authorizer = examples.authorizer(authorizer_settings(PAGE.parent.name, {AUTHGEAR: stack.issuer.url}))
    return examples.asking(authorizer, "existing-api", PAGE.parent / "api.yaml", {})


def test_a_rest_api_is_closed_by_the_pages_commands(example: Example, stack: Stack) -> None:
    api = example.api.outputs["RestApiId"]
    resources = aws_client("apigateway", example.aws).get_resources(restApiId=api)["items"]
    (orders,) = [resource["id"] for resource in resources if resource["path"] == "/orders"]
    said = {"abcdef1234": api, "1a2b3c": orders, "$AUTHORIZER_URI": example.authorizer.outputs["AuthorizerUri"]}
    attach, switch, deploy = commands("apigateway")
    attached = run_command(example.aws, attach, said)
    assert example.call("GET /orders", output="RestUrl").json() == ANYBODY
    run_command(example.aws, switch, {**said, "$AUTHORIZER_ID": attached.outputs["AuthorizerId"]})
    run_command(example.aws, deploy, said)
    reply, line = example.ask("GET /orders", output="RestUrl")
    assert (reply.status, reply.headers["www-authenticate"], line) == (401, "Bearer", "(nothing)")
    token = stack.issuer.token(audience=stack.issuer.url, subject="alice")
    reply, line = example.ask("GET /orders", bearer(token), output="RestUrl")
    assert (reply.json(), line) == ({"sub": "alice"}, "allow")
    bad = stack.issuer.token(audience="https://other.example.com")
    reply, line = example.ask("GET /orders", bearer(bad), output="RestUrl")
    assert (reply.status, line) == (401, "invalid_audience")


def test_an_http_api_is_closed_by_the_pages_commands(example: Example, stack: Stack) -> None:
    api = example.api.outputs["HttpApiId"]
    (route,) = aws_client("apigatewayv2", example.aws).get_routes(ApiId=api)["Items"]
    uri = example.authorizer.outputs["AuthorizerUri"]
    said = {"abcdef1234": api, "1a2b3c4": route["RouteId"], "$AUTHORIZER_URI": uri}
    attach, switch = commands("apigatewayv2")
    attached = run_command(example.aws, attach, said)
    assert example.call("GET /orders", output="HttpUrl").json() == ANYBODY
    run_command(example.aws, switch, {**said, "$AUTHORIZER_ID": attached.outputs["AuthorizerId"]})
    reply, line = example.ask("GET /orders", output="HttpUrl")
    assert (reply.status, line) == (401, "(nothing)")
    token = stack.issuer.token(audience=stack.issuer.url, subject="alice")
    reply, line = example.ask("GET /orders", bearer(token), output="HttpUrl")
    assert (reply.json(), line) == ({"sub": "alice"}, "allow")


def test_both_fit_the_authorizers_settings(example: Example) -> None:
    assert misfits(example) == []


# The commands of the pages of examples/ deploy them.


def test_the_commands_of_a_page_deploy_its_example(stack: Stack, tmp_path: Path) -> None:
    # All pages have the same ones (tests/unit/test_examples.py); one of them is tried as it stands.
    first, described, second = commands_of_templates(EXAMPLES / "rest-token" / "README.md")
    folder = checkout(tmp_path, stack.deployer.build_folder)
    sam(stack, folder, first.removeprefix("sam build && "), {})
    variable, _, command = described.partition("=")
    authorizer = run_command(stack.aws, command.removeprefix("$(").removesuffix(")"), {})
    sam(stack, folder, second, {f"${variable}": authorizer})
    query = "Stacks[0].[StackStatus, Parameters[?ParameterKey=='AuthorizerArn'].ParameterValue | [0]]"
    describe = f'aws cloudformation describe-stacks --stack-name rest-token-api --query "{query}"'
    assert run_command(stack.aws, describe, {}) == ["CREATE_COMPLETE", authorizer]


def commands_of_templates(page: Path) -> list[str]:
    (block,) = [each for each in blocks("sh", page=page) if "sam build" in each.text]
    return [re.sub(r"\s+", " ", each) for each in block.text.replace("\\\n", " ").strip().splitlines()]


def checkout(folder: Path, built: Path) -> Path:
    """Lay out the repository's top as it is after `sam build`."""
    for name in ("template.yaml", "samconfig.toml"):
        shutil.copy(ROOT / name, folder)
    shutil.copytree(EXAMPLES, folder / "examples")
    (folder / ".aws-sam").mkdir()
    (folder / ".aws-sam" / "build").symlink_to(built)
    return folder


def sam(stack: Stack, folder: Path, command: str, variables: Mapping[str, str]) -> None:
    program, *arguments = shlex.split(command)
    assert program == "sam"
    given = [re.sub(r"\$\w+", lambda found: variables[found[0]], argument) for argument in arguments]
    run = subprocess.run(  # noqa: S603 - our own arguments
        [str(Tools().sam), *given],
        cwd=folder,
        env=clean_environment(stack.deployer.folder, stack.aws.endpoint),
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert run.returncode == 0, run.stdout + run.stderr
