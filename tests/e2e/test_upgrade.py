"""A stack of the release before becomes one of this tree's, in place: its settings hold, and APIs notice nothing."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from artifact.archive import sha256
from artifact.packaged_template import packaged_template
from artifact.record import recorded
from artifact.version import version_of
from demo.calls import Api, Client
from demo.decisions import DecisionLog
from demo.deployment import DEMO_TEMPLATE, aws_client
from demo.scenarios import AUDIENCE
from demo.stack import Deployed
from demo.tools import ROOT, host_architecture
from tests.e2e.asking import ask
from tests.e2e.cloudformation import make_stack
from tests.e2e.cloudformation import packaged_template as deployed_template

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from demo.deployment import Outputs
    from demo.stack import Stack

# The last that is not this very tree's version; while there is none, the record of what will be the first, which says
# little: test_upgrade_renamed.py makes up a release that differs.
PREVIOUS = [release.number for release in recorded(ROOT) if release.number != version_of(ROOT).number][-1:] or ["0.1.0"]


@dataclass(frozen=True, slots=True)
class Upgrade:
    before: Outputs
    after: Outputs
    deployed: Deployed
    """The APIs, attached to what the outputs named before; nobody touched them since."""
    environments: tuple[Mapping[str, str], Mapping[str, str]]
    """The function's variables, before and after."""
    first: tuple[int, list[object]]
    """What a good token got before."""


def parameters(stack: Stack, **more: str) -> dict[str, str]:
    return {
        "JwtIssuer": stack.issuer.url,
        "JwtAudience": AUDIENCE,
        "JwtRequiredScopes": "orders:read",
        "JwtContextClaims": "email,tenant=https://example.com/tenant",
        "JwtCachedBy": "nothing",
        "JwtTokenCacheSize": "0",
        "JwtAllowHttp": "true",
        "LogRetentionDays": "7",
        "Alarms": "off",  # the local AWS knows no metric math
        **more,
    }


def upgraded(stack: Stack, release: Path, snap_start: str) -> Upgrade:
    """Make a stack of the previous release's template, attach APIs, and update it to the release that there is now.

    The code of the first is today's as well: a release's package is no part of the tree.
    """
    name, given = f"upgrade-{snap_start}", parameters(stack, SnapStart=snap_start)
    source = (ROOT / "releases" / PREVIOUS[0] / "template.yaml").read_text("utf-8")
    code = re.findall(r"CodeUri: (s3://\S+)", deployed_template(stack.aws, "demo-authorizer"))[0]
    old = packaged_template(source, code, host_architecture())
    known = {name: value for name, value in given.items() if f"\n  {name}:\n" in old}
    before = make_stack(stack.aws, name, old, known).outputs
    apis = {"AuthorizerArn": before["FunctionArn"], "CacheSeconds": "0"}
    client = Client(stack.aws, make_stack(stack.aws, f"{name}-apis", DEMO_TEMPLATE, apis).outputs)
    deployed = Deployed(client, DecisionLog(stack.aws, before["LogGroup"]))
    first = ask(deployed, Api.REST, token(stack))
    variables = environment(stack, before)
    # As somebody would who has downloaded it.
    (new,) = release.glob(f"*-{host_architecture()}.yaml")
    after = stack.deployer.deploy_template(name, new, given)
    return Upgrade(before, after, deployed, (variables, environment(stack, after)), first)


def token(stack: Stack, **more: object) -> str:
    claims = {"email": "b@example.com", "https://example.com/tenant": "acme", **more}
    return stack.issuer.token(claims, audience=AUDIENCE, scope="orders:read")


def environment(stack: Stack, outputs: Outputs) -> Mapping[str, str]:
    functions = aws_client("lambda", stack.aws)
    found = functions.get_function_configuration(FunctionName=outputs["FunctionArn"])
    return dict(found["Environment"]["Variables"])


@pytest.fixture(scope="module", params=["off", "on"], ids=["SnapStart=off", "SnapStart=on"])
def upgrade(request: pytest.FixtureRequest, stack: Stack, release: Path) -> Upgrade:
    return upgraded(stack, release, request.param)


def test_whoever_named_an_output_names_it_still(upgrade: Upgrade) -> None:
    assert {name: upgrade.after.get(name) for name in upgrade.before} == upgrade.before


def test_its_apis_go_on_answering_by_the_old_settings(stack: Stack, upgrade: Upgrade) -> None:
    assert upgrade.first == (200, ["allow"])
    for api in (Api.REST, Api.REST_TOKEN):
        assert ask(upgrade.deployed, api, token(stack)) == (200, ["allow"])
        # In the log group that was there before.
        unscoped = stack.issuer.token(audience=AUDIENCE, scope="profile")
        assert ask(upgrade.deployed, api, unscoped) == (403, ["insufficient_scope"])
    answer = upgrade.deployed.client.call(Api.REST, "GET", "/orders", {"Authorization": f"Bearer {token(stack)}"})
    assert (answer.told["email"], answer.told["tenant"]) == ("b@example.com", "acme")


def test_its_settings_are_as_they_were_set(upgrade: Upgrade) -> None:
    before, after = ({name: value for name, value in each.items() if value} for each in upgrade.environments)
    assert before.items() <= after.items()
    assert "JWT_REQUIRED_SCOPES" in before


def test_what_apis_call_is_the_code_of_the_release(stack: Stack, upgrade: Upgrade, release: Path) -> None:
    # With SnapStart that is a version, which the alias has to have moved on to.
    found = aws_client("lambda", stack.aws).get_function_configuration(FunctionName=upgrade.before["FunctionArn"])
    (package,) = release.glob(f"*-{host_architecture()}.zip")
    assert found["CodeSha256"] == base64.b64encode(bytes.fromhex(sha256(package))).decode()
