"""An ARN may hold almost anything behind the method, and a pattern nowhere before it."""

from __future__ import annotations

import pytest

from jwt_authorizer.errors import DecisionError, Reason
from jwt_authorizer.events import read_event
from jwt_authorizer.method_arn import MethodArn


@pytest.mark.parametrize(
    ("arn", "expected"),
    [
        ("arn:aws:execute-api:us-east-1:1:api/test/GET/", ("aws", "us-east-1", "1", "api", "test", "GET", "")),
        ("arn:aws:execute-api:us-east-1:1:api/test/GET", ("aws", "us-east-1", "1", "api", "test", "GET", "")),
        ("arn:aws-cn:execute-api:cn-north-1:1:api/*/GET/a", ("aws-cn", "cn-north-1", "1", "api", "*", "GET", "a")),
        ("arn:aws-us-gov:execute-api:r:1:api/$default/ANY/a", ("aws-us-gov", "r", "1", "api", "$default", "ANY", "a")),
        ("arn:aws:execute-api:r:1:api/s/GET/a:b/c:d", ("aws", "r", "1", "api", "s", "GET", "a:b/c:d")),
        ("arn:aws:execute-api:r:1:api/s/GET/a%2Fb//c/", ("aws", "r", "1", "api", "s", "GET", "a%2Fb//c/")),
        ("arn:aws:execute-api:r:1:api/s/GET/*/${x}?", ("aws", "r", "1", "api", "s", "GET", "*/${x}?")),
    ],
)
def test_an_arn_is_taken_apart_and_put_together_unharmed(arn: str, expected: tuple[str, ...]) -> None:
    read = MethodArn.parse(arn)
    stage = read.stage
    parts = (stage.partition, stage.region, stage.account_id, stage.api_id, stage.name, read.method, read.path)
    assert parts == expected
    assert (read.prefix + read.method + "/" + read.path).removesuffix("/") == arn.removesuffix("/")


@pytest.mark.parametrize(
    "arn",
    [
        None,
        5,
        "",
        "arn:aws:execute-api:us-east-1:123456789012",
        "arn:aws:lambda:us-east-1:123456789012:function:f",
        "arn:aws:s3:::bucket/key/with/slashes",
        "urn:aws:execute-api:us-east-1:1:api/test/GET/",
        "arn:aws:execute-api:us-east-1:1:api/test",
        "arn:aws:execute-api:us-east-1:1:api/test/",
        "arn:aws:execute-api:us-east-1:1:api//GET/",
        "arn:aws:execute-api:us-east-1:1:/test/GET/",
        # Patterns, where a policy would take them for such.
        "arn:aws:execute-api:us-east-1:1:*/test/GET/",
        "arn:aws:execute-api:us-east-1:1:api/te*t/GET/",
        "arn:aws:execute-api:us-east-1:1:api/te?t/GET/",
        "arn:aws:execute-api:us-east-1:?:api/test/GET/",
        "arn:aws:execute-api:*:1:api/test/GET/",
        "arn:*:execute-api:us-east-1:1:api/test/GET/",
        "arn:aws:execute-api:us-east-1:1:api/${aws:username}/GET/",
    ],
)
def test_what_is_no_execute_api_arn_is_refused(arn: object) -> None:
    with pytest.raises(DecisionError) as caught:
        read_event({"type": "TOKEN", "methodArn": arn})
    assert caught.value.code is Reason.INVALID_EVENT
    assert "ARN" in caught.value.detail
