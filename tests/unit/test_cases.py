"""Behavior as data: ``tests/cases/*.json`` has settings, events, and what is expected; tokens are signed until 2100.

A case without an event is about start-up. Of several events, an ``expect`` that is not a list is for the last one.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from jwt_authorizer.errors import SettingsError
from jwt_authorizer.function import AuthorizerFunction, create_function
from tests.fuzz.policies import allows
from tests.security.lab import assert_silent

type Json = dict[str, Any]

CASES = {
    f"{file.stem}: {case['name']}": case
    for file in sorted((Path(__file__).parents[1] / "cases").glob("*.json"))
    for case in json.loads(file.read_text("utf-8"))
}
ABOUT_START_UP = {name: case for name, case in CASES.items() if "event" not in case and "events" not in case}
ABOUT_EVENTS = {name: case for name, case in CASES.items() if name not in ABOUT_START_UP}


@pytest.mark.parametrize("name", ABOUT_START_UP)
def test_a_start(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    expect = ABOUT_START_UP[name]["expect"]
    assert expect.keys() <= {"starts", "settings_error", "not"}
    try:
        create_function(ABOUT_START_UP[name]["settings"])
        said = ""
    except SettingsError as error:
        said = str(error)
    assert bool(said) is ("settings_error" in expect)
    assert [text for text in expect.get("settings_error", ()) if text not in said] == []
    written = said + "".join(capsys.readouterr())
    assert [text for text in expect.get("not", ()) if text in written] == []


@pytest.mark.parametrize("name", ABOUT_EVENTS)
def test_what_events_end_in(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    case = ABOUT_EVENTS[name]
    lines: list[str] = []
    function = create_function(case["settings"], write=lines.append)
    capsys.readouterr()
    events = case.get("events") or [case["event"]]
    expected = case["expect"] if isinstance(case["expect"], list) else [{}] * (len(events) - 1) + [case["expect"]]
    for event, expect in zip(events, [one or {} for one in expected], strict=True):
        verdict, answer = answered(function, event)
        (line,) = lines
        lines.clear()
        context: Json = answer.get("context") or answer.get("resolverContext") or {}
        wrong = differences(expect, verdict, answer, context, json.loads(line))
        written = line + "".join(capsys.readouterr())
        wrong += [f"log_not {text}" for text in expect.get("log_not", ()) if text in written]
        assert wrong == []
        for token in (text for text in json.dumps(event).replace('"', " ").split() if text.startswith("eyJ")):
            assert_silent(written, token)


def answered(function: AuthorizerFunction, event: Json) -> tuple[str, Json]:
    """Return the verdict that API Gateway or AppSync reads from the answer, and the answer."""
    try:
        answer = function(event, None)
    except Exception as error:  # noqa: BLE001 - API Gateway looks at the text alone
        return "401" if str(error) == "Unauthorized" else "500", {}
    if "isAuthorized" in answer:
        return "allow" if answer["isAuthorized"] is True else "deny", answer
    policy: Any = answer["policyDocument"]
    arn = event.get("methodArn") or event["routeArn"]
    return "allow" if allows(policy["Statement"], arn) else "deny", answer


def differences(expect: Json, verdict: str, answer: Json, context: Json, log: Json) -> list[str]:
    """Return the members of ``expect`` that are not so, each with what is."""
    detail = str(log.get("detail", "")).lower()
    line = json.dumps(log)
    denied = [str(field).rpartition("types/")[2].replace("/fields/", ".") for field in answer.get("deniedFields") or ()]
    least, most = expect.get("ttl", (0, 0))
    named = [name for name in expect.get("log_names", {}).get("of", ()) if name in line]
    plain = all(isinstance(value, str | int | float) for value in context.values())
    found: dict[str, tuple[object, object]] = {
        "verdict": (verdict in one_or_more(expect.get("verdict")), verdict),
        "reason": (log.get("reason") in one_or_more(expect.get("reason")), log.get("reason")),
        "principalId": (answer.get("principalId") == expect.get("principalId"), answer.get("principalId")),
        "answer": (within(expect.get("answer", {}), answer), answer),
        "context": (within(expect.get("context", {}), context), context),
        "context_json": (
            all(same(json.loads(context[key]), value) for key, value in expect.get("context_json", {}).items()),
            context,
        ),
        "context_lacks": (context.keys().isdisjoint(expect.get("context_lacks", ())), context),
        "flat_context": (bool(context) and plain, context),
        "scopes": (words(context.get("scope")) == sorted(expect.get("scopes", ())), context),
        "required_scopes": (words(context.get("required_scope")) == sorted(expect.get("required_scopes", ())), context),
        "denied_fields": (sorted(denied) == sorted(expect.get("denied_fields", ())), denied),
        "ttl": ("ttl" in expect and least <= answer.get("ttlOverride", -1) <= most, answer.get("ttlOverride")),
        "log": (within(expect.get("log", {}), log), log),
        "log_max_bytes": (len(line) <= expect.get("log_max_bytes", 0), len(line)),
        "log_has": (all(text in line for text in expect.get("log_has", ())), line),
        "log_not": (True, ""),  # looked for in all that was written
        "log_names": (len(named) <= expect.get("log_names", {}).get("at_most", 0), named),
        "detail_has": (all(text.lower() in detail for text in expect.get("detail_has", ())), detail),
        "detail_not": (not any(text.lower() in detail for text in expect.get("detail_not", ())), detail),
        "warning": (bool(log.get("warnings")) is expect.get("warning"), log.get("warnings")),
    }
    return [f"{member}: {found[member][1]!r}" for member in expect if not found[member][0]]


def one_or_more(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


def words(text: object) -> list[str]:
    return sorted(str(text).split())


def same(one: object, other: object) -> bool:
    """Compare as JSON: ``true`` is not 1."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def within(wanted: object, found: object) -> bool:
    """Return whether every member that is asked for is there, in objects within objects as well."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        return all(name in found and within(value, found[name]) for name, value in wanted.items())
    return same(wanted, found)
