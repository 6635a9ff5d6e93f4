"""``jwt-authorizer revoke``: the revoker's own code behind an endpoint like Lambda's."""

import json
import re

import pytest
from pytest_httpserver import HTTPServer
from werkzeug.wrappers import Request, Response

from tests.factories import ISSUER, NOW, config
from tests.unit.desk import Desk
from tests.unit.test_revoker import APIS, ENVIRONMENT, KEEP, S3, Stack

SUB = ("--sub", "user-1")
ON = ("--function", "revoker")


class Lambda:
    """The revoker behind Lambda's API (Lambda API reference: ``Invoke``, ``GetFunctionConfiguration``)."""

    def __init__(self) -> None:
        self.stack = Stack()
        self.variables = dict(ENVIRONMENT)

    def answer(self, request: Request) -> Response:
        if request.path.endswith("/configuration"):
            return Response(json.dumps({"FunctionName": "revoker", "Environment": {"Variables": self.variables}}))
        try:
            return Response(json.dumps(self.stack.revoker(json.loads(request.data), None)))
        except Exception as error:  # noqa: BLE001 - as Lambda's runtime client reports any
            failure = {"errorMessage": str(error), "errorType": type(error).__name__}
            return Response(json.dumps(failure), headers={"X-Amz-Function-Error": "Unhandled"})


@pytest.fixture
def aws(aws: None, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> Lambda:
    """Add the revoker to the account."""
    del aws
    functions, at = Lambda(), "/2015-03-31/functions/"
    httpserver.expect_request(re.compile(f"{at}revoker/.*")).respond_with_handler(functions.answer)
    gone = {"X-Amzn-ErrorType": "ResourceNotFoundException"}
    httpserver.expect_request(f"{at}gone/invocations").respond_with_json({}, 404, gone)
    monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", httpserver.url_for(""))
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    return functions


@pytest.mark.parametrize(
    ("kind", "moment"), [("sub", NOW), ("client_id", NOW), ("sid", NOW + KEEP), ("jti", NOW + KEEP)]
)
def test_it_enters_one_identifier_of_the_only_issuer_and_empties_the_caches(
    aws: Lambda, desk: Desk, kind: str, moment: float
) -> None:
    done = {"iss": ISSUER, kind: "x-1", "time": moment, "written": True, "entries": 1, "not_flushed": []}
    assert desk.json("revoke", f"--{kind.replace('_', '-')}", "x-1", *ON) == (0, done)
    assert (aws.stack.issuers, aws.stack.flushed) == ({ISSUER: {kind: {"x-1": moment}}}, [*APIS])


def test_a_dry_run_shows_it_and_writes_nothing(aws: Lambda, desk: Desk) -> None:
    code, output = desk.run("revoke", *SUB, *ON, "--dry-run")
    assert (code, "user-1" in output) == (0, True)
    assert (aws.stack.document, aws.stack.flushed) == (None, [])


def test_a_cache_that_was_not_emptied_is_named_and_fails_and_the_others_are_emptied(aws: Lambda, desk: Desk) -> None:
    aws.stack.broken = {"rest:abc/prod"}
    code, output = desk.run("revoke", *SUB, *ON, "--iss", ISSUER)
    assert (code, "rest:abc/prod" in output, "http:def" in output) == (1, True, False)
    assert aws.stack.flushed == ["http:def/$default"]
    assert desk.run("revoke", *SUB, *ON, "--quiet") == (1, "")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (ON, "--sub"),
        ((*SUB, *ON, "--stack", "s"), "--stack"),
        (("--sub", "", *ON), "1 to 512 characters"),
        ((*SUB, *ON, "--iss", "https://other.example"), f"it has {ISSUER}"),
        ((*SUB, "--function", "gone", "--iss", ISSUER), "no function gone"),
    ],
    ids=str,
)
def test_wrong_input_writes_nothing(aws: Lambda, desk: Desk, arguments: tuple[str, ...], says: str) -> None:
    code, output = desk.run("revoke", *arguments)
    assert (code, says in output, aws.stack.document) == (2, True, None), output


@pytest.mark.parametrize(
    "variables",
    [
        {"JWT_CONFIG": "file:not-readable-here.toml"},
        {"JWT_CONFIG": config("") + config("").replace(ISSUER, "https://other.example")},
        ENVIRONMENT | {"JWT_ISSUER": "https://{tenant}.example", "JWT_TENANTS": "any"},
    ],
    ids=["elsewhere", "several", "tenants"],
)
def test_an_issuer_that_does_not_follow_from_the_settings_is_asked_for(
    aws: Lambda, desk: Desk, variables: dict[str, str]
) -> None:
    aws.variables = variables
    code, output = desk.run("revoke", *SUB, *ON)
    assert (code, "--iss" in output, aws.stack.document) == (2, True, None), output


def test_what_fails_on_the_way_is_an_exit_code_of_its_own(
    aws: Lambda, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    del aws
    S3.delete_bucket(Bucket="bucket")
    assert desk.run("revoke", *SUB, *ON, "--iss", ISSUER)[0] == 3
    monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", "http://127.0.0.1:9")
    assert desk.run("revoke", *SUB, *ON, "--iss", ISSUER)[0] == 3
