"""Keys that come by way of a copy: the refresher and the alias, both off by default; and examples/private-vpc.

Of the private network, what the local AWS makes of it.
"""

import json
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest

from demo.calls import Api
from demo.deployment import aws_client
from demo.scenarios import AUDIENCE
from demo.stack import Deployed, Stack
from demo.tools import REGION
from jwt_authorizer_devkit.issuer import Provider, TlsFiles, local_issuer
from tests.e2e.asking import ask, make_apis, make_authorizer
from tests.e2e.cloudformation import Made, change_stack, make_stack
from tests.e2e.examples import Example, Examples, bearer, run_lines
from tests.integration.certificates import Authority
from tests.unit.pages import EXAMPLES, blocks, table

NAME = "copied"
COOLDOWN = 1
"""Seconds: the least that can be set."""
PAGE = EXAMPLES / "private-vpc" / "README.md"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def issuer(authority: Authority) -> Iterator[Provider]:
    """Run an issuer that speaks TLS, as the refresher demands."""
    chain = authority.server_file("localhost")
    with local_issuer(path="/copied", name="localhost", tls=TlsFiles(chain, chain)) as provider:
        yield provider


@pytest.fixture(scope="module")
def settings(issuer: Provider) -> dict[str, str]:
    return {"JwtIssuer": issuer.url, "JwtAudience": AUDIENCE, "JwtJwksCooldownSeconds": str(COOLDOWN)}


def refresh(made: Made, authority: Authority) -> dict[str, Any]:
    """Run a refresher once, as its schedule would, and have it trust this certificate authority."""
    functions, name = aws_client("lambda", made.aws), made.outputs["RefresherName"]
    environment = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    if "SSL_CERT_FILE" not in environment:
        environment |= {"SSL_CERT_FILE": str(authority.file)}
        functions.update_function_configuration(FunctionName=name, Environment={"Variables": environment})
    invoked = functions.invoke(FunctionName=name, Payload=b"{}")
    payload = invoked["Payload"].read()
    assert "FunctionError" not in invoked, payload
    return dict(json.loads(payload))


# The authorizer behind an alias, its keys from what the refresher writes.


@pytest.fixture(scope="module")
def authorizer(stack: Stack, settings: dict[str, str]) -> Made:
    return make_authorizer(stack, NAME, settings | {"SnapStart": "on", "JwtHttpApiResponse": "iam"})


@pytest.fixture(scope="module")
def deployed(stack: Stack, authorizer: Made) -> Deployed:
    # The alias keeps its ARN, so that the APIs need no update.
    return make_apis(stack, authorizer, {"SimpleResponses": "false"})


def published_version(made: Made) -> str:
    """Return the version that the alias stands for."""
    function, _, alias = made.outputs["FunctionArn"].rpartition(":")
    return str(aws_client("lambda", made.aws).get_alias(FunctionName=function, Name=alias)["FunctionVersion"])


def test_keys_come_from_the_copy_that_the_refresher_keeps(
    authorizer: Made, deployed: Deployed, issuer: Provider, authority: Authority
) -> None:
    before = published_version(authorizer)
    # Of a copy in a bucket: examples/private-vpc, below.
    copy = "ssm:/copies/demo"
    arn = "arn:aws:ssm:us-east-1:000000000000:parameter/copies/demo"
    made = change_stack(authorizer, {"JwtJwks": copy, "RefreshTarget": copy, "RefreshTargetArn": arn})
    token = issuer.token(audience=AUDIENCE)
    # That there is no copy yet also shows that the alias follows the settings: the version before would have keys.
    assert ask(deployed, Api.REST, token) == (500, ["keys_unavailable"])
    assert published_version(made) != before
    issuer.fetches.clear()
    refreshed = refresh(made, authority)
    assert (refreshed["keys"], refreshed["left_out"]) == (1, [])
    # A second process may wait that was started when the version was published, and found no copy either.
    time.sleep(COOLDOWN)
    for api in (Api.REST, Api.HTTP):
        assert ask(deployed, api, token) == (200, ["allow"])
    # They are the refresher's: the authorizer did not ask.
    assert issuer.fetches == {"openid": 1, "jwks": 1}
    rules = aws_client("events", made.aws).list_rules(NamePrefix=f"{NAME}-")["Rules"]
    assert [(rule["State"], rule["ScheduleExpression"]) for rule in rules] == [("ENABLED", "rate(5 minutes)")]


def test_the_alias_is_called_from_the_first_gradual_deployment_on(stack: Stack, settings: dict[str, str]) -> None:
    made = make_authorizer(stack, "gradual", settings)
    functions, name = aws_client("lambda", stack.aws), made.outputs["FunctionName"]
    before = functions.get_alias(FunctionName=name, Name="live")["FunctionVersion"]
    # Nothing is new about the function but that its alias is called: Lambda would publish no version for that.
    changed = change_stack(made, {"GradualDeployment": "AllAtOnce"})
    assert changed.outputs["FunctionArn"].endswith(f":{name}:live")
    assert published_version(changed) != before


# examples/private-vpc


def prefix_list(examples: Examples) -> str:
    """Ask for S3's addresses by the page's first command."""
    command = re.search(r"\$\((aws ec2 [^)]+)\)", blocks("sh", page=PAGE)[0].text)
    assert command is not None
    return run_lines(examples.aws, command[1].replace("eu-west-1", REGION))


@pytest.fixture(scope="module")
def network(examples: Examples) -> Made:
    parameters = {"S3PrefixListId": prefix_list(examples)}
    return make_stack(examples.aws, "private-vpc-network", EXAMPLES / "private-vpc" / "network.yaml", parameters)


@pytest.fixture(scope="module")
def example(examples: Examples, network: Made, settings: dict[str, str]) -> Example:
    printed = [each.partition("=") for each in network.outputs["AuthorizerParameters"].split()]
    made = examples.authorizer({**settings, **{key: value for key, _, value in printed}})
    return examples.asking(made, "private-vpc", EXAMPLES / "rest-token" / "template.yaml", {})


def test_keys_come_by_way_of_the_bucket(example: Example, issuer: Provider, authority: Authority) -> None:
    before, after = table(PAGE, "Call", "Token", "Status", "The log says")
    token = issuer.token(audience=AUDIENCE)
    example.as_listed(before, bearer(token))
    issuer.fetches.clear()
    assert refresh(example.authorizer, authority)["keys"] == 1
    example.as_listed(after, bearer(token))
    # Nobody but the refresher asked the issuer.
    assert issuer.fetches == {"openid": 1, "jwks": 1}
