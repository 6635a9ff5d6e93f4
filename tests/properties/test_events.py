"""Whatever event comes in: a valid answer, Unauthorized, or an error that API Gateway turns into 500. Never worse."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from jwt_authorizer.answers import AnswerSettings, HttpApiReject
from jwt_authorizer.errors import DecisionError
from jwt_authorizer.method_arn import MethodArn
from jwt_authorizer_devkit.mint import Defect
from tests.factories import ARN, EVENTS, FakeKeys, Watched, authorizer, request, token

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just(ARN + "GET/orders"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
GOOD = token()
# Values that make an event nearly one, so that what lies behind the first checks is reached as well.
LIKELY = st.sampled_from(
    [
        "TOKEN",
        "REQUEST",
        "1.0",
        "2.0",
        ARN + "GET/a:b%2Fc",
        ARN + "$connect",
        f"Bearer {GOOD}",
        "Bearer abc",
        "$default",
    ]
)
FIELDS = st.sampled_from(sorted({name for event in EVENTS.values() for name in event(GOOD)}))
HEADERS = st.dictionaries(st.sampled_from(["Authorization", "authorization", "Cookie", "x"]), JSON | LIKELY, max_size=3)
NEAR_EVENTS = st.builds(
    lambda kind, changes, dropped: {
        name: value for name, value in (EVENTS[kind](GOOD) | changes).items() if name not in dropped
    },
    st.sampled_from(sorted(EVENTS)),
    st.dictionaries(FIELDS, JSON | LIKELY | HEADERS, max_size=3),
    st.sets(FIELDS, max_size=2),
)
FUNCTIONS = [
    Watched(authorizer(FakeKeys(), answers=AnswerSettings(http_api_reject=reject))) for reject in HttpApiReject
]
PART = st.text(alphabet=st.characters(exclude_characters=":/*?$", exclude_categories=["Cs"]), min_size=1, max_size=12)
PATHS = st.text(alphabet=st.sampled_from("ab/:%2F*?${}\u00e4 "), max_size=30)


def outcome(called: Watched, event: object) -> dict[str, Any] | None:
    """Call the function, and see to it that it ends in one of the three ways there are, and tells of it."""
    called.written.clear()
    answer, raised = None, None
    try:
        answer = called(event)
    except Exception as error:  # noqa: BLE001 - whichever way it ends is looked at
        raised = error
    decision = called.line["decision"]
    if answer is None:
        if isinstance(raised, DecisionError):
            assert (decision, called.line["reason"]) == ("error", raised.code)
        else:
            assert (type(raised), str(raised), decision) == (Exception, "Unauthorized", "reject")
        return None
    assert answer.keys() in ({"principalId", "policyDocument", "context"}, {"isAuthorized", "context"})
    allows = answer.get("isAuthorized") is True or "'Effect': 'Allow'" in repr(answer.get("policyDocument"))
    assert allows is (decision == "allow")
    return answer


def check_line(called: Watched) -> None:
    """One line of JSON, made of ASCII, in which no token is."""
    (line,) = called.written
    assert line.endswith("\n")
    assert line.count("\n") == 1
    assert line.isascii()
    assert isinstance(json.loads(line), dict)
    assert GOOD not in line
    assert GOOD.rpartition(".")[2] not in line


@given(JSON)
def test_any_json_value_is_answered_or_refused(event: object) -> None:
    for called in FUNCTIONS:
        assert outcome(called, event) is None
        check_line(called)


@given(NEAR_EVENTS)
@example({"type": "TOKEN", "methodArn": "\ud800:" * 6, "authorizationToken": f"Bearer {GOOD}"})
@example({"type": "TOKEN", "methodArn": ARN + "GET/\ud800", "authorizationToken": "Bearer \ud800"})
def test_any_event_that_is_nearly_one_is_answered_or_refused(event: dict[str, Any]) -> None:
    for called in FUNCTIONS:
        outcome(called, event)
        check_line(called)


@given(st.sampled_from(sorted(EVENTS)), st.text())
@example("rest_token", GOOD)
@example("http_api_v2", GOOD + GOOD)
@example("http_api_v1", f"{GOOD}\n{GOOD}")
@example("rest_token", token(header={"kid": GOOD.rpartition(".")[0]}))
@example("rest_token", token(defect=Defect.UNKNOWN_KEY, header={"alg": "\n\u2028\ud800"}))
def test_any_token_leaves_one_line_that_does_not_tell_it(kind: str, bearer: str) -> None:
    for called in FUNCTIONS:
        outcome(called, {str(name): event for name, event in EVENTS.items()}[kind](bearer))
        check_line(called)
        if len(bearer) > 40:
            assert json.dumps(bearer)[1:-1] not in called.written[0]


@given(st.tuples(PART, PART, PART, PART, PART, PART), PATHS)
def test_any_arn_comes_through_unharmed(parts: tuple[str, ...], path: str) -> None:
    partition, region, account, api, stage, method = parts
    prefix = f"arn:{partition}:execute-api:{region}:{account}:{api}/{stage}/"
    read = MethodArn.parse(f"{prefix}{method}/{path}")
    found = read.stage
    assert (found.partition, found.region, found.account_id, found.api_id, found.name) == parts[:5]
    assert (read.method, read.path, read.prefix) == (method, path, prefix)


@given(st.text())
def test_any_text_is_an_arn_or_refused(text: str) -> None:
    for candidate in (text, f"arn:aws:execute-api:{text}"):
        try:
            read = MethodArn.parse(candidate)
        except DecisionError:
            continue
        assert candidate.startswith(read.prefix + read.method)


NAMED = st.sampled_from(["Authorization", "AUTHORIZATION", "authorization"])
VALUES = st.sampled_from(["Bearer a", "Bearer b", "Basic a", ""])


@given(st.dictionaries(NAMED, VALUES), st.dictionaries(NAMED, st.lists(VALUES)))
def test_values_of_a_header_are_all_found_each_once(single: dict[str, str], multiple: dict[str, list[str]]) -> None:
    found = request(headers=single, multiValueHeaders=multiple).header("Authorization")
    assert len(set(found)) == len(found)
    assert set(found) == {*single.values(), *(value for values in multiple.values() for value in values)}
