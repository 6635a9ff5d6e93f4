"""What an upgrade in place would break: a recorded release, held against what there is now.

A stack keeps its parameters' values, APIs keep the function's ARN, alarms and queries keep their names of metrics and
fields, backends keep the keys they read. So all of that may be added to, and nothing of it may go.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import from_regex

from artifact.interface import behaviour, meaning, plain
from authorizer.errors import SettingsError
from authorizer.settings.table import CONFIG, FORMER, SETTINGS, Place
from devkit.routes.documents import mapping

if TYPE_CHECKING:
    from collections.abc import Iterator

    from artifact.record import Release
    from authorizer.settings.table import Former
    from devkit.routes.documents import Mapping

_NAMED_RESOURCES = {"AWS::Serverless::Function": "FunctionName", "AWS::Logs::LogGroup": "LogGroupName"}
"""Resources that are known outside of the stack, and the property whose change makes CloudFormation replace them."""


def breaks(old: Release, new: Release, changelog: str, former: Former = FORMER) -> list[str]:
    """Say what of ``old`` does not hold any more, a sentence each.

    A default may change if the changelog names it under ``Changed`` in a section that ``old`` does not have.
    """
    announced = _announced(old.number, changelog)
    return [
        *_broken_parameters(old.template, new.template, announced),
        *_broken_stack(old.template, new.template),
        *_broken_settings(old, announced, former),
        *_broken_document(old),
        *_broken_names(old, new),
    ]


def _announced(number: str, changelog: str) -> set[str]:
    """Give the names in code quotes under ``Changed``, in the sections above that of ``number``."""
    newer = re.split(rf"^## \[{re.escape(number)}\]", changelog, flags=re.MULTILINE)[0]
    changed = re.findall(r"^### Changed\n(.*?)(?=^#|\Z)", newer, re.MULTILINE | re.DOTALL)
    return {name for section in changed for name in re.findall(r"`([^`]+)`", section)}


def _broken_parameters(old: Mapping, new: Mapping, announced: set[str]) -> Iterator[str]:
    before, now = mapping(old["Parameters"]), mapping(new["Parameters"])
    for name, described in before.items():
        if name not in now:
            yield (
                f"parameter {name} is gone: `sam deploy` would drop its value without a word. Keep it, with a rule "
                "under Rules that refuses a value and says what to set instead"
            )
            continue
        was, is_ = mapping(described), mapping(now[name])
        if was["Type"] != is_["Type"]:
            yield f"parameter {name} was a {was['Type']} and is a {is_['Type']}"
        if was.get("Default") != is_.get("Default") and name not in announced:
            yield f"parameter {name} had the default {was.get('Default')!r}: the changelog has to announce a change"
        yield from _refused_values(name, was, is_)
    for name in now.keys() - before.keys():
        if "Default" not in mapping(now[name]):
            yield f"parameter {name} is new and has no default: an upgrade would have to ask for it"


def _refused_values(name: str, was: Mapping, is_: Mapping) -> Iterator[str]:
    allowed, now_allowed = was.get("AllowedValues"), is_.get("AllowedValues")
    if isinstance(now_allowed, list):
        for value in allowed if isinstance(allowed, list) else ["anything"]:
            if value not in now_allowed:
                yield f"parameter {name} no longer takes {value!r}"
    pattern, now_pattern = str(was.get("AllowedPattern", ".*")), str(is_.get("AllowedPattern", ".*"))
    if pattern != now_pattern:
        refused = _refused_by_pattern(pattern, now_pattern)
        if refused is not None:
            yield f"parameter {name} no longer takes {refused!r}, by its pattern {now_pattern}"
    for bound, tighter in (("MinValue", 1), ("MaxValue", -1)):
        limit, now_limit = was.get(bound), is_.get(bound)
        if now_limit is not None and (limit is None or tighter * (float(str(now_limit)) - float(str(limit))) > 0):
            yield f"parameter {name} had {bound} {limit}, and has {now_limit}"


def _refused_by_pattern(pattern: str, now_pattern: str) -> str | None:
    """Give a text that one pattern takes and the other does not, if a few hundred samples have one."""
    refused: list[str] = []

    @settings(max_examples=300, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(from_regex(pattern, fullmatch=True))
    def sample(text: str) -> None:
        if not re.fullmatch(now_pattern, text):
            refused.append(text)

    sample()
    return min(refused, key=len, default=None)


def _broken_stack(old: Mapping, new: Mapping) -> Iterator[str]:
    """Find outputs that are gone, and what CloudFormation would replace by another of another name."""
    for name in mapping(old["Outputs"]).keys() - mapping(new["Outputs"]).keys():
        yield f"output {name} is gone"
    now = mapping(new["Resources"])
    for name, described in mapping(old["Resources"]).items():
        was, is_ = mapping(described), mapping(now.get(name))
        naming = _NAMED_RESOURCES.get(str(was["Type"]))
        if naming is None:
            continue
        if was["Type"] != is_.get("Type"):
            yield f"resource {name} is gone or something else: its ARN and its name are known outside of the stack"
        elif mapping(was["Properties"]).get(naming) != mapping(is_["Properties"]).get(naming):
            yield f"resource {name} has another {naming}: CloudFormation would replace it, and its ARN would change"


def _broken_settings(old: Release, announced: set[str], former: Former) -> Iterator[str]:
    now = {setting.name: setting for setting in SETTINGS}
    for name, was in old.interface["settings"].items():
        setting = now.get(name)
        if setting is None:
            if name not in former:
                yield f"setting {name} is gone, and FORMER does not say what to do instead"
            continue
        if was["place"] != setting.place and (was["place"], setting.place) != (Place.DOCUMENT, Place.EITHER):
            yield f"setting {name} belonged to the place {was['place']}, and belongs to {setting.place}"
        try:
            means = meaning(setting, was["example"])
        except ValueError as error:
            yield f"setting {name} no longer takes {was['example']!r}: {error}"
            continue
        if means != was["means"]:
            yield f"setting {name}={was['example']!r} meant {was['means']!r}, and means {means!r}"
        default = plain(setting.default)
        if default != was["default"] and not {name, setting.variable} & announced:
            yield f"setting {name} had the default {was['default']!r}: the changelog has to announce a change"


def _broken_document(old: Release) -> Iterator[str]:
    """Run the document of then on today's code."""
    document = old.interface["settings"][CONFIG.name]["example"]
    try:
        found = behaviour(document)
    except SettingsError as error:
        yield f"the document of JWT_CONFIG is no longer accepted: {error}"
        return
    for was, is_ in zip(old.interface["verdicts"], found["verdicts"], strict=True):
        if was != is_:
            yield f"the example document decided {was}, and decides {is_}"
    for kind, decisions in old.interface["contexts"].items():
        for decision, keys in decisions.items():
            now = found["contexts"].get(kind, {}).get(decision, {})
            for key, type_ in keys.items():
                if now.get(key) != type_:
                    yield f"the context of {decision} ({kind}) had {key}, a {type_}; it is {now.get(key, 'gone')}"


def _broken_names(old: Release, new: Release) -> Iterator[str]:
    for part in ("reasons", "event_kinds"):
        for name in sorted(set(old.interface[part]) - set(new.interface[part])):
            yield f"{name} is gone from the {part}"
    for part, line in (("log", "log line"), ("start_log", "line of a failed start")):
        for name, types in old.interface[part].items():
            more = set(new.interface[part].get(name, "").split()) - set(types.split())
            if name not in new.interface[part]:
                yield f"{name} is gone from the {line}"
            elif more:
                yield f"{name} in the {line} was {types}, and may be {', '.join(sorted(more))} now"
    for name, was in old.interface["metrics"].items():
        is_ = new.interface["metrics"].get(name, {})
        gone = set(was["dimensions"]) - set(is_.get("dimensions", ()))
        if gone or (was["namespace"], was["unit"]) != (is_.get("namespace"), is_.get("unit")):
            yield f"metric {name} was {was}, and is {is_ or 'gone'}"
