"""Upgrading in place: what each release promised holds today, and what would break it is noticed."""

from __future__ import annotations

import json
from copy import deepcopy, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from artifact.compatibility import breaks
from artifact.example_settings import EXAMPLES
from artifact.interface import environment
from artifact.record import Release, check, current, recorded, write
from artifact.version import ReleaseError
from authorizer.errors import SettingsError
from authorizer.settings import load_settings
from authorizer.settings.table import AUDIENCE, CONFIG, SETTINGS, Place

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[2]
CHANGELOG = (ROOT / "CHANGELOG.md").read_text("utf-8")
RELEASES = recorded(ROOT)

type Change = Callable[[dict[str, Any], dict[str, Any]], object]


@pytest.fixture(scope="module")
def now() -> Release:
    return current(ROOT)


@pytest.mark.parametrize("release", RELEASES, ids=lambda release: release.number)
def test_what_a_release_promised_holds(now: Release, release: Release) -> None:
    assert breaks(release, now, CHANGELOG) == []


@pytest.mark.parametrize("release", RELEASES, ids=lambda release: release.number)
def test_its_settings_load_or_name_the_new_ones(release: Release) -> None:
    known = {setting.name: setting for setting in SETTINGS}
    examples = {name: str(was["example"]) for name, was in release.interface["settings"].items()}
    variables = {f"JWT_{name.upper()}": text for name, text in examples.items() if name != CONFIG.name}
    documents = {"JWT_CONFIG": examples[CONFIG.name]}
    documents |= {name: text for name, text in variables.items() if release_place(release, name) is Place.EITHER}
    documents.pop("JWT_CACHED_BY")  # is in the document
    gone = sorted(name for name in variables if name.removeprefix("JWT_").lower() not in known)
    for given in (variables, documents):
        if not gone:
            load_settings(given, ROOT)
            continue
        with pytest.raises(SettingsError) as raised:
            load_settings(given, ROOT)
        assert {problem.name for problem in raised.value.problems} <= set(gone)
        assert all("now" in str(problem) or "no longer" in str(problem) for problem in raised.value.problems)


def release_place(release: Release, variable: str) -> Place:
    return Place(release.interface["settings"][variable.removeprefix("JWT_").lower()]["place"])


def test_what_counts_a_failed_start_is_promised_as_decisions_are(now: Release) -> None:
    # Alarms are on the metric, and the runbook sends people to the line.
    decisions = now.interface["metrics"]["Decisions"]
    assert now.interface["metrics"]["StartFailures"] == {**decisions, "dimensions": ["", "service"]}
    assert {"message", "problems", "service", "version", "StartFailures"} < now.interface["start_log"].keys()


def test_each_setting_has_an_example_that_is_not_its_default() -> None:
    assert list(EXAMPLES) == [setting.name for setting in SETTINGS]
    for setting in SETTINGS:
        assert setting.read(EXAMPLES[setting.name]) != setting.default
    load_settings(environment(name for name in EXAMPLES if name != CONFIG.name), ROOT)


def old_parameter(template: dict[str, Any], **described: object) -> None:
    template["Parameters"]["JwtOld"] = {"Type": "String", "Default": "", **described}


def add(template: dict[str, Any], part: str, name: str, value: object) -> None:
    template[part][name] = value


# What the release before may have had, and what is said of its being otherwise today.
BROKEN: list[tuple[str, Change]] = [
    ("parameter JwtOld is gone", lambda template, _: old_parameter(template)),
    (
        "parameter MemorySize was a String",
        lambda template, _: template["Parameters"]["MemorySize"].update(Type="String"),
    ),
    (
        "parameter MemorySize had the default 256",
        lambda template, _: template["Parameters"]["MemorySize"].update(Default=256),
    ),
    (
        "parameter JwtCachedBy no longer takes 'hour'",
        lambda template, _: template["Parameters"]["JwtCachedBy"]["AllowedValues"].append("hour"),
    ),
    (
        "parameter SnapStart no longer takes 'anything'",
        lambda template, _: template["Parameters"]["SnapStart"].pop("AllowedValues"),
    ),
    (
        "parameter ApiId no longer takes '-', by its pattern",
        lambda template, _: template["Parameters"]["ApiId"].update(AllowedPattern=r"\*|[a-z0-9-]+"),
    ),
    (
        "parameter ApiId no longer takes '', by its pattern",
        lambda template, _: template["Parameters"]["ApiId"].pop("AllowedPattern"),
    ),
    (
        "parameter MemorySize had MinValue 64",
        lambda template, _: template["Parameters"]["MemorySize"].update(MinValue=64),
    ),
    (
        "parameter MemorySize had MaxValue None",
        lambda template, _: template["Parameters"]["MemorySize"].pop("MaxValue"),
    ),
    ("output OldArn is gone", lambda template, _: add(template, "Outputs", "OldArn", {"Value": "x"})),
    (
        "resource OldLogs is gone or something else",
        lambda template, _: add(template, "Resources", "OldLogs", {"Type": "AWS::Logs::LogGroup", "Properties": {}}),
    ),
    (
        "resource AuthorizerFunction has another FunctionName",
        lambda template, _: template["Resources"]["AuthorizerFunction"]["Properties"].update(FunctionName="jwt"),
    ),
    ("setting old is gone, and FORMER does not say", lambda _, code: code["settings"].update(old={"example": "x"})),
    (
        "setting audience belonged to the place either",
        lambda _, code: code["settings"]["audience"].update(place="either"),
    ),
    (
        "setting cached_by no longer takes 'hour'",
        lambda _, code: code["settings"]["cached_by"].update(example="hour"),
    ),
    (
        "setting leeway_seconds='5.5' meant 5, and means 5.5",
        lambda _, code: code["settings"]["leeway_seconds"].update(means=5),
    ),
    (
        "setting leeway_seconds had the default 30",
        lambda _, code: code["settings"]["leeway_seconds"].update(default=30),
    ),
    (
        "the document of JWT_CONFIG is no longer accepted: 2 problems",
        lambda _, code: code["settings"]["config"].update(dict.fromkeys(("example", "means"), "verbose = true")),
    ),
    (
        "the example document decided ['GET', '/orders/7', 'orders:read', 'insufficient_scope'], and decides",
        lambda _, code: code["verdicts"][0].__setitem__(3, "insufficient_scope"),
    ),
    (
        "the context of allow (rest) had roles, a string; it is gone",
        lambda _, code: code["contexts"]["rest"]["allow"].update(roles="string"),
    ),
    (
        "the context of deny (http) had error, a number; it is string",
        lambda _, code: code["contexts"]["http"]["deny"].update(error="number"),
    ),
    ("old_reason is gone from the reasons", lambda _, code: code["reasons"].append("old_reason")),
    ("old_kind is gone from the event_kinds", lambda _, code: code["event_kinds"].append("old_kind")),
    ("tenant is gone from the log line", lambda _, code: code["log"].update(tenant="string")),
    ("alg in the log line was string, and may be null now", lambda _, code: code["log"].update(alg="string")),
    (
        "hints is gone from the line of a failed start",
        lambda _, code: code["start_log"].update(hints="array"),
    ),
    (
        "problems in the line of a failed start was string, and may be array now",
        lambda _, code: code["start_log"].update(problems="string"),
    ),
    (
        "metric Refusals was",
        lambda _, code: code["metrics"].update(Refusals={"unit": "Count", "namespace": "N", "dimensions": [""]}),
    ),
    ("metric Decisions was", lambda _, code: code["metrics"]["Decisions"]["dimensions"].append("api")),
    ("metric Decisions was", lambda _, code: code["metrics"]["Decisions"].update(namespace="Other")),
]


