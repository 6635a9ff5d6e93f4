"""Used proofs in DynamoDB: what is sent, and what becomes of each answer. The table itself runs in ``tests/e2e``."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch

import pytest
from botocore import auth  # type: ignore[import-untyped]  # AWS ships no types
from botocore.awsrequest import AWSRequest  # type: ignore[import-untyped]  # AWS ships no types
from botocore.credentials import Credentials as TheirCredentials  # type: ignore[import-untyped]  # AWS ships no types

from jwt_authorizer.binding.replay import UsedProof
from jwt_authorizer.dynamodb import Credentials, DynamoDbReplayStore, LambdaCredentials, dynamodb_endpoint, sign
from jwt_authorizer.errors import ErrorCode
from jwt_authorizer.issuers.fetched import FetchError
from jwt_authorizer.issuers.https import HttpsClient
from tests.factories import NOW, refused
from tests.integration.hostile_server import Exchange, HostileServer, answer

KEYS = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "session"}
PROOF = UsedProof("the-proof", NOW + 120.5)
FAILED_CONDITION = (400, {"__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException"})

type Answer = tuple[int, object] | None
"""Status and JSON; ``None`` closes the connection without an answer."""


@contextmanager
def serving(*answers: Answer) -> Iterator[tuple[str, list[tuple[dict[str, str], Any]]]]:
    """Give each request the next answer; yield the URL, and the headers and body of each request."""
    asked: list[tuple[dict[str, str], Any]] = []
    left = iter(answers)

    def behave(exchange: Exchange) -> None:
        asked.append(exchange.json_request())
        if (given := next(left)) is not None:
            sent = given[1] if isinstance(given[1], bytes) else json.dumps(given[1]).encode()
            answer(sent, status=f"{given[0]} As Told")(exchange)

    with HostileServer({"/": behave, "/c": behave}) as server:
        yield f"http://127.0.0.1:{server.port}", asked


def store(endpoint: str) -> DynamoDbReplayStore:
    return DynamoDbReplayStore(
        "used-proofs",
        region="eu-west-1",
        endpoint=endpoint,
        credentials=LambdaCredentials(KEYS),
        post=HttpsClient(allow_http=True).post,
        timeout=2,
    )


def test_a_proof_is_put_on_the_condition_that_it_is_not_there() -> None:
    with serving((200, {})) as (url, asked):
        store(url).use(PROOF, NOW + 0.9)
    ((headers, body),) = asked
    assert (headers["x-amz-target"], headers["x-amz-security-token"]) == ("DynamoDB_20120810.PutItem", "session")
    assert "/eu-west-1/dynamodb/aws4_request" in headers["authorization"]
    assert (body["TableName"], body["Item"]["id"]) == ("used-proofs", {"S": "the-proof"})
    # Rounded so that a proof is never forgotten while it is good.
    assert body["Item"]["expires"] == {"N": str(int(NOW) + 121)}
    assert body["ExpressionAttributeValues"][":now"] == {"N": str(int(NOW))}


def test_one_that_is_there_is_a_replay() -> None:
    with serving(FAILED_CONDITION) as (url, _), refused(ErrorCode.REPLAYED_DPOP_PROOF):
        store(url).use(PROOF, NOW)


@pytest.mark.parametrize("first", [None, (500, {}), (503, b"")], ids=str)
def test_a_failure_is_tried_again_once_as_the_same_request(first: Answer) -> None:
    with serving(first, (200, {})) as (url, asked):
        store(url).use(PROOF, NOW)
    (_, one), (_, two) = asked
    # So the second attempt passes even if the first was recorded and its answer lost.
    assert one == two
    assert one["Item"]["request"] == one["ExpressionAttributeValues"][":request"]
    with serving((200, {})) as (url, asked):
        store(url).use(PROOF, NOW)
    assert asked[0][1]["Item"]["request"] != one["Item"]["request"]


@pytest.mark.parametrize(
    ("answers", "shown"),
    [
        ([(400, {"__type": "x#AccessDeniedException", "Message": "not authorized"})], "AccessDeniedException not"),
        ([(400, {"__type": "ResourceNotFoundException", "message": "no table"})], "ResourceNotFoundException no table"),
        ([(400, b"not JSON")], "400"),
        ([(200, b"<html>a proxy's page</html>")], "200"),
        ([(400, [])], "400"),
        ([(503, {}), (503, {})], "503"),
        ([None, None], "127.0.0.1"),
    ],
    ids=str,
)
def test_anything_else_can_t_be_decided(answers: list[Answer], shown: str) -> None:
    with serving(*answers) as (url, asked), refused(ErrorCode.REPLAY_STORE_UNAVAILABLE, shown) as caught:
        store(url).use(PROOF, NOW)
    assert "secret" not in caught.value.detail
    assert len(asked) == len(answers)


def test_the_endpoint_is_the_region_s_unless_it_is_set() -> None:
    assert dynamodb_endpoint({}, "eu-west-1") == "https://dynamodb.eu-west-1.amazonaws.com"
    assert dynamodb_endpoint({}, "cn-north-1") == "https://dynamodb.cn-north-1.amazonaws.com.cn"
    set_by_hand = {"AWS_ENDPOINT_URL": "http://a:4566/"}
    assert dynamodb_endpoint(set_by_hand, "eu-west-1") == "http://a:4566"
    assert dynamodb_endpoint(set_by_hand | {"AWS_ENDPOINT_URL_DYNAMODB": "http://b"}, "eu-west-1") == "http://b"


def test_credentials_are_read_each_time() -> None:
    environment = dict(KEYS)
    read = LambdaCredentials(environment)
    assert read(NOW) == Credentials("AKIDEXAMPLE", "secret", "session")
    assert not [text for text in ("secret", "session") if text in repr(read(NOW))]
    del environment["AWS_SESSION_TOKEN"]
    assert read(NOW) == Credentials("AKIDEXAMPLE", "secret")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        with pytest.raises(FetchError, match="AWS_ACCESS_KEY_ID"):
            LambdaCredentials(KEYS | {name: ""})(NOW)


def test_with_snap_start_they_come_from_an_endpoint_until_shortly_before_they_expire() -> None:
    # NOW is 2027-01-15T08:00:00Z.
    answers = [
        (200, {"AccessKeyId": f"key-{n}", "SecretAccessKey": "s", "Token": "t", "Expiration": f"2027-01-15T{h}:00:00Z"})
        for n, h in ((1, "09"), (2, "15"))
    ]
    with serving(*answers) as (url, asked):
        read = LambdaCredentials(
            KEYS
            | {
                "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{url}/c",
                "AWS_CONTAINER_AUTHORIZATION_TOKEN": "let me in",
            }
        )
        found = [read(now).access_key_id for now in (NOW, NOW + 3299, NOW + 3301)]
    assert found == ["key-1", "key-1", "key-2"]
    assert [headers["authorization"] for headers, _ in asked] == ["let me in"] * 2


@pytest.mark.parametrize("given", [(200, {}), (200, []), (403, b"no"), (200, {"Expiration": "soon"}), None], ids=str)
def test_an_endpoint_that_has_none_is_an_error(given: Answer) -> None:
    with serving(given) as (url, _), pytest.raises(FetchError, match=r"no credentials from 127\.0\.0\.1"):
        LambdaCredentials({"AWS_CONTAINER_CREDENTIALS_FULL_URI": url})(NOW)


# Signature Version 4 against AWS's own library.

FORM = {"Content-Type": "application/x-www-form-urlencoded", "My-Header1": "value1"}
DYNAMODB = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "DynamoDB_20120810.PutItem", "X-A": " b  c "}


@pytest.mark.parametrize("session_token", [None, "a/session+token=="], ids=["user", "role"])
@pytest.mark.parametrize(
    ("method", "headers", "body"),
    [("GET", {}, b""), ("POST", FORM, b"Param1=value1"), ("POST", DYNAMODB, b'{"a": "  \xc3\xa9"}')],
    ids=["nothing", "form", "dynamodb"],
)
def test_a_request_is_signed_as_botocore_signs_it(
    method: str, headers: dict[str, str], body: bytes, session_token: str | None
) -> None:
    keys = ("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", session_token)
    theirs = AWSRequest(method, "https://example.amazonaws.com/", headers=headers, data=body)
    with patch.object(auth, "get_current_datetime", lambda **_: datetime.fromtimestamp(NOW, UTC), create=True):
        auth.SigV4Auth(TheirCredentials(*keys), "service", "us-east-1").add_auth(theirs)
    about: Any = {"credentials": Credentials(*keys), "region": "us-east-1", "service": "service", "now": NOW}
    assert headers | sign(method, "example.amazonaws.com", headers, body, **about) == dict(theirs.headers)
