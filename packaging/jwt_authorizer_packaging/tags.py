"""CloudFormation's YAML with the tags of our own that ``stack.yaml`` uses. :func:`_meant` shows what each takes."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

type Value = Any
"""What a template holds: text, numbers, lists, mappings; a function of CloudFormation in its long form."""

_SERVICE: Value = {"Fn::If": ["HasServiceName", {"Ref": "ServiceName"}, {"Ref": "AWS::StackName"}]}


def worked_out(value: Value) -> Value:
    """Return the value of a template with our tags worked out, the innermost first."""
    if isinstance(value, list):
        return [worked_out(it) for it in value]
    if not isinstance(value, dict):
        return value
    inner = {name: worked_out(it) for name, it in value.items()}
    name, argument = next(iter(inner.items()), ("", None))
    return _meant(name.removeprefix("Fn::"), argument) if name.startswith("Fn::") else inner


def _meant(tag: str, value: Value) -> Value:  # noqa: C901, PLR0911 - each is a tag
    match tag, value:
        case "If", [condition, it]:  # AWS::NoValue otherwise
            return {"Fn::If": [condition, it, {"Ref": "AWS::NoValue"}]}
        case "List", parameter:  # the values of one that has them separated by commas
            return {"Fn::Split": [",", {"Ref": parameter}]}
        case "Shifted", [deployments]:  # the mapping that SAM looks up
            return {it: {"Shifted": str(it not in ("off", "AllAtOnce")).lower()} for it in deployments}
        case "Role", {"Service": service, "Policies": policies, **others}:
            return _resource("AWS::IAM::Role", _role(service, policies), others.get("Condition"))
        case "Permission", [function, api]:  # of the authorizers of the API that a parameter names
            return _permission(function, api)
        case "Metric", [name, *dimensions]:  # one of ours, of this service
            return _metric("JwtAuthorizer", name, {"service": _SERVICE}, *dimensions)
        case "Errors", code:  # the metric of requests that ended with this error
            return _meant("Metric", ["Decisions", {"decision": "error", "reason": code}])
        case "LambdaMetric", [name, *dimensions]:  # one of Lambda's, of the authorizer if none names another function
            return _metric("AWS/Lambda", name, {"FunctionName": {"Ref": "AuthorizerFunction"}}, *dimensions)
        case "Alarm", {"Metric": metric, **others}:  # at least 1 in 3 of 15 minutes
            return _alarm({**metric, "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 15}, others)
        case "Alarm", {"Share": [expression, label], "Of": metrics, **others}:  # at least 1 in 3 windows of 300 s
            result = {"Id": "result", "Label": label, "Expression": expression, "ReturnData": True}
            listed = [result, *_parts(metrics, value.get("Period", 300))]
            return _alarm({"Metrics": listed, "EvaluationPeriods": 3}, others | {"Period": None})
        case "Dashboard", [variables, *widgets]:  # an item "${If…}" is a comma and more items, or nothing
            text = _json({"widgets": [*(_widget(*it) for it in widgets), "${IfAlarms}"]})
            return {"Fn::Sub": [text.replace('{"type"', '\n{"type"'), {"Service": _SERVICE, **variables}]}
        case _:
            return {f"Fn::{tag}": value}


def _resource(kind: str, properties: Value, condition: Value) -> Value:
    return {"Type": kind, **({"Condition": condition} if condition else {}), "Properties": properties}


def _role(service: str, policies: Sequence[Value]) -> Value:
    principal = {"Service": f"{service}.amazonaws.com"}
    trust = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    return {
        "PermissionsBoundary": _meant("If", ["HasPermissionsBoundary", {"Ref": "PermissionsBoundary"}]),
        "Path": {"Ref": "RolePath"},
        "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
        "Policies": [_policy(it) for it in policies],
    }


def _policy(written: Value) -> Value:
    name, condition, *statements = written
    document = {"Version": "2012-10-17", "Statement": [_statement(it) for it in statements]}
    policy = {"PolicyName": name, "PolicyDocument": document}
    return _meant("If", [condition, policy]) if condition else policy


def _statement(written: Value) -> Value:
    match written:
        case [action, resource]:
            return {"Effect": "Allow", "Action": action, "Resource": resource}
        case [action, keys, services]:
            # AWS says who asks; what that ends with differs by partition.
            hosts: Value = [{"Fn::Sub": f"{it}.${{AWS::Region}}.*"} for it in services]
            via = hosts if len(hosts) > 1 else hosts[0]
            return _statement([action, keys]) | {"Condition": {"StringLike": {"kms:ViaService": via}}}
        case _:
            return written


def with_log_and_role(name: str, function: Value) -> dict[str, Value]:
    """Return the resources of a function: itself, its log group, and its role, which may write to that log."""
    condition, metadata, policies = (function.pop(it, None) for it in ("Condition", "Metadata", "Policies"))
    logs, role = name.replace("Function", "Logs"), name.replace("Function", "Role")
    function["LoggingConfig"] = {"LogGroup": {"Ref": logs}, **function["LoggingConfig"]}
    function["Role"] = {"Fn::GetAtt": [role, "Arn"]}
    key = _meant("If", ["HasLogKeyArn", {"Ref": "LogKeyArn"}])
    group = {"RetentionInDays": {"Ref": "LogRetentionDays"}, "KmsKeyId": key}
    write = ["WriteItsLog", None, [["logs:CreateLogStream", "logs:PutLogEvents"], {"Fn::GetAtt": [logs, "Arn"]}]]
    return {
        name: _resource("AWS::Serverless::Function", function, condition) | {"Metadata": metadata},
        logs: _resource("AWS::Logs::LogGroup", group, condition),
        role: _resource("AWS::IAM::Role", _role("lambda", [write, *policies]), condition),
    }


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


def _parts(metrics: Mapping[str, Value], period: int) -> list[Value]:
    return [
        {"Id": name, "Label": name.capitalize(), "Expression": it, "ReturnData": True}
        if "Fn::Sub" in it
        else {"Id": name, "ReturnData": False, "MetricStat": {"Metric": it, "Period": period, "Stat": "Sum"}}
        for name, it in metrics.items()
    ]


def _alarm(watched: Value, others: Value) -> Value:
    condition = others.pop("Condition", "HasAlarms")
    actions = _meant("If", ["HasAlarmTopicArn", [{"Ref": "AlarmTopicArn"}]])
    usual = {"DatapointsToAlarm": 3, "Threshold": 1, "ComparisonOperator": "GreaterThanOrEqualToThreshold"}
    usual |= {"TreatMissingData": "notBreaching", "AlarmActions": actions, "OKActions": actions}
    # Null leaves a property out.
    kept = {name: value for name, value in {**watched, **usual, **others}.items() if value is not None}
    return _resource("AWS::CloudWatch::Alarm", kept, condition)


def _widget(place: Sequence[Value], *metrics: Value) -> Value:
    x, y, width, height, title, own = place
    shown = {"view": "timeSeries", "period": 60, **own, "metrics": metrics} if metrics else {"view": "table", **own}
    properties = {"title": title, "region": "${AWS::Region}", **shown}
    kind = "metric" if metrics else "log"
    return {"type": kind, "x": x, "y": y, "width": width, "height": height, "properties": properties}


def alarm_states(alarms: Mapping[str, str]) -> Value:
    """Return the dashboard's widget with the state of each alarm. ``alarms`` has their conditions by their names."""
    listed, variables = [], {}
    for name, condition in alarms.items():
        if condition == "HasAlarms":
            listed.append(f"${{{name}.Arn}}")
        else:
            listed.append(f"${{If{name}}}")
            variables[f"If{name}"] = {"Fn::If": [condition, {"Fn::Sub": f', "${{{name}.Arn}}"'}, ""]}
    shown = {"title": "Alarms", "alarms": listed}
    widget = {"type": "alarm", "x": 0, "y": 0, "width": 24, "height": 2, "properties": shown}
    return {"Fn::If": ["HasAlarms", {"Fn::Sub": [f", {_json(widget)}", variables]}, ""]}


