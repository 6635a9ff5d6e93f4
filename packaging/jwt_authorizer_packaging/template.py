"""The template of the stack: ``stack.yaml`` with our tags expanded, the settings' parameters, the runbook's texts."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from jwt_authorizer_devkit.described import described
from jwt_authorizer_devkit.routes.documents import read_document
from jwt_authorizer_packaging.parameters import declared, declared_setting

if TYPE_CHECKING:
    from collections.abc import Mapping

type Value = Any
"""A value in a template: string, number, list, mapping, or a CloudFormation function in its long form."""

ROOT = Path(__file__).resolve().parents[2]
_HEAD = """\
# Written by `make generate`; do not edit. The source, with the reasons, is packaging/stack.yaml, and for the settings
# authorizer/jwt_authorizer/settings/table.py. Each Jwt… parameter is the environment variable JWT_…; empty is not set.
"""
_SERVICE: Value = {"Fn::If": ["HasServiceName", {"Ref": "ServiceName"}, {"Ref": "AWS::StackName"}]}


def template() -> Value:
    """Return the template, with CloudFormation functions in their long form."""
    stack = _expanded(read_document((ROOT / "packaging" / "stack.yaml").read_text("utf-8")))
    groups: dict[str, list[str]] = {}
    for it in described():
        groups.setdefault(it.section, []).append(it.parameter)
    for title, parameters in stack["Parameters"].items():
        groups.setdefault(title, []).extend(parameters)
    shown = [{"Label": {"default": title}, "Parameters": names} for title, names in groups.items()]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    stack["Metadata"]["AWS::ServerlessRepo::Application"]["SemanticVersion"] = project["version"]
    stack["Metadata"] |= {"AWS::CloudFormation::Interface": {"ParameterGroups": shown}}
    own = {name: declared(*row) for group in stack["Parameters"].values() for name, row in group.items()}
    stack["Parameters"] = {it.parameter: declared_setting(it) for it in described()} | own
    stack["Resources"] = _resources(stack["Resources"])
    # SAM looks this up when it expands the template, before conditions have a value. HasShifting is the same.
    deployments = stack["Parameters"]["GradualDeployment"]["AllowedValues"]
    shifted = {it: {"Shifted": str(it not in ("off", "AllAtOnce")).lower()} for it in deployments}
    stack["Mappings"] = {"Deployments": shifted}
    stack["Rules"] = {name: _rule(stack, *row) for name, row in stack["Rules"].items()}
    named = re.findall(r'"(Has\w+)"', json.dumps([stack["Resources"], stack["Outputs"]]))
    stack["Conditions"] = {name: _condition(stack, name) for name in named}
    return stack


def _resources(written: Value) -> dict[str, Value]:
    resources: dict[str, Value] = {}
    for name, it in written.items():
        function = it.get("Fn::Function")
        resources |= _with_log_and_role(name, function) if function else {name: it}
    settings = {it.setting.variable: {"Ref": it.parameter} for it in described()}
    # The revoker checks logout tokens with the authorizer's own settings. A setting that is not set is an empty string:
    # `sam local` can't resolve a condition that leaves it out, and would lose the setting.
    for function in ("AuthorizerFunction", "RevokerFunction"):
        environment = resources[function]["Properties"]["Environment"]
        environment["Variables"] = settings | environment["Variables"]
    content = resources["SettingsVersion"]["Properties"]["Content"]["Fn::Join"][1]
    content[:] = [*settings.values(), *({"Ref": name} for name in content)]
    alarms = {name: it for name, it in resources.items() if it["Type"] == "AWS::CloudWatch::Alarm"}
    runbook = (ROOT / "docs" / "runbook.md").read_text("utf-8")
    entries = dict(re.findall(r"^### (\w+Alarm)\n\n(.+?)\n\n", runbook, re.MULTILINE | re.DOTALL))
    arns: list[Value] = []
    for name, it in alarms.items():
        text = " ".join(entries[name].split())
        it["Properties"]["AlarmDescription"] = {"Fn::Sub": f"{text} Runbook: ${{RunbookUrl}}#{name.lower()}"}
        arn = {"Fn::GetAtt": [name, "Arn"]}
        arns.append(arn if it["Condition"] == "HasAlarms" else _if(it["Condition"], arn))
    dashboard = resources["AuthorizerDashboard"]["Properties"]
    states, *widgets = map(json.dumps, dashboard["DashboardBody"])
    shown = {"Fn::Sub": [f"{states},", {"AlarmArns": {"Fn::Join": ['", "', arns]}}]}
    body = '{"widgets": [${IfAlarms}\n' + ",\n".join(widgets) + "]}"
    variables = {"Service": _SERVICE, "IfAlarms": {"Fn::If": ["HasAlarms", shown, ""]}}
    dashboard["DashboardBody"] = {"Fn::Sub": [body, variables]}
    return resources


def _rule(stack: Value, where: Value, wanted: Value, text: str) -> Value:
    # A rule can't refer to the template's conditions.
    assertion = {"Assert": _condition(stack, wanted), "AssertDescription": text}
    return {**({"RuleCondition": _condition(stack, where)} if where else {}), "Assertions": [assertion]}


def _condition(stack: Value, it: Value) -> Value:
    """Return a condition. A name is one of ``stack.yaml``'s, or ``Has`` and the parameters that have to be set."""
    if isinstance(it, dict):
        return {
            name: inner if name == "Fn::Equals" else [_condition(stack, part) for part in inner]
            for name, inner in it.items()
        }
    if it in stack["Conditions"]:
        return _condition(stack, stack["Conditions"][it])
    first, *others = it.removeprefix("Has").split("And")
    if others:
        return {"Fn::And": [_condition(stack, f"Has{name}") for name in (first, *others)]}
    nothing = "off" if "off" in stack["Parameters"][first].get("AllowedValues", ()) else ""
    return {"Fn::Not": [{"Fn::Equals": [{"Ref": first}, nothing]}]}


