"""The first revocation list of a stack: what CloudFormation is told, over real HTTP."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from jwt_authorizer.first_list import first_list
from jwt_authorizer.revoker import RevokeError, lambda_handler
from tests.unit.test_revoker import ENVIRONMENT

if TYPE_CHECKING:
    from collections.abc import Iterator

LOCATION = "s3://bucket/revoked.json"


class CloudFormation(HTTPServer):
    """Keeps the answers that it gets."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: list[dict[str, Any]] = []

    def event(self, kind: str) -> dict[str, object]:
        names: dict[str, object] = {
            "StackId": "stack",
            "RequestId": "request",
            "LogicalResourceId": "FirstRevocationList",
        }
        return names | {"RequestType": kind, "ResponseURL": f"http://127.0.0.1:{self.server_port}/?signature=x"}


class Handler(BaseHTTPRequestHandler):
    """A pre-signed URL of S3, which was signed without a content type."""

    server: CloudFormation

    def do_PUT(self) -> None:
        assert not self.headers.get("Content-Type")
        self.server.answers.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@pytest.fixture
def cloudformation() -> Iterator[CloudFormation]:
    with CloudFormation() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(("kind", "written"), [("Create", 1), ("Update", 1), ("Delete", 0)])
def test_the_list_is_written_unless_the_stack_goes(cloudformation: CloudFormation, kind: str, written: int) -> None:
    done: list[None] = []
    first_list(cloudformation.event(kind), lambda: done.append(None), LOCATION)
    assert len(done) == written
    (answer,) = cloudformation.answers
    assert answer == {
        "StackId": "stack",
        "RequestId": "request",
        "LogicalResourceId": "FirstRevocationList",
        "PhysicalResourceId": LOCATION,
        "Status": "SUCCESS",
        "Data": {"Location": LOCATION},
    }


def test_a_list_that_cannot_be_written_fails_the_deployment_and_says_why(cloudformation: CloudFormation) -> None:
    def write() -> None:
        message = "AccessDenied"
        raise PermissionError(message)

    first_list(cloudformation.event("Create"), write, LOCATION)
    (answer,) = cloudformation.answers
    assert (answer["Status"], answer["Reason"]) == ("FAILED", "PermissionError: AccessDenied")


def test_the_revoker_is_what_cloudformation_and_others_call(
    cloudformation: CloudFormation, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (ENVIRONMENT | {"JWT_REVOKED": LOCATION, "AWS_DEFAULT_REGION": "eu-west-1"}).items():
        monkeypatch.setenv(name, value)
    lambda_handler(cloudformation.event("Delete"), None)
    assert [answer["Status"] for answer in cloudformation.answers] == ["SUCCESS"]
    with pytest.raises(RevokeError):
        lambda_handler({}, None)
