"""The runbook has an entry for each alarm and reason, and its queries find what they are there for.

They run on lines that the real function wrote. Insights itself is not here: :mod:`tests.insights` knows as much of its
language as the page uses.
"""

from __future__ import annotations

import contextlib
import json
import re
from functools import cache

import pytest

from jwt_authorizer.errors import Reason
from tests.insights import Event, event, fields_of, run
from tests.unit.pages import BLOCKS, DOCS, Block
from tests.unit.running import UNKNOWN_KEY, Running, alarms, issuer_is_down, lived, stack
from tests.unit.test_function import APIS, FORBIDDING, GOOD, REFUSED, function
from tests.unit.test_function import event as event_of

PAGE = DOCS / "runbook.md"
TEXT = PAGE.read_text("utf-8")
QUERIES = [
    block
    for block in BLOCKS
    if block.page in (PAGE, DOCS / "errors.md") and re.match(r"(filter|fields|stats|SOURCE) ", block.text)
]
# As Lambda writes them (developer guide, "Sending Lambda function logs to CloudWatch Logs").
PLATFORM = [
    "REPORT RequestId: 6f1a\tDuration: 9999.00 ms\tMemory Size: 512 MB\tMax Memory Used: 90 MB",
    "2026-11-24T08:30:10.000Z 6f1a Task timed out after 10.00 seconds",
    '[ERROR] FetchError: answered 503\nTraceback (most recent call last):\n  File "/var/task/authorizer/refresher.py"',
]


@cache
def log() -> list[Event]:
    """Give a log with everything in it: each reason, an outage, a start that fails, and what Lambda writes."""
    running = Running(stack())
    running.request()
    for act in (running.rejection, running.foreign_event, running.unsafe_cache, running.large_token, running.bug):
        act()
    issuer_is_down(running)
    running.request(UNKNOWN_KEY)
    lived(running, 80 * 60, issuer_is_down)
    running.failed_start()
    for reason, rules in FORBIDDING.items():
        assert reason
        called = function(APIS[2], rules=rules)
        called(event_of(APIS[2], GOOD))
        running.lines.append(called.line)
    for bearer in REFUSED.values():
        called = function(APIS[2])
        with contextlib.suppress(Exception):
            called(event_of(APIS[2], bearer))
        running.lines.append(called.line)
    # A request that took long, as a slow issuer makes them.
    running.lines.append(running.lines[0] | {"duration_ms": 2900.0})
    assert {line.get("reason") for line in running.lines} - {None} == set(Reason)
    return [event(json.dumps(line), line["_aws"]["Timestamp"] / 1000) for line in running.lines] + [
        event(text) for text in PLATFORM
    ]


def entries(part: str) -> list[str]:
    _, _, after = TEXT.partition(f"\n## {part}\n")
    return re.findall(r"^### `?(\w+)`?$", re.split(r"^## ", after, flags=re.MULTILINE)[0], re.MULTILINE)


def test_each_alarm_has_its_entry_in_the_order_of_the_template() -> None:
    assert entries("Alarms") == list(alarms())


def test_each_reason_has_its_entry_and_its_other_side() -> None:
    assert entries("Reasons") == [str(reason) for reason in Reason]
    for reason in Reason:
        assert f"\n### `{reason}`\n\n[What it is](errors.md#{reason})" in TEXT


def test_each_alarm_that_is_about_a_reason_is_named_by_it() -> None:
    for name, alarm in alarms().items():
        reasons = [it["Value"] for it in alarm.get("Dimensions", ()) if it["Name"] == "reason"]
        for reason in reasons:
            assert f"[{name}](#{name.lower()})" in entry(f"`{reason}`")


@pytest.mark.parametrize("block", QUERIES, ids=str)
def test_a_query_names_fields_that_lines_have(block: Block) -> None:
    known = {name for it in log() for name in it}
    assert fields_of(block.text)
    assert fields_of(block.text) <= known


@pytest.mark.parametrize("block", QUERIES, ids=str)
def test_a_query_finds_what_it_is_there_for(block: Block) -> None:
    rows = run(block.text, log())
    assert rows
    # What lines are grouped by is in them. (Not each reason has a principal, though its query may show one.)
    grouped = re.search(r"^\| stats .* by (.*)$", block.text, re.MULTILINE)
    for name in grouped[1].split(", ") if grouped else ():
        assert any(row[name] is not None for row in rows), name


def entry(name: str) -> str:
    return re.split(r"^##+ ", TEXT.partition(f"\n### {name}\n")[2], flags=re.MULTILINE)[0]


def test_what_tells_an_outage_from_made_up_key_ids_is_in_the_line() -> None:
    details = {str(it["detail"]) for it in log() if it.get("reason") == "keys_unavailable"}
    quoted = re.findall(r'"([^"]+)":', " ".join(entry("KeysUnavailableAlarm").partition("```")[0].split()))
    assert len(quoted) == len(details) == 2
    for quote in quoted:
        assert len([it for it in details if quote in it]) == 1


def test_there_are_queries_for_each_alarm_that_leaves_something_in_the_log() -> None:
    assert [name for name in entries("Alarms") if "```text" not in entry(name)] == [
        "ThrottlesAlarm",
        "RefresherSilentAlarm",
    ]
    assert len(QUERIES) > 20
