"""Read OpenAPI documents and templates: YAML or JSON, with CloudFormation's short forms."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    Mapping = dict[str, object]

import yaml


class _Loader(yaml.SafeLoader):
    """Reads ``!Ref X`` as ``{"Ref": "X"}`` and ``!Sub`` and the like as ``Fn::Sub``, as CloudFormation does."""


def _short_form(loader: _Loader, suffix: str, node: yaml.Node) -> Mapping:
    if isinstance(node, yaml.ScalarNode):
        value: object = loader.construct_scalar(node)
        if suffix == "GetAtt" and isinstance(value, str):
            value = value.split(".", 1)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(cast("yaml.MappingNode", node), deep=True)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _short_form)
# "2012-10-17" and "2010-09-09" are versions: read them as strings, not as dates.
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read_document(text: str) -> Mapping:
    """Read a document that is a mapping. Raises ``ValueError`` with the line of the error."""
    try:
        document = yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader, with tags that make mappings
    except yaml.MarkedYAMLError as error:
        line = "" if error.problem_mark is None else f", line {error.problem_mark.line + 1}"
        raise ValueError(f"is neither YAML nor JSON: {error.problem}{line}") from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise ValueError(f"is neither YAML nor JSON: {error}") from None
    if not isinstance(document, dict):
        raise ValueError("is not a mapping")  # noqa: TRY004 - callers read one kind of error
    return cast("Mapping", document)


def mapping(value: object) -> Mapping:
    """Return a value that is a mapping, otherwise an empty mapping."""
    return cast("Mapping", value) if isinstance(value, dict) else {}


def function_of(value: object) -> str | None:
    """Return the name of the CloudFormation function that computes a value, if any: ``Ref``, ``Fn::Sub``."""
    if isinstance(value, dict) and len(value) == 1:
        only = str(next(iter(value)))
        if only == "Ref" or only.startswith("Fn::"):
            return only
    return None
