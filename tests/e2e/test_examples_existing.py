"""examples/existing-api: APIs that are there already are closed by the commands of its page, step by step."""

import shutil
from pathlib import Path

import pytest

from demo.deployment import aws_client
from demo.stack import Stack
from demo.tools import ROOT
from tests.e2e.examples import AUTHGEAR, Example, Examples, authorizer_settings, bearer, misfits, run_lines
from tests.unit.pages import EXAMPLES, blocks

PAGE = EXAMPLES / "existing-api" / "README.md"


@pytest.fixture(scope="module")
def example(examples: Examples, stack: Stack) -> Example:
    authorizer = examples.authorizer(authorizer_settings(PAGE.parent.name, {AUTHGEAR: stack.issuer.url}))
    return examples.asking(authorizer, "existing-api", PAGE.parent / "api.yaml", {})


def commands(example: Example, service: str) -> tuple[str, str]:
    """Return the page's commands that add the authorizer to an API, and those that switch it over, for the example."""
    client, outputs = aws_client(service, example.aws), example.api.outputs
    if service == "apigateway":
        api = outputs["RestApiId"]
        resources = client.get_resources(restApiId=api)["items"]
        instead = {"abcdef1234": api, "1a2b3c": next(it["id"] for it in resources if it["path"] == "/orders")}
    else:
        api = outputs["HttpApiId"]
        (route,) = client.get_routes(ApiId=api)["Items"]
        instead = {"abcdef1234": api, "1a2b3c4": route["RouteId"]}
    (text,) = (block.text for block in blocks("sh", page=PAGE) if f"aws {service} update-" in block.text)
    for old, new in instead.items():
        text = text.replace(old, new)
    attach, first, switch = text.partition(f"aws {service} ")
    return attach, first + switch


@pytest.mark.parametrize(
    ("service", "stack_name", "output"),
    [("apigateway", "existing-rest-jwt", "RestUrl"), ("apigatewayv2", "existing-http-jwt", "HttpUrl")],
)
def test_an_api_is_closed_by_the_pages_commands(
    example: Example, stack: Stack, service: str, stack_name: str, output: str
) -> None:
    attach, switch = commands(example, service)
    run_lines(example.aws, attach, AUTHORIZER_URI=example.authorizer.outputs["AuthorizerUri"])
    assert example.call("GET /orders", output=output).json() == {"sub": "anybody"}
    query = "Stacks[0].Outputs[?OutputKey=='AuthorizerId'].OutputValue"
    describe = f'aws cloudformation describe-stacks --stack-name {stack_name} --output text --query "{query}"'
    run_lines(example.aws, switch, AUTHORIZER_ID=run_lines(example.aws, describe))
    reply, line = example.ask("GET /orders", output=output)
    assert (reply.status, line) == (401, "(nothing)")
    assert service != "apigateway" or reply.headers["www-authenticate"] == "Bearer"
    token = stack.issuer.token(audience=stack.issuer.url, subject="alice")
    reply, line = example.ask("GET /orders", bearer(token), output=output)
    assert (reply.json(), line) == ({"sub": "alice"}, "allow")


def test_both_fit_the_authorizers_settings(example: Example) -> None:
    assert misfits(example) == []


def test_the_commands_of_a_page_deploy_its_example(stack: Stack, tmp_path: Path) -> None:
    # One page's, as it stands, in a checkout as `sam build` leaves it.
    for name in ("template.yaml", "samconfig.toml"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(EXAMPLES, tmp_path / "examples")
    (tmp_path / ".aws-sam").mkdir()
    (tmp_path / ".aws-sam" / "build").symlink_to(stack.deployer.build_folder)
    page = EXAMPLES / "rest-token" / "README.md"
    (lines,) = (block.text for block in blocks("sh", page=page) if "sam build" in block.text)
    described = "aws cloudformation describe-stacks --stack-name rest-token-api --output text --query 'Stacks[].[{}]'"
    query = "StackStatus, Parameters[?ParameterKey==`AuthorizerArn`].ParameterValue | [0]"
    lines = f"{lines.removeprefix('sam build && ')}\necho $AUTHORIZER\n{described.format(query)}"
    *_, authorizer, deployed = run_lines(stack.aws, lines, tmp_path).splitlines()
    assert deployed.split() == ["CREATE_COMPLETE", authorizer]
