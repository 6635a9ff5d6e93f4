"""examples/private-vpc: the network as far as the local AWS makes it, and keys that come by way of the bucket."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from demo.deployment import aws_client
from demo.tools import REGION
from tests.e2e.aws_commands import run_command
from tests.e2e.cloudformation import Made, make_stack
from tests.e2e.copied_keys import run_refresher
from tests.e2e.examples import Example, Examples, bearer
from tests.unit.pages import EXAMPLES, blocks, table

if TYPE_CHECKING:
    from tests.e2e.copied_keys import CopiedKeys

PAGE = EXAMPLES / "private-vpc" / "README.md"
AUDIENCE = "https://api.example.com"


def prefix_list(examples: Examples) -> str:
    """Ask for S3's addresses by the page's first command."""
    command = re.search(r"\$\((aws ec2 [^)]+)\)", blocks("sh", page=PAGE)[0].text)
    assert command is not None
    return str(run_command(examples.aws, command[1], {"eu-west-1": REGION}))


@pytest.fixture(scope="module")
def network(examples: Examples) -> Made:
    parameters = {"S3PrefixListId": prefix_list(examples)}
    return make_stack(examples.aws, "private-vpc-network", EXAMPLES / "private-vpc" / "network.yaml", parameters)


@pytest.fixture(scope="module")
def example(examples: Examples, network: Made, copied_keys: CopiedKeys) -> Example:
    printed = [each.partition("=") for each in network.outputs["AuthorizerParameters"].split()]
    settings = {"JwtIssuer": copied_keys.issuer.url, "JwtAudience": AUDIENCE, "JwtJwksCooldownSeconds": "1"}
    authorizer = examples.authorizer({**settings, **{key: value for key, _, value in printed}})
    return examples.asking(authorizer, "private-vpc", EXAMPLES / "rest-token" / "template.yaml", {})


def test_keys_come_by_way_of_the_bucket(example: Example, copied_keys: CopiedKeys) -> None:
    before, after = table(PAGE, "Call", "Token", "Status", "The log says")
    token = copied_keys.issuer.token(audience=AUDIENCE)
    reply, said = example.ask("GET /orders", bearer(token))
    assert (str(reply.status), said) == (before["Status"], before["The log says"])
    copied_keys.issuer.fetches.clear()
    copied = run_refresher(example.aws, example.authorizer.outputs["RefresherName"], copied_keys.authority)
    assert copied["keys"] == 1
    reply, said = example.ask("GET /orders", bearer(token))
    assert (str(reply.status), said) == (after["Status"], after["The log says"])
    # Nobody but the refresher asked the issuer.
    assert copied_keys.issuer.fetches == {"openid": 1, "jwks": 1}


def test_the_subnets_have_no_way_to_the_internet(network: Made) -> None:
    ec2, made = aws_client("ec2", network.aws), network.resources()
    tables = ec2.describe_route_tables(RouteTableIds=[made["Routes"]])["RouteTables"]
    assert {route["GatewayId"] for each in tables for route in each["Routes"]} == {"local"}
    associated = {each["SubnetId"] for each in tables[0]["Associations"]}
    assert associated == {made["SubnetA"], made["SubnetB"]}
    in_vpc = [{"Name": "attachment.vpc-id", "Values": [made["Vpc"]]}]
    assert ec2.describe_internet_gateways(Filters=in_vpc)["InternetGateways"] == []
    (endpoint,) = ec2.describe_vpc_endpoints(VpcEndpointIds=[made["S3Endpoint"]])["VpcEndpoints"]
    assert (endpoint["VpcEndpointType"], endpoint["RouteTableIds"]) == ("Gateway", [made["Routes"]])
    assert endpoint["ServiceName"] == "com.amazonaws.us-east-1.s3"


def test_the_group_lets_https_out_to_s3_and_nothing_else(examples: Examples, network: Made) -> None:
    groups = aws_client("ec2", network.aws).describe_security_groups(GroupIds=[network.resources()["AuthorizerGroup"]])
    (group,) = groups["SecurityGroups"]
    assert group["IpPermissions"] == []
    (way_out,) = group["IpPermissionsEgress"]
    assert (way_out["IpProtocol"], way_out["FromPort"], way_out["ToPort"]) == ("tcp", 443, 443)
    assert [each["PrefixListId"] for each in way_out["PrefixListIds"]] == [prefix_list(examples)]
    assert way_out["IpRanges"] == way_out["Ipv6Ranges"] == way_out["UserIdGroupPairs"] == []


def test_the_output_is_what_the_authorizer_has_to_be_told(network: Made) -> None:
    made = network.resources()
    printed: dict[str, Any] = dict(each.split("=") for each in network.outputs["AuthorizerParameters"].split())
    assert printed == {
        "VpcSubnetIds": f"{made['SubnetA']},{made['SubnetB']}",
        "VpcSecurityGroupIds": made["AuthorizerGroup"],
        "JwtJwks": f"s3://{made['Keys']}/jwks.json",
        "RefreshTarget": f"s3://{made['Keys']}/jwks.json",
        "RefreshTargetArn": f"arn:aws:s3:::{made['Keys']}/jwks.json",
    }