def _expanded(value: Value) -> Value:  # noqa: PLR0911 - one for each tag
    """Expand our own tags in a value of ``stack.yaml``, innermost first."""
    if isinstance(value, list):
        return [_expanded(it) for it in value]
    if not isinstance(value, dict):
        return value
    match {name: _expanded(it) for name, it in value.items()}:
        case {"Fn::Role": {"Service": service, "Policies": policies, "Condition": condition}}:
            return _role(service, policies, condition)
        case {"Fn::Permission": [function, api]}:  # of the authorizers of the API that a parameter names
            return _permission(function, api)
        case {"Fn::Metric": [name, *dimensions]}:  # one of ours, of this service
            return _metric("JwtAuthorizer", name, {"service": _SERVICE}, *dimensions)
        case {"Fn::LambdaMetric": [name, *dimensions]}:  # one of Lambda's, of the authorizer by default
            return _metric("AWS/Lambda", name, {"FunctionName": {"Ref": "AuthorizerFunction"}}, *dimensions)
        case {"Fn::Alarm": {"Metric": metric, **own}}:
            return _alarm({**metric, "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 15, **own})
        case {"Fn::Alarm": {"Share": [expression, label], "Of": metrics, **own}}:
            result = {"Id": "result", "Label": label, "Expression": expression, "ReturnData": True}
            period = own.pop("Period", 300)
            parts = [_part(name, it, period) for name, it in metrics.items()]
            return _alarm({"Metrics": [result, *parts], "EvaluationPeriods": 3, **own})
        case inner:
            return inner


def _if(condition: str, value: Value) -> Value:
    return {"Fn::If": [condition, value, {"Ref": "AWS::NoValue"}]}


def _resource(kind: str, properties: Value, condition: Value) -> Value:
    return {"Type": kind, **({"Condition": condition} if condition else {}), "Properties": properties}


def _with_log_and_role(name: str, function: Value) -> dict[str, Value]:
    condition, metadata, policies = (function.pop(it, None) for it in ("Condition", "Metadata", "Policies"))
    logs, role = name.replace("Function", "Logs"), name.replace("Function", "Role")
    function["LoggingConfig"] = {"LogGroup": {"Ref": logs}, **function["LoggingConfig"]}
    function["Role"] = {"Fn::GetAtt": [role, "Arn"]}
    group = {"RetentionInDays": {"Ref": "LogRetentionDays"}, "KmsKeyId": _if("HasLogKeyArn", {"Ref": "LogKeyArn"})}
    write = {"Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": {"Fn::GetAtt": [logs, "Arn"]}}
    return {
        name: _resource("AWS::Serverless::Function", function, condition) | {"Metadata": metadata},
        logs: _resource("AWS::Logs::LogGroup", group, condition),
        role: _role("lambda", [["WriteItsLog", None, write], *policies], condition),
    }


def _role(service: str, policies: list[Value], condition: Value) -> Value:
    trust = {"Effect": "Allow", "Principal": {"Service": f"{service}.amazonaws.com"}, "Action": "sts:AssumeRole"}
    properties = {
        "PermissionsBoundary": _if("HasPermissionsBoundary", {"Ref": "PermissionsBoundary"}),
        "Path": {"Ref": "RolePath"},
        "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
        "Policies": [_policy(*it) for it in policies],
    }
    return _resource("AWS::IAM::Role", properties, condition)


def _policy(name: str, condition: str | None, *statements: Value) -> Value:
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **it} for it in statements]}
    policy = {"PolicyName": name, "PolicyDocument": document}
    return _if(condition, policy) if condition else policy


