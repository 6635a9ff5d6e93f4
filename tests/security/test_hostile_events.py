"""Events that are none, events with one part gone wrong, and requests that carry more than one token."""

import re
from collections.abc import Iterator

import pytest

from jwt_authorizer.errors import DecisionError, Reason
from jwt_authorizer_devkit.events import FOLDER, kinds, sample
from tests.security.lab import APPSYNC_REFUSED, Json, Lab, assert_clean, attacker_key, claims, lab, sign

REQUESTS = ("http-api-1.0", "http-api-2.0", "rest-request", "websocket-connect")
ODD: list[object] = [None, True, 0, -1, 1e308, "", "\0", "*", "a" * 9000, [], [[]], ["*"], {}, {"": None}]
ODD += [{"a": {"a": []}}, "\ud800", 2.5]


@pytest.fixture
def target() -> Lab:
    return lab(JWT_HTTP_API_REJECT="raise")


def failed(target: Lab, event: object, *reasons: Reason) -> None:
    """Hold an event to be a 500 that nothing caches."""
    with pytest.raises(DecisionError) as caught:
        target.function(event, None)
    assert caught.value.code in reasons
    assert target.last["decision"] == "error"
    assert_clean(target.lines[-1], "")


@pytest.mark.parametrize("event", [*ODD, "allow", [sample("rest-token")], {"type": "TOKEN"}, {"version": "2.0"}])
def test_what_is_no_event(target: Lab, event: object) -> None:
    failed(target, event, Reason.INVALID_EVENT)


@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.glob("other-*.json")))
def test_events_of_other_services(target: Lab, name: str) -> None:
    failed(target, sample(name, sign()), Reason.INVALID_EVENT)


def with_odd_parts(event: Json) -> Iterator[Json]:
    """Give the event with each part, and each part of a part, exchanged for each odd value."""
    for name, value in event.items():
        yield from (event | {name: odd} for odd in ODD)
        for inner in value if isinstance(value, dict) else ():
            yield from (event | {name: value | {inner: odd}} for odd in ODD)


@pytest.mark.parametrize("kind", kinds())
@pytest.mark.parametrize("forged", [True, False])
def test_no_odd_part_lets_a_forged_token_in(target: Lab, kind: str, *, forged: bool) -> None:
    """Nor is one more than a refusal or an invalid event."""
    for event in with_odd_parts(sample(kind, sign(signer=attacker_key("p256")) if forged else sign())):
        try:
            assert target.function(event, None) == APPSYNC_REFUSED or not forged
        except Exception as error:  # noqa: BLE001 - the refusal has no type of its own
            assert re.match("Unauthorized$|invalid_event", str(error))  # noqa: PT017 - AppSync is answered instead
        reasons = {"missing_token", "malformed_token", "invalid_event", "bad_signature" if forged else None}
        assert target.last.get("reason") in reasons
        assert_clean(target.lines[-1], "")


ARNS: list[object] = ["", "*", "arn:aws:execute-api:eu-west-1:1:a/s", "arn:aws:execute-api:eu-west-1:1:a/s/", 1, None]
ARNS += [[], "arn:aws:lambda:eu-west-1:1:a/s/GET/", "arn:aws:execute-api:eu-west-1:1", "arn:aws:s3:::a/s/GET/x"]
ARNS += ["a/s/GET/x"]
ARNS += [f"arn:aws:execute-api:eu-west-1:1:{api}/GET/x" for api in ("*/s", "a?/s", "a/s*", "a/?", "a/${aws:username}")]
ARNS += ["arn:*:execute-api:eu-west-1:1:a/s/GET/x", "arn:aws:execute-api:*:1:a/s/GET/x"]
ARNS += ["arn:aws:execute-api:x:?:a/s/GET/x", "arn:aws:execute-api:eu-west-1:1:/s/GET/x"]
ARNS += ["arn:aws:execute-api:eu-west-1:1:a//GET/x", {"arn": "x"}, "\ud800:" * 6]


