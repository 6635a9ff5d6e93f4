"""Read and write CloudFormation's YAML, with the tags of our own that ``stack.yaml`` uses.

| Tag | Is |
| --- | --- |
| ``!Set NAME``, ``!On NAME`` | the condition that a parameter is not empty, or that it is "on" |
| ``!Rule [[condition, assertion, text], …]`` | a rule about parameters |
| ``!List NAME`` | the values of a parameter that has them comma-separated |
| ``!Refs [NAMES]``, ``!Lines [NAMES]`` | several ``!Ref``, as a list or joined by newlines |
| ``!Shifted [NAMES]`` | a mapping: which values of GradualDeployment shift traffic |
| ``!Allow [actions, resource, condition]`` | a statement of a policy |
| ``!Via [action, keys, services]`` | the same for KMS keys, through these services only |
| ``!Role {Service, Condition, Policies}`` | a role; a policy is ``[name, statement, …]``, or ``!If`` with one |
| ``!Permission [condition, function, parameter]`` | the right of an API's authorizers to call a function |
| ``!Metric [name, dimensions]`` | one of our metrics, of this service |
| ``!Errors REASON`` | the metric of requests that ended with an error |
| ``!LambdaMetric [name, dimensions]`` | one of Lambda's of the authorizer if no other function is named |
| ``!Alarm {Text, Metric}`` | an alarm on a metric: at least 1 in 3 of 15 minutes |
| ``!Alarm {Text, Share, Of}`` | an alarm on ``[expression, label]`` of metrics: at least 1 in 3 windows of 300 s |
| ``!Dashboard ROWS`` | a dashboard's body |

``!If`` needs no third item where that would be ``AWS::NoValue``. All else in ``!Alarm`` are plain properties;
null leaves one out.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

type Value = Any
"""What a template holds: text, numbers, lists, mappings; a function of CloudFormation in its long form."""

NOTHING: Value = {"Ref": "AWS::NoValue"}
SERVICE: Value = {"Fn::If": ["NamesService", {"Ref": "ServiceName"}, {"Ref": "AWS::StackName"}]}


def is_set(parameter: str) -> Value:
    """Return the condition that a parameter is not empty."""
    return {"Fn::Not": [{"Fn::Equals": [{"Ref": parameter}, ""]}]}


def _if(arguments: Sequence[Value]) -> Value:
    return {"Fn::If": [*arguments, *[NOTHING] * (3 - len(arguments))]}


def _rule(assertions: Sequence[Sequence[Value]]) -> Value:
    listed = [{"Assert": it, "AssertDescription": text} for _, it, text in assertions]
    condition = assertions[0][0]
    return {**({"RuleCondition": condition} if condition else {}), "Assertions": listed}


def _list(parameter: str) -> Value:
    return {"Fn::Split": [",", {"Ref": parameter}]}


def _refs(names: Sequence[str]) -> list[Value]:
    return [{"Ref": name} for name in names]


def _shifted(arguments: Sequence[Sequence[str]]) -> Value:
    return {name: {"Shifted": str(name not in ("off", "AllAtOnce")).lower()} for name in arguments[0]}


def _allow(arguments: Sequence[Value]) -> Value:
    return {"Effect": "Allow", **dict(zip(("Action", "Resource", "Condition"), arguments, strict=False))}


def _via(arguments: Sequence[Value]) -> Value:
    action, keys, services = arguments
    # AWS says who asks; what that ends with differs by partition.
    hosts = [{"Fn::Sub": f"{it}.${{AWS::Region}}.*"} for it in services]
    through = {"StringLike": {"kms:ViaService": hosts if len(hosts) > 1 else hosts[0]}}
    return _allow((action, keys, through))


def _document(statements: Sequence[Value]) -> Value:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _policy(written: Value) -> Value:
    if isinstance(written, dict):
        condition, inner, nothing = written["Fn::If"]
        return {"Fn::If": [condition, _policy(inner), nothing]}
    name, *statements = written
    return {"PolicyName": name, "PolicyDocument": _document(statements)}


def _role(role: Mapping[str, Value]) -> Value:
    principal = {"Service": f"{role['Service']}.amazonaws.com"}
    trust = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    policies = [_policy(it) for it in role["Policies"]]
    bounds = {"PermissionsBoundary": _if(["BoundsRights", {"Ref": "PermissionsBoundary"}]), "Path": {"Ref": "RolePath"}}
    properties = {**bounds, "AssumeRolePolicyDocument": _document([trust]), "Policies": policies}
    return {"Type": "AWS::IAM::Role", **_condition(role), "Properties": properties}


def _condition(resource: Mapping[str, Value]) -> Value:
    return {"Condition": resource["Condition"]} if "Condition" in resource else {}


def _permission(arguments: Sequence[str]) -> Value:
    condition, function, api = arguments
    arn = f"arn:${{AWS::Partition}}:execute-api:${{AWS::Region}}:${{Account}}:${{{api}}}/authorizers/*"
    account = {"Fn::If": ["CallsFromElsewhere", {"Ref": "ApiAccountId"}, {"Ref": "AWS::AccountId"}]}
    called = {"FunctionName": {"Ref": function}, "Action": "lambda:InvokeFunction"}
    properties = {
        **called,
        "Principal": "apigateway.amazonaws.com",
        "SourceArn": {"Fn::Sub": [arn, {"Account": account}]},
    }
    return {"Type": "AWS::Lambda::Permission", "Condition": condition, "Properties": properties}


def _metric(namespace: str, dimension: Mapping[str, Value]) -> Callable[[Sequence[Value]], Value]:
    def metric(arguments: Sequence[Value]) -> Value:
        name, dimensions = arguments[0], {**dimension, **(arguments[1] if len(arguments) > 1 else {})}
        listed = [{"Name": key, "Value": value} for key, value in dimensions.items()]
        return {"Namespace": namespace, "MetricName": name, "Dimensions": listed}

    return metric


_ours = _metric("JwtAuthorizer", {"service": SERVICE})
_ACTIONS: Value = {"Fn::If": ["TellsATopic", [{"Ref": "AlarmTopicArn"}], NOTHING]}


def _alarm(alarm: dict[str, Value]) -> Value:
    condition, text = alarm.pop("Condition", "Alarming"), alarm.pop("Text")
    properties = {"AlarmDescription": text}
    if "Metric" in alarm:
        properties |= {**alarm.pop("Metric"), "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 15}
    else:
        properties |= {"Metrics": _math(alarm), "EvaluationPeriods": 3}
    properties |= {"DatapointsToAlarm": 3, "Threshold": 1, "ComparisonOperator": "GreaterThanOrEqualToThreshold"}
    if "Expected" in alarm:
        band = {"Id": "expected", "Label": "Expected", "Expression": alarm.pop("Expected"), "ReturnData": True}
        properties["Metrics"].insert(0, band)
        properties |= {"ThresholdMetricId": "expected", "ComparisonOperator": "GreaterThanUpperThreshold"}
        alarm["Threshold"] = None
    properties |= {"TreatMissingData": "notBreaching", "AlarmActions": _ACTIONS, "OKActions": _ACTIONS, **alarm}
    kept = {name: value for name, value in properties.items() if value is not None}
    return {"Type": "AWS::CloudWatch::Alarm", "Condition": condition, "Properties": kept}


def _math(alarm: dict[str, Value]) -> list[Value]:
    (expression, label), metrics, period = alarm.pop("Share"), alarm.pop("Of"), alarm.pop("Period", 300)
    stats = [
        {"Id": name, "ReturnData": False, "MetricStat": {"Metric": metric, "Period": period, "Stat": "Sum"}}
        for name, metric in metrics.items()
    ]
    return [{"Id": "result", "Label": label, "Expression": expression, "ReturnData": True}, *stats]


def _dashboard(rows: Sequence[Value]) -> Value:
    """Return JSON in a ``!Sub``, with what exists under a condition only as a variable of it."""
    variables: dict[str, Value] = {"Service": SERVICE}
    widgets = []
    for (x, y, width, height, title, properties), *metrics in rows:
        shown = {"title": title, "region": "${AWS::Region}"}
        if "query" in properties:
            kind, shown = "log", shown | {"view": "table", **properties}
        else:
            kind, shown = "metric", shown | {"view": "timeSeries", "period": 60, **properties}
            shown["metrics"] = [it for it in metrics if isinstance(it, list)]
        text = json.dumps({"type": kind, "x": x, "y": y, "width": width, "height": height, "properties": shown})
        for condition, metric, _ in (it["Fn::If"] for it in metrics if isinstance(it, dict)):
            variables[f"If{condition}"] = {"Fn::If": [condition, {"Fn::Sub": f", {json.dumps(metric)}"}, ""]}
            text = text.removesuffix("]}}") + f"${{If{condition}}}]}}}}"
        widgets.append(text)
    return {"Fn::Sub": [f'{{"widgets": [${{AlarmStates}}\n{",\n".join(widgets)}]}}', variables]}


def alarm_states(alarms: Mapping[str, str]) -> Value:
    """Return the widget with the state of each alarm that exists. ``alarms`` has their conditions by their names."""
    always = ", ".join(f'"${{{name}.Arn}}"' for name, condition in alarms.items() if condition == "Alarming")
    variables: dict[str, Value] = {}
    for condition in sorted({*alarms.values()} - {"Alarming"}):
        listed = "".join(f', "${{{name}.Arn}}"' for name, its in alarms.items() if its == condition)
        variables[f"If{condition}"] = {"Fn::If": [condition, {"Fn::Sub": listed}, ""]}
    shown = always + "".join(f"${{{name}}}" for name in variables)
    place = '"type": "alarm", "x": 0, "y": 0, "width": 24, "height": 2'
    text = f'{{{place}, "properties": {{"title": "Alarms", "alarms": [{shown}]}}}},'
    return {"Fn::If": ["Alarming", {"Fn::Sub": [text, variables] if variables else text}, ""]}


_TAGS: Mapping[str, Callable[[Any], Value]] = {
    "Set": is_set,
    "On": lambda name: {"Fn::Equals": [{"Ref": name}, "on"]},
    "Rule": _rule,
    "List": _list,
    "Refs": _refs,
    "Lines": lambda names: {"Fn::Join": ["\n", _refs(names)]},
    "If": _if,
    "Shifted": _shifted,
    "Allow": _allow,
    "Via": _via,
    "Role": _role,
    "Permission": _permission,
    "Metric": _ours,
    "Errors": lambda reason: _ours(["Decisions", {"decision": "error", "reason": reason}]),
    "LambdaMetric": _metric("AWS/Lambda", {"FunctionName": {"Ref": "AuthorizerFunction"}}),
    "Alarm": _alarm,
    "Dashboard": _dashboard,
}


class _Loader(yaml.SafeLoader):
    pass


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - PyYAML's signature
        return True


def _read(loader: yaml.SafeLoader, name: str, node: yaml.Node) -> Value:
    match node:
        case yaml.ScalarNode():
            value: Value = loader.construct_scalar(node)
        case yaml.SequenceNode():
            value = loader.construct_sequence(node, deep=True)
        case _:
            assert isinstance(node, yaml.MappingNode)  # noqa: S101 - there is no other
            value = loader.construct_mapping(node, deep=True)
    if name in _TAGS:
        return _TAGS[name](value)
    return {name if name in ("Ref", "Condition") else f"Fn::{name}": value}


def _written(dumper: yaml.SafeDumper, value: Mapping[str, Value]) -> yaml.Node:
    name, argument = next(iter(value.items())) if len(value) == 1 else ("", None)
    if not (name.startswith("Fn::") or (name in ("Ref", "Condition") and isinstance(argument, str))):
        return dumper.represent_mapping("tag:yaml.org,2002:map", value)
    node = dumper.represent_data(argument)
    node.tag = "!" + name.removeprefix("Fn::")
    if isinstance(node, yaml.ScalarNode):
        node.style = "'" if ": " in node.value or " #" in node.value else node.style
    return node


def _listed(dumper: yaml.SafeDumper, value: Sequence[Value]) -> yaml.Node:
    node = dumper.represent_sequence("tag:yaml.org,2002:seq", value)
    node.flow_style = all(
        isinstance(item, yaml.ScalarNode) or (isinstance(item, yaml.SequenceNode) and item.flow_style)
        for item in node.value
    )
    return node


_Loader.add_multi_constructor("!", _read)
_Dumper.add_representer(dict, _written)
_Dumper.add_representer(list, _listed)


def read(text: str) -> Value:
    """Return a template, with each function of CloudFormation in its long form and our tags worked out."""
    return yaml.load(text, _Loader)  # noqa: S506 - a SafeLoader with tags


def write(template: Value) -> str:
    """Return the YAML of a template, with each function of CloudFormation in its short form."""
    dumped: str = yaml.dump(
        template, Dumper=_Dumper, sort_keys=False, default_flow_style=False, width=1_000_000, allow_unicode=True
    )
    return dumped
