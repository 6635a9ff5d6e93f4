"""``jwt-authorizer revoke``: the revoker's own code behind an endpoint like Lambda's."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from tests.factories import AUDIENCE, ISSUER, NOW
from tests.unit.test_revoker import ACCESS_DENIED, KEEP, Stack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.unit.desk import Desk

REVOKER, OTHER = "revoker", "not-the-revoker"
SUB = ("--sub", "user-1")
ON = ("--function", REVOKER)


class Lambda(ThreadingHTTPServer):
    """Lambda's API, with two functions (Lambda API reference: ``Invoke``, ``GetFunctionConfiguration``)."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.stack = Stack()
        self.variables = {"JWT_ISSUER": ISSUER, "JWT_AUDIENCE": AUDIENCE, "JWT_REVOKED": "s3://bucket/revoked.json"}

    def invoke(self, name: str, event: object) -> tuple[object, bool]:
        if name == OTHER:
            return {"fine": True}, False
        try:
            return self.stack.revoker(event, None), False
        except Exception as error:  # noqa: BLE001 - as Lambda's runtime client reports any
            return {"errorMessage": str(error), "errorType": type(error).__name__}, True


class Handler(BaseHTTPRequestHandler):
    server: Lambda

    def do_GET(self) -> None:
        self._answer({"FunctionName": REVOKER, "Environment": {"Variables": self.server.variables}})

    def do_POST(self) -> None:
        event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        name = self.path.split("/")[3]
        if name not in (REVOKER, OTHER):
            self._answer({"Message": "not found"}, 404, "X-Amzn-ErrorType: ResourceNotFoundException")
            return
        answer, failed = self.server.invoke(name, event)
        self._answer(answer, 200, *(["X-Amz-Function-Error: Unhandled"] if failed else []))

    def _answer(self, document: object, status: int = 200, *headers: str) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        for header in (*headers, f"Content-Length: {len(body)}"):
            self.send_header(*header.split(": "))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Lambda]:
    with Lambda() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        endpoint = f"http://127.0.0.1:{server.server_port}"
        for name, value in {"ENDPOINT_URL": endpoint, "DEFAULT_REGION": "eu-west-1", "MAX_ATTEMPTS": "1"}.items():
            monkeypatch.setenv(f"AWS_{name}", value)
        for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY"):
            monkeypatch.setenv(f"AWS_{name}", "test")
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("option", "kind", "moment"),
    [
        ("--sub", "sub", NOW),
        ("--client-id", "client_id", NOW),
        ("--sid", "sid", NOW + KEEP),
        ("--jti", "jti", NOW + KEEP),
    ],
)
def test_it_has_one_thing_revoked_at_the_only_issuer(
    aws: Lambda, desk: Desk, option: str, kind: str, moment: float
) -> None:
    code, done = desk.json("revoke", option, "x-1", *ON)
    assert (code, done[kind], done["written"]) == (0, "x-1", True)
    assert aws.stack.bucket.issuers == {ISSUER: {kind: {"x-1": moment}}}


def test_a_dry_run_shows_it_and_writes_nothing(aws: Lambda, desk: Desk) -> None:
    code, output = desk.run("revoke", *SUB, *ON, "--dry-run")
    assert (code, "user-1" in output) == (0, True)
    assert aws.stack.bucket.document is None


def test_a_cache_that_was_not_emptied_is_named_and_fails(aws: Lambda, desk: Desk) -> None:
    aws.stack.broken = {"rest:abc/prod"}
    code, output = desk.run("revoke", *SUB, *ON, "--iss", ISSUER)
    assert (code, "rest:abc/prod" in output, "http:def" in output) == (1, True, False)
    assert desk.run("revoke", *SUB, *ON, "--quiet") == (1, "")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (ON, "--sub"),
        ((*SUB, "--sid", "session-1", *ON), "--sub"),
        (SUB, "--stack"),
        ((*SUB, *ON, "--stack", "s"), "--stack"),
        (("--sub", "", *ON), "1 to 512 characters"),
        ((*SUB, *ON, "--iss", "https://other.example"), f"it has {ISSUER}"),
        ((*SUB, "--function", "gone", "--iss", ISSUER), "no function gone"),
        ((*SUB, "--function", OTHER), "not the revoker"),
    ],
    ids=str,
)
def test_wrong_input_writes_nothing(aws: Lambda, desk: Desk, arguments: tuple[str, ...], says: str) -> None:
    code, output = desk.run("revoke", *arguments)
    assert (code, says in output) == (2, True), output
    assert aws.stack.bucket.document is None


@pytest.mark.parametrize(
    "variables",
    [
        {"JWT_CONFIG": "file:rules.toml"},
        {"JWT_CONFIG": "".join(f'[[issuers]]\nissuer="https://{it}.example"\naudience=["a"]\n' for it in "ab")},
        {"JWT_ISSUER": "https://{tenant}.example", "JWT_AUDIENCE": "a", "JWT_TENANTS": "any"},
    ],
    ids=["not readable here", "several", "tenants"],
)
def test_an_issuer_that_does_not_follow_from_the_settings_is_asked_for(
    aws: Lambda, desk: Desk, variables: dict[str, str]
) -> None:
    aws.variables = variables
    code, output = desk.run("revoke", *SUB, *ON)
    assert (code, "--iss" in output) == (2, True), output
    assert aws.stack.bucket.document is None


@pytest.mark.parametrize(
    "fail", [lambda aws: setattr(aws.stack.bucket, "failure", ACCESS_DENIED), lambda aws: aws.server_close()]
)
def test_what_fails_on_the_way_is_an_exit_code_of_its_own(aws: Lambda, desk: Desk, fail: Callable[[Any], None]) -> None:
    fail(aws)
    assert desk.run("revoke", *SUB, *ON, "--iss", ISSUER)[0] == 3