def _permission(function: str, api: str) -> Value:
    account = {"Fn::If": ["HasApiAccountId", {"Ref": "ApiAccountId"}, {"Ref": "AWS::AccountId"}]}
    arn = f"arn:${{AWS::Partition}}:execute-api:${{AWS::Region}}:${{Account}}:${{{api}}}/authorizers/*"
    called = {"FunctionName": {"Ref": function}, "Action": "lambda:InvokeFunction"}
    caller = {"Principal": "apigateway.amazonaws.com", "SourceArn": {"Fn::Sub": [arn, {"Account": account}]}}
    condition = f"HasAliasAnd{api}" if function.endswith(".Alias") else f"Has{api}"
    return _resource("AWS::Lambda::Permission", called | caller, condition)


def _metric(namespace: str, name: str, *dimensions: Mapping[str, Value]) -> Value:
    merged = {key: value for it in dimensions for key, value in it.items()}
    listed = [{"Name": key, "Value": value} for key, value in merged.items()]
    return {"Namespace": namespace, "MetricName": name, "Dimensions": listed}


def _part(name: str, metric: Value, period: Value) -> Value:
    if "Expression" in metric:
        return {"Id": name, **metric}
    return {"Id": name, "ReturnData": False, "MetricStat": {"Metric": metric, "Period": period, "Stat": "Sum"}}


def _alarm(own: Value) -> Value:
    condition = own.pop("Condition", "HasAlarms")
    actions = _if("HasAlarmTopicArn", [{"Ref": "AlarmTopicArn"}])
    usual = {"DatapointsToAlarm": 3, "Threshold": 1, "ComparisonOperator": "GreaterThanOrEqualToThreshold"}
    usual |= {"TreatMissingData": "notBreaching", "AlarmActions": actions, "OKActions": actions}
    return _resource("AWS::CloudWatch::Alarm", usual | own, condition)


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - PyYAML's signature
        return True


def _written(dumper: yaml.SafeDumper, value: Mapping[str, Value]) -> yaml.Node:
    name, argument = next(iter(value.items()), ("", ""))
    if name != "Ref" and not name.startswith("Fn::"):
        return dumper.represent_mapping("tag:yaml.org,2002:map", value, flow_style=False)
    node = dumper.represent_data(".".join(argument) if name == "Fn::GetAtt" else argument)
    node.tag = "!" + name.removeprefix("Fn::")
    if isinstance(node, yaml.SequenceNode):
        node.flow_style = all(isinstance(it, yaml.ScalarNode) or it.flow_style for it in node.value)
    return node


_Dumper.add_representer(dict, _written)


def write(template: Value) -> str:
    """Return a template as YAML, with CloudFormation functions in their short form."""
    options: Value = {"sort_keys": False, "default_flow_style": None, "width": 1_000_000, "allow_unicode": True}
    return _HEAD + str(yaml.dump(template, Dumper=_Dumper, **options))