@pytest.mark.parametrize("arn", ARNS)
@pytest.mark.parametrize("kind", [kind for kind in kinds() if kind != "appsync"])
def test_an_arn_that_is_none(target: Lab, kind: str, arn: object) -> None:
    name = "routeArn" if kind == "http-api-2.0" else "methodArn"
    failed(target, sample(kind, sign()) | {name: arn}, Reason.INVALID_EVENT)


@pytest.mark.parametrize("kind", REQUESTS)
def test_two_different_tokens_in_one_header(target: Lab, kind: str) -> None:
    mine, theirs = sign(), sign(claims(sub="user-2"))
    event = sample(kind, mine)
    for headers in (
        {"Authorization": f"Bearer {mine}", "authorization": f"Bearer {theirs}"},
        {"Authorization": f"Bearer {mine}", "AUTHORIZATION": "Basic dXNlcjpwYXNz"},
        {"Authorization": f"Bearer {mine},Bearer {theirs}"},
        {"Authorization": f"Bearer {mine}, Bearer {mine}"},
    ):
        target.refused(event | {"headers": headers}, Reason.MALFORMED_TOKEN, secret=mine)
    if "multiValueHeaders" in event:
        values = [f"Bearer {mine}", f"Bearer {theirs}"]
        event |= {"headers": {"Authorization": values[1]}, "multiValueHeaders": {"Authorization": values}}
        target.refused(event, Reason.MALFORMED_TOKEN, secret=theirs)


@pytest.mark.parametrize("kind", REQUESTS)
def test_two_different_tokens_in_cookies_or_queries(kind: str) -> None:
    mine, theirs = sign(), sign(claims(sub="user-2"))
    bare = sample(kind, mine) | {"headers": {}, "multiValueHeaders": {}}
    cookies = lab(JWT_TOKEN_SOURCE="cookie:t", JWT_HTTP_API_REJECT="raise")
    cookies.allowed(bare | {"headers": {"Cookie": f"a=b; t={mine}; T={theirs}"}})
    both = bare | {"headers": {"Cookie": f"t={mine}; t={theirs}"}}
    cookies.refused(both, Reason.MALFORMED_TOKEN, secret=mine)
    queries = lab(JWT_TOKEN_SOURCE="query:t", JWT_HTTP_API_REJECT="raise")
    single = bare | {"queryStringParameters": {"t": mine, "T": theirs}, "multiValueQueryStringParameters": {}}
    queries.allowed(single)
    queries.refused(single | {"multiValueQueryStringParameters": {"t": [mine, theirs]}}, Reason.MALFORMED_TOKEN)
    queries.refused(single | {"queryStringParameters": {"t": f"{mine},{theirs}"}}, Reason.MALFORMED_TOKEN)


@pytest.mark.parametrize("kind", REQUESTS)
def test_the_first_source_decides_even_where_its_token_is_bad(kind: str) -> None:
    both = lab(JWT_TOKEN_SOURCE="header:Authorization,query:t", JWT_HTTP_API_REJECT="raise")
    forged = sign(signer=attacker_key("p256"))
    event = sample(kind, forged) | {"queryStringParameters": {"t": sign()}}
    both.refused(event, Reason.BAD_SIGNATURE, secret=forged)


@pytest.mark.parametrize("name", ["coo\u212aie", "c\u043eokie", "cookie ", "x-cookie", "cookies"])
def test_a_header_that_only_looks_like_cookie(name: str) -> None:
    cookies = lab(JWT_TOKEN_SOURCE="cookie:t")
    event = sample("rest-request", None)
    cookies.allowed(event | {"headers": {"COOKIE": f"t={sign()}"}, "multiValueHeaders": {}})
    cookies.refused(event | {"headers": {name: f"t={sign()}"}, "multiValueHeaders": {}}, Reason.MISSING_TOKEN)


@pytest.mark.parametrize("kind", ["http-api-1.0", "http-api-2.0"])
def test_a_cache_keyed_by_something_else_than_the_token_is_told(kind: str) -> None:
    cookies = lab(JWT_TOKEN_SOURCE="cookie:t")
    event = sample(kind, None) | {"headers": {"cookie": f"t={sign()}"}}
    source = "acme" if kind == "http-api-1.0" else ["acme"]
    cookies.allowed(event | {"identitySource": source})
    assert "identity sources" in cookies.last["warnings"][0]
