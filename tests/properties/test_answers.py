"""Whatever is in a token or a path: an answer is one that API Gateway takes, and its policy stays in its stage."""

import json
from copy import replace
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from jwt_authorizer.answers import AnswerSettings, HttpApiResponse, iam_policy, rejection, simple_response
from jwt_authorizer.claim_conditions import parse_claim, parse_condition
from jwt_authorizer.contexts import Challenge
from jwt_authorizer.errors import DecisionError, ErrorCode
from jwt_authorizer.events import EventKind, read_event
from jwt_authorizer.method_arn import read_method_arn
from jwt_authorizer.policies import Statement
from jwt_authorizer.rules import Allow, Deny, Route, compile_rules
from jwt_authorizer_devkit.mint import Defect
from tests.factories import EVENTS, Event, Watched, authorizer, principal, request, token
from tests.properties.claim_oracle import JSON

CLAIMS = st.dictionaries(st.sampled_from(["a", "b", "c", "d"]), JSON)
LIFTED = tuple((f"key_{name}", parse_claim(name)) for name in ("a", "b", "c", "d", "/a/0"))
SETTINGS = st.builds(
    AnswerSettings,
    context_claims=st.just(LIFTED),
    usage_key_claim=st.sampled_from([None, parse_claim("a"), parse_claim("/b/0")]),
    end_with_token=st.booleans(),
    http_api_response=st.sampled_from(HttpApiResponse),
)
DECISIONS = st.sampled_from(
    [Allow(None), Deny(ErrorCode.INSUFFICIENT_SCOPE, ("x",), None), Deny(ErrorCode.CLAIM_MISMATCH, (), None)]
)
EFFECTS = st.lists(st.sampled_from(["Allow", "Deny"]), min_size=1, max_size=3)
PART = st.text(alphabet=st.characters(exclude_characters=":/*?$", exclude_categories=["Cs"]), min_size=1, max_size=12)


@given(st.sampled_from(list(EVENTS)), CLAIMS, DECISIONS, EFFECTS, SETTINGS)
def test_the_context_holds_only_what_api_gateway_takes_of_the_claims(
    kind: EventKind, claims: dict[str, object], decision: Allow | Deny, effects: list[str], settings: AnswerSettings
) -> None:
    statements = tuple(Statement("Allow" if effect == "Allow" else "Deny", ("GET/a", "*")) for effect in effects)
    answers: list[dict[str, Any]] = [simple_response(principal(claims), decision, settings)]
    try:
        answers.append(iam_policy(request(kind), principal(claims), decision, statements, settings))
    except DecisionError as error:
        if error.code is not ErrorCode.RESPONSE_TOO_LARGE or kind is not EventKind.WEBSOCKET:
            raise
    for answer in answers:
        context = answer["context"]
        assert json.loads(json.dumps(answer, allow_nan=False)) == answer
        assert None not in context.values()
        assert ("error" in context) is isinstance(decision, Deny)
        allows = "Allow" in effects if "policyDocument" in answer else isinstance(decision, Allow)
        assert ("claims" in context) is allows
        # Payload 2.0 takes objects and lists. The others take texts, numbers and booleans.
        if kind is not EventKind.HTTP_API_V2 and "policyDocument" in answer:
            assert all(isinstance(value, str | int | float) for value in context.values())
            assert not allows or json.loads(context["claims"]) == claims
        else:
            assert not allows or context["claims"] == claims
        for statement in answer.get("policyDocument", {}).get("Statement", ()):
            # Only an Allow ends with its token.
            assert ("Condition" in statement) is (settings.end_with_token and statement["Effect"] == "Allow")