@pytest.mark.parametrize(("sentence", "change"), BROKEN, ids=[sentence for sentence, _ in BROKEN])
def test_what_would_break_an_upgrade_is_said(now: Release, sentence: str, change: Change) -> None:
    template, code = deepcopy(dict(now.template)), deepcopy(now.interface)
    change(template, code)
    found = breaks(Release("0.0.9", template, code), now, CHANGELOG)
    assert [text for text in found if text.startswith(sentence)] == found
    assert found


def test_what_was_added_breaks_nothing_but_a_parameter_that_wants_a_value(now: Release) -> None:
    template: dict[str, Any] = deepcopy(dict(now.template))
    old_parameter(template)
    template["Parameters"]["ApiId"]["AllowedPattern"] = r"\*|none|[a-z0-9]+"
    del template["Parameters"]["JwtLeewaySeconds"]["AllowedPattern"]
    template["Parameters"]["JwtNeeded"] = {"Type": "String"}
    add(template, "Outputs", "More", {"Value": "x"})
    code = deepcopy(now.interface)
    code["log"]["more"] = "string"
    code["reasons"].append("more")
    assert breaks(now, replace(now, template=template, interface=code), CHANGELOG) == [
        "parameter JwtNeeded is new and has no default: an upgrade would have to ask for it"
    ]


def test_a_default_may_change_where_the_changelog_says_so(now: Release) -> None:
    template, code = deepcopy(dict(now.template)), deepcopy(now.interface)
    template["Parameters"]["MemorySize"]["Default"] = 256  # type: ignore[index]  # a document
    code["settings"]["leeway_seconds"]["default"] = 30
    old = Release("0.0.9", template, code)
    line = "- `MemorySize` is 512, `JWT_LEEWAY_SECONDS` is 60."
    section = f"## [0.1.0] - 2027-01-01\n\n### {{}}\n\n{line}\n\n## [0.0.9] - 2026-12-01\n"
    assert breaks(old, now, section.format("Changed")) == []
    assert len(breaks(old, now, section.format("Fixed"))) == 2
    # What an older release announced is no announcement.
    assert len(breaks(old, now, "## [0.0.9] - 2026-12-01\n" + section.format("Changed"))) == 2


def test_a_renamed_setting_is_no_break_once_its_former_name_is_known(now: Release) -> None:
    code = deepcopy(now.interface)
    code["settings"]["audiences"] = code["settings"]["audience"]
    old = replace(now, number="0.0.9", interface=code)
    assert "audiences" in breaks(old, now, CHANGELOG)[0]
    assert breaks(old, now, CHANGELOG, {"audiences": AUDIENCE}) == []


def test_a_record_is_of_the_tree_or_there_is_no_release(tmp_path: Path) -> None:
    for name in ("template.yaml",):
        (tmp_path / name).write_text((ROOT / name).read_text("utf-8"))
    with pytest.raises(ReleaseError, match=r"releases/1.0.0/template.yaml is not what this tree is: run `make record`"):
        check(tmp_path, "1.0.0")
    files = write(tmp_path, "1.0.0")
    check(tmp_path, "1.0.0")
    (release,) = recorded(tmp_path)
    assert release.number == "1.0.0"
    assert json.loads(files[1].read_text()) == release.interface
    (tmp_path / "template.yaml").write_text("Parameters: {}\n")
    with pytest.raises(ReleaseError, match=r"template.yaml is not what this tree is"):
        check(tmp_path, "1.0.0")


def test_records_are_in_the_order_of_versions(tmp_path: Path) -> None:
    for number in ("0.10.0", "0.9.0", "1.0.0"):
        for name in ("template.yaml", "interface.json"):
            file = tmp_path / "releases" / number / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("{}")
    assert [release.number for release in recorded(tmp_path)] == ["0.9.0", "0.10.0", "1.0.0"]
