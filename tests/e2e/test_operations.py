"""The deployed alarms look at what the deployed function reports; with GradualDeployment the alias is called.

The local AWS knows no metric math, so alarms on shares are left out of what is deployed here. It does not read metrics
from the log either, so that is done here.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from demo.decisions import DecisionLog
from demo.deployment import aws_client
from demo.scenarios import AUDIENCE
from demo.tools import REGION, host_architecture
from jwt_authorizer_devkit.events import sample
from jwt_authorizer_devkit.issuer.faults import Fault, FaultKind
from tests.e2e.cloudformation import Made, change_stack, make_stack, packaged_template
from tests.unit.test_alarms import metrics_in, watched

if TYPE_CHECKING:
    from collections.abc import Mapping

    from demo.stack import Stack
    from jwt_authorizer_devkit.issuer import Provider

NAME = "watched-authorizer"
TOPIC = "arn:aws:sns:us-east-1:000000000000:pager"


@dataclass(slots=True)
class Watched:
    """The stack, and what it tells."""

    issuer: Provider
    made: Made

    @property
    def outputs(self) -> Mapping[str, str]:
        return self.made.outputs

    def client(self, service: str) -> Any:  # noqa: ANN401 - boto3 makes its clients at run time
        return aws_client(service, self.made.aws)

    def invoke(self, event: Mapping[str, object] | None = None) -> Any:  # noqa: ANN401 - whatever a function answers
        """Call what an API would call: with a good token, or another event."""
        asked = sample("rest-token", self.issuer.token(audience=AUDIENCE)) if event is None else event
        answer = self.client("lambda").invoke(FunctionName=self.outputs["FunctionArn"], Payload=json.dumps(asked))
        return json.loads(answer["Payload"].read())

    def lines(self) -> list[dict[str, Any]]:
        """Give the function's own lines so far."""
        text = DecisionLog(self.made.aws, self.outputs["LogGroup"]).text()
        return [json.loads(line) for line in text.splitlines() if line.startswith('{"')]

    def alarms(self) -> dict[str, dict[str, Any]]:
        """Give the alarms as they were deployed, by their names in the template."""
        described = self.client("cloudwatch").describe_alarms(AlarmNamePrefix=NAME)["MetricAlarms"]
        return {it["AlarmName"].split("-")[2]: it for it in described}


@pytest.fixture(scope="module")
def deployed(stack: Stack) -> Watched:
    template = yaml.safe_load(packaged_template(stack.aws, "demo-authorizer"))
    resources = template["Resources"]
    math = [name for name, it in resources.items() if "Metrics" in it.get("Properties", {})]
    # The local AWS has no metric math.
    assert 0 < len(math) < len([it for it in resources.values() if it["Type"] == "AWS::CloudWatch::Alarm"])
    preference = resources["AuthorizerFunction"]["Properties"]["DeploymentPreference"]["Alarms"]["Fn::If"]
    preference[1] = [it for it in preference[1] if it["Ref"] not in math]
    shown = resources["AuthorizerDashboard"]["Properties"]["DashboardBody"]["Fn::Sub"][1]["IfAlarms"]["Fn::If"][1]
    for name in math:
        del resources[name]
        shown["Fn::Sub"][0] = shown["Fn::Sub"][0].replace(f'"${{{name}.Arn}}",', "")
    shown["Fn::Sub"][1]["IfNewVersionAlarm"] = ""
    parameters = {
        "Architecture": host_architecture(),
        "JwtIssuer": stack.issuer.url,
        "JwtAudience": AUDIENCE,
        "JwtAllowHttp": "true",
        "Alarms": "on",
        "AlarmTopicArn": TOPIC,
    }
    return Watched(stack.issuer, make_stack(stack.aws, NAME, json.dumps(template), parameters))


def test_alarms_tell_the_topic_and_the_dashboard_shows_them(deployed: Watched) -> None:
    alarms = deployed.alarms()
    assert {"StartFailuresAlarm", "KeysUnavailableAlarm", "SlowAlarm"} < alarms.keys()
    assert all(it["AlarmActions"] == it["OKActions"] == [TOPIC] for it in alarms.values())
    dashboard = deployed.client("cloudwatch").get_dashboard(DashboardName=f"{NAME}-{REGION}")
    (shown,) = (it for it in json.loads(dashboard["DashboardBody"])["widgets"] if it["type"] == "alarm")
    assert set(shown["properties"]["alarms"]) == {it["AlarmArn"] for it in alarms.values()}


def test_alarms_look_at_what_the_deployed_function_writes(deployed: Watched) -> None:
    deployed.issuer.misbehave("jwks", Fault(FaultKind.STATUS, 503))
    try:
        # The local AWS ends the function's process after each exception, so that each call is a cold start.
        deployed.invoke({"hello": "world"})
        assert "keys_unavailable" in deployed.invoke()["errorMessage"]
    finally:
        deployed.issuer.heal()
    lines = deployed.lines()
    assert {line["service"] for line in lines} == {NAME, deployed.outputs["Service"]}
    reported = metrics_in(lines)
    seen = {name for name, alarm in deployed.alarms().items() if set(watched(alarm)) <= reported}
    assert seen == {"KeysUnavailableAlarm", "InvalidEventsAlarm"}


def test_alarms_on_lambda_s_own_metrics_name_the_function_as_lambda_does(deployed: Watched) -> None:
    deployed.invoke()
    counted = {
        (it["Namespace"], it["MetricName"], frozenset((one["Name"], one["Value"]) for one in it["Dimensions"]))
        for it in deployed.client("cloudwatch").list_metrics(Namespace="AWS/Lambda")["Metrics"]
    }
    alarms = deployed.alarms()
    for name in ("SlowAlarm", "ThrottlesAlarm"):
        assert set(watched(alarms[name])) <= counted


def test_the_alias_is_called_from_the_first_slow_deployment_on(deployed: Watched) -> None:
    functions, name = deployed.client("lambda"), deployed.outputs["FunctionName"]
    before = functions.get_alias(FunctionName=name, Name="live")["FunctionVersion"]
    # Nothing is new about the function but that its alias is called: Lambda would publish no version for that.
    # (The local AWS has no CodeDeploy; it expands the template as if nothing were shifted.)
    deployed.made = change_stack(deployed.made, {"GradualDeployment": "Canary10Percent5Minutes"})
    assert deployed.outputs["FunctionArn"].endswith(f":{name}:live")
    assert functions.get_alias(FunctionName=name, Name="live")["FunctionVersion"] != before
    assert deployed.invoke()["principalId"] == "user-1"