def _json(content: Value) -> str:
    return re.sub(r', "(\$\{If\w+\})"', r"\1", json.dumps(content))


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - PyYAML's signature
        return True


def _written(dumper: yaml.SafeDumper, value: Mapping[str, Value]) -> yaml.Node:
    name, argument = next(iter(value.items())) if len(value) == 1 else ("", "")
    if not name.startswith("Fn::") and name != "Ref":
        return dumper.represent_mapping("tag:yaml.org,2002:map", value)
    node = dumper.represent_data(".".join(argument) if name == "Fn::GetAtt" else argument)
    node.tag = "!" + name.removeprefix("Fn::")
    return node


def _listed(dumper: yaml.SafeDumper, value: Sequence[Value]) -> yaml.Node:
    node = dumper.represent_sequence("tag:yaml.org,2002:seq", value)
    node.flow_style = all(isinstance(it, yaml.ScalarNode) or it.flow_style for it in node.value)
    return node


_Dumper.add_representer(dict, _written)
_Dumper.add_representer(list, _listed)


def write(template: Value) -> str:
    """Return the YAML of a template, with each function of CloudFormation in its short form."""
    options: Value = {"sort_keys": False, "default_flow_style": False, "width": 1_000_000, "allow_unicode": True}
    return str(yaml.dump(template, Dumper=_Dumper, **options))