@given(st.tuples(PART, PART, PART, PART, PART, PART), st.text(alphabet="ab/:%2F*?${}\u00e4 ", max_size=30))
@example(("aws-us-gov", "eu-west-1", "1", "api", "prod", "GET"), "a//b")
def test_any_arn_comes_through_and_a_policy_stays_in_its_stage(parts: tuple[str, ...], path: str) -> None:
    partition, region, account, api, stage, method = parts
    prefix = f"arn:{partition}:execute-api:{region}:{account}:{api}/{stage}/"
    read, *read_path = read_method_arn(f"{prefix}{method}/{path}")
    assert (read.prefix, read.api_id, read.name, read_path) == (prefix, api, stage, [method, f"/{path}"])
    asked = read_event({"version": "1.0", "type": "REQUEST", "methodArn": f"{prefix}{method}/{path}"})
    resources = ("GET/a:b%2Fc", "*")
    statements = (Statement("Allow", resources),)
    answer: Any = iam_policy(asked, principal(), Allow(None), statements, AnswerSettings())
    assert answer["policyDocument"]["Statement"][0]["Resource"] == [prefix + resource for resource in resources]
    denial: Any = rejection(asked, ErrorCode.TOKEN_EXPIRED, AnswerSettings())
    assert denial["policyDocument"]["Statement"][0]["Resource"] == [prefix + "*"]


@given(st.integers(0, 2**53 - 1) | st.floats(0, 2**53 - 1))
def test_the_end_of_a_policy_is_a_date_of_four_digits(valid_until: float) -> None:
    settings = AnswerSettings(end_with_token=True)
    who = replace(principal(), valid_until=valid_until)
    answer: dict[str, Any] = iam_policy(request(), who, Allow(None), (Statement("Allow", ("*",)),), settings)
    (statement,) = answer["policyDocument"]["Statement"]
    moment = statement["Condition"]["DateLessThan"]["aws:CurrentTime"]
    assert len(moment) == len("2027-01-15T08:00:00Z")
    assert moment.endswith("Z")


# Challenges: nothing of a caller's gets into a header.

METADATA = "https://api.example.com/.well-known/oauth-protected-resource"
WITH_METADATA = f', resource_metadata="{METADATA}"'
CHALLENGES = {
    f"Bearer {WITH_METADATA[2:]}",
    f'Bearer error="invalid_token"{WITH_METADATA}',
    f'Bearer error="insufficient_scope"{WITH_METADATA}',
    f'Bearer error="insufficient_scope", scope="orders:admin"{WITH_METADATA}',
}
RULES = compile_rules(
    (
        Route(None, "/orders/{id}", scopes=("orders:admin",)),
        Route(None, "/teams/{id}", claims=(parse_condition("team", "a"),)),
        Route(None, "/free/{proxy+}"),
    )
)
FUNCTIONS = [
    Watched(authorizer(rules=RULES, answers=AnswerSettings(http_api_response=response, challenge=Challenge(METADATA))))
    for response in HttpApiResponse
]
NASTY = st.text(alphabet=st.sampled_from('",\\\r\n =;:a\u0000\u2028\U0001f600'), max_size=8) | st.text(max_size=8)


@given(
    function=st.sampled_from(FUNCTIONS),
    kind=st.sampled_from(list(EVENTS)),
    claims=st.dictionaries(st.sampled_from(["scope", "scp", "sub", "team", "iss", "client_id", "x"]), NASTY | JSON),
    path=st.sampled_from(["orders/", "teams/", "free/", ""]),
    end=NASTY,
    header=NASTY,
    defect=st.sampled_from([None, None, Defect.FORGED, Defect.OPAQUE, Defect.EXPIRED]),
)
def test_nothing_that_a_caller_sends_gets_into_a_challenge(  # noqa: PLR0913 - all that a caller can choose
    *, function: Watched, kind: EventKind, claims: Event, path: str, end: str, header: str, defect: Defect | None
) -> None:
    bearer = token(claims, defect=defect)
    event = EVENTS[kind](bearer) | {"resource": None}
    arn = "routeArn" if "routeArn" in event else "methodArn"
    event[arn] = f"{event[arn].rpartition('/prod/')[0]}/prod/GET/{path}{end}"
    if "headers" in event:
        event["headers"] |= {"x": header, "DPoP": header, "Origin": header}
    try:
        context = function(event)["context"]
    except Exception:  # noqa: BLE001 - an error has no context
        return
    if "error" in context:
        assert context["www_authenticate"] in CHALLENGES
    else:
        assert "www_authenticate" not in context
