"""The deployed alarms look at what the deployed function reports; with GradualDeployment the alias is called.

The local AWS knows no metric math, so alarms on shares are left out of what is deployed here; it reads no metrics out
of the log either, which is done here (:mod:`tests.cloudwatch`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from demo.decisions import DecisionLog
from demo.deployment import aws_client
from demo.scenarios import AUDIENCE
from demo.tools import host_architecture
from devkit.events import sample
from devkit.issuer.faults import Fault, FaultKind
from tests.cloudformation import read_template
from tests.cloudwatch import Metric, Metrics, state, watched

if TYPE_CHECKING:
    from collections.abc import Mapping

    from demo.deployment import Outputs
    from demo.stack import Stack

NAME = "watched-authorizer"
TOPIC = "arn:aws:sns:us-east-1:000000000000:pager"
MINUTES = 60


@dataclass(slots=True)
class Watched:
    """The stack, and what it tells."""

    stack: Stack
    outputs: Outputs

    def deploy(self, **parameters: str) -> None:
        """Update it with other parameters; those not given keep their values."""
        template = self.stack.deployer.build_folder / "without-math.json"
        self.outputs = self.stack.deployer.deploy(NAME, template, parameters)

    def invoke(self, event: Mapping[str, object] | None = None) -> Any:  # noqa: ANN401 - whatever a function answers
        """Call what an API would call."""
        functions = aws_client("lambda", self.stack.aws)
        asked = sample("rest-token", self.stack.issuer.token(audience=AUDIENCE)) if event is None else event
        answer = functions.invoke(FunctionName=self.outputs["FunctionArn"], Payload=json.dumps(asked))
        return json.loads(answer["Payload"].read())

    def lines(self) -> list[dict[str, Any]]:
        """Give the function's own lines so far."""
        text = DecisionLog(self.stack.aws, self.outputs["LogGroup"]).text()
        return [json.loads(line) for line in text.splitlines() if line.startswith('{"')]

    def alarms(self) -> dict[str, dict[str, Any]]:
        """Give the alarms as they were deployed, by their names in the template."""
        described = aws_client("cloudwatch", self.stack.aws).describe_alarms(AlarmNamePrefix=NAME)["MetricAlarms"]
        return {it["AlarmName"].split("-")[2]: it for it in described}


@pytest.fixture(scope="module")
def deployed(stack: Stack) -> Watched:
    template = read_template(stack.deployer.build_folder / "template.yaml")
    resources = template["Resources"]
    math = [name for name, it in resources.items() if "Metrics" in it.get("Properties", {})]
    assert set(math) == {"NoDecisionAlarm", "FetchesFailingAlarm", "StaleKeysAlarm", "RejectionsAlarm"}
    for name in math:
        del resources[name]
    preference = resources["AuthorizerFunction"]["Properties"]["DeploymentPreference"]
    preference["Alarms"]["Fn::If"][1] = [it for it in preference["Alarms"]["Fn::If"][1] if it["Ref"] not in math]
    body = resources["AuthorizerDashboard"]["Properties"]["DashboardBody"]["Fn::Sub"][1]["AlarmStates"]["Fn::If"]
    for name in math:
        body[1]["Fn::Sub"] = body[1]["Fn::Sub"].replace(f'"${{{name}.Arn}}",', "")
    (stack.deployer.build_folder / "without-math.json").write_text(json.dumps(template))
    watched = Watched(stack, {})
    watched.deploy(
        Architecture=host_architecture(),
        JwtIssuer=stack.issuer.url,
        JwtAudience=AUDIENCE,
        JwtAllowHttp="true",
        AlarmTopicArn=TOPIC,
    )
    return watched


def test_alarms_tell_the_topic_and_the_dashboard_shows_them(deployed: Watched) -> None:
    alarms = deployed.alarms()
    assert len(alarms) == 8
    assert all(it["AlarmActions"] == it["OKActions"] == [TOPIC] for it in alarms.values())
    dashboards = aws_client("cloudwatch", deployed.stack.aws)
    body = json.loads(dashboards.get_dashboard(DashboardName=f"{NAME}-us-east-1")["DashboardBody"])
    assert set(body["widgets"][0]["properties"]["alarms"]) == {it["AlarmArn"] for it in alarms.values()}


def test_alarms_fire_by_what_the_deployed_function_writes(deployed: Watched) -> None:
    deployed.stack.issuer.misbehave("jwks", Fault(FaultKind.STATUS, 503))
    try:
        # The local AWS ends the function's process after each exception, so that each call is a cold start.
        deployed.invoke({"hello": "world"})
        assert "keys_unavailable" in deployed.invoke()["errorMessage"]
    finally:
        deployed.stack.issuer.heal()
    lines = deployed.lines()
    assert {line["service"] for line in lines} == {NAME, deployed.outputs["Service"]}
    # What is seen once is made to go on for three minutes.
    metrics = Metrics()
    for minute in range(3):
        for line in lines:
            metrics.read(line, at=minute * MINUTES)
    fired = {name for name, alarm in deployed.alarms().items() if state(alarm, metrics, 3 * MINUTES) == "ALARM"}
    assert fired == {"KeysUnavailableAlarm", "InvalidEventsAlarm"}


def test_alarms_on_lambda_s_own_metrics_name_the_function_as_lambda_does(deployed: Watched) -> None:
    deployed.invoke()
    counted = {
        Metric(it["Namespace"], it["MetricName"], frozenset((one["Name"], one["Value"]) for one in it["Dimensions"]))
        for it in aws_client("cloudwatch", deployed.stack.aws).list_metrics(Namespace="AWS/Lambda")["Metrics"]
    }
    alarms = deployed.alarms()
    for name in ("SlowAlarm", "ThrottlesAlarm"):
        assert set(watched(alarms[name])) <= counted


def test_the_alias_is_called_from_the_first_slow_deployment_on(deployed: Watched) -> None:
    functions, name = aws_client("lambda", deployed.stack.aws), deployed.outputs["FunctionName"]
    before = functions.get_alias(FunctionName=name, Name="live")["FunctionVersion"]
    # Nothing is new about the function but that its alias is called: Lambda would publish no version for that.
    # (The local AWS has no CodeDeploy; it expands the template as if nothing were shifted.)
    deployed.deploy(GradualDeployment="Canary10Percent5Minutes")
    assert deployed.outputs["FunctionArn"].endswith(f":{name}:live")
    assert functions.get_alias(FunctionName=name, Name="live")["FunctionVersion"] != before
    assert deployed.invoke()["principalId"] == "user-1"
