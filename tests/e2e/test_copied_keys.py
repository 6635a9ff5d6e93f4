"""The alias, off by default, and keys that come by way of the refresher's copy: examples/private-vpc.

Of the private network, what the local AWS makes of it.
"""

import json
import re
import time
from collections.abc import Iterator

import pytest

from demo.deployment import aws_client
from demo.scenarios import AUDIENCE
from demo.stack import Stack
from demo.tools import REGION
from jwt_authorizer_devkit.issuer import Provider, TlsFiles, local_issuer
from tests.e2e.asking import make_authorizer
from tests.e2e.cloudformation import change_stack, make_stack
from tests.e2e.examples import Example, Examples, bearer, run_lines
from tests.integration.certificates import Authority
from tests.unit.pages import EXAMPLES, blocks, table

COOLDOWN = 1
"""Seconds: the least that can be set."""
PAGE = EXAMPLES / "private-vpc" / "README.md"


def test_the_alias_stands_for_a_new_version_whenever_a_setting_changes(stack: Stack) -> None:
    functions = aws_client("lambda", stack.aws)
    settings = {"JwtIssuer": "https://issuer.example.com", "JwtAudience": AUDIENCE}
    made = make_authorizer(stack, "gradual", settings)
    name = made.outputs["FunctionName"]
    versions = [functions.get_alias(FunctionName=name, Name="live")["FunctionVersion"]]
    # Nothing is new about the function at first but that its alias is called: Lambda would publish no version for that.
    for change in ({"GradualDeployment": "AllAtOnce"}, {"JwtAudience": "another"}):
        made = change_stack(made, change)
        assert made.outputs["FunctionArn"].endswith(f":{name}:live")
        versions.append(functions.get_alias(FunctionName=name, Name="live")["FunctionVersion"])
    assert len(set(versions)) == 3
    live = functions.get_function_configuration(FunctionName=name, Qualifier="live")
    assert live["Environment"]["Variables"]["JWT_AUDIENCE"] == "another"


# examples/private-vpc


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
def example(examples: Examples, issuer: Provider) -> Example:
    command = re.search(r"\$\((aws ec2 [^)]+)\)", blocks("sh", page=PAGE)[0].text)
    assert command is not None
    parameters = {"S3PrefixListId": run_lines(examples.aws, command[1].replace("eu-west-1", REGION))}
    network = make_stack(examples.aws, "private-vpc-network", EXAMPLES / "private-vpc" / "network.yaml", parameters)
    settings = {"JwtIssuer": issuer.url, "JwtAudience": AUDIENCE, "JwtJwksCooldownSeconds": str(COOLDOWN)}
    printed = [each.partition("=") for each in network.outputs["AuthorizerParameters"].split()]
    authorizer = examples.authorizer(settings | {key: value for key, _, value in printed})
    return examples.asking(authorizer, "private-vpc", EXAMPLES / "rest-token" / "template.yaml", {})


def test_keys_come_by_way_of_the_bucket(example: Example, issuer: Provider, authority: Authority) -> None:
    before, after = table(PAGE, "Call", "Token", "Status", "The log says")
    token = issuer.token(audience=AUDIENCE)
    example.as_listed(before, bearer(token))
    issuer.fetches.clear()
    # Run the refresher once, as its schedule would, and have it trust this certificate authority.
    functions, name = aws_client("lambda", example.aws), example.authorizer.outputs["RefresherName"]
    environment = functions.get_function_configuration(FunctionName=name)["Environment"]
    environment["Variables"] |= {"SSL_CERT_FILE": str(authority.file)}
    functions.update_function_configuration(FunctionName=name, Environment=environment)
    refreshed = json.loads(functions.invoke(FunctionName=name, Payload=b"{}")["Payload"].read())
    assert (refreshed["keys"], refreshed["left_out"]) == (1, [])
    time.sleep(COOLDOWN)
    example.as_listed(after, bearer(token))
    # Nobody but the refresher asked the issuer.
    assert issuer.fetches == {"openid": 1, "jwks": 1}
    rules = aws_client("events", example.aws).list_rules(NamePrefix=f"{example.authorizer.name}-")["Rules"]
    assert [(rule["State"], rule["ScheduleExpression"]) for rule in rules] == [("ENABLED", "rate(5 minutes)")]
