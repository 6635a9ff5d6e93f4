"""Commands of the AWS CLI as pages show them, run by the SDK that the CLI is made of."""

import re
import shlex
from collections.abc import Mapping
from typing import Any

import jmespath  # type: ignore[import-untyped]  # it ships no types

from demo.deployment import aws_client
from demo.local_aws import LocalAws
from demo.tools import ROOT
from tests.e2e.cloudformation import Made, make_stack


def run_command(aws: LocalAws, command: str, variables: Mapping[str, str]) -> Any:  # noqa: ANN401 - what AWS answers
    """Run ``aws SERVICE OPERATION …``, with these texts in place of the page's (``$NAME`` among them)."""
    for name, value in variables.items():
        command = command.replace(name, value)
    program, service, operation, *arguments = shlex.split(command.replace("\\\n", " "))
    assert program == "aws"
    options: dict[str, list[str]] = {}
    for argument in arguments:
        if argument.startswith("--"):
            options[argument.removeprefix("--")] = []
        else:
            options[list(options)[-1]].append(argument)
    if (service, operation) == ("cloudformation", "deploy"):
        return _deploy(aws, options)
    (output,), (query,) = options.pop("output", ["json"]), options.pop("query", ["@"])
    client = aws_client(service, aws)
    method = operation.replace("-", "_")
    shape = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[method]).input_shape
    named = {_option(name): name for name in shape.members}
    given = {named[option]: _value(shape.members[named[option]], words) for option, words in options.items()}
    found = jmespath.search(query, getattr(client, method)(**given))
    return "\t".join(found) if output == "text" and isinstance(found, list) else found


def _deploy(aws: LocalAws, options: Mapping[str, list[str]]) -> Made:
    parameters = dict(each.split("=", 1) for each in options["parameter-overrides"])
    return make_stack(aws, options["stack-name"][0], ROOT / options["template-file"][0], parameters)


def _option(member: str) -> str:
    """Name the option of a member: ``restApiId`` and ``RestApiId`` are ``rest-api-id``."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", member).lower()


def _value(shape: Any, words: list[str]) -> Any:  # noqa: ANN401 - botocore has no types; what comes out may be anything
    """Read a text, or a list of structures in the CLI's short form, ``Name=n,Values=v``."""
    if shape.type_name == "list":
        return [dict(_member(shape.member, *part.split("=", 1)) for part in word.split(",")) for word in words]
    (word,) = words
    return word


def _member(shape: Any, name: str, value: str) -> tuple[str, str | list[str]]:  # noqa: ANN401 - botocore has no types
    return name, [value] if shape.members[name].type_name == "list" else value
