"""examples/existing-api: APIs that are there already are closed by the commands of its page, step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from demo.deployment import aws_client
from tests.e2e.aws_commands import run_command
from tests.e2e.examples import AUTHGEAR, Example, Examples, authorizer_settings, bearer, misfits
from tests.unit.pages import EXAMPLES, blocks

if TYPE_CHECKING:
    from demo.stack import Stack

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
