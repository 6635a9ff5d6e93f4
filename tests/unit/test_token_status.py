"""Opaque tokens and the revocation list in the whole function: what comes before what, and what is asked how often."""

import json
from collections.abc import Iterator
from contextlib import suppress
from copy import replace
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from jwt_authorizer.authenticate import Introspection
from jwt_authorizer.errors import DecisionError, Reason, SettingsError, TokenError
from jwt_authorizer.first_list import first_list
from jwt_authorizer.function import create_function
from jwt_authorizer.revocation import read_list
from jwt_authorizer.revoker import RevokeError, lambda_handler
from jwt_authorizer.settings import load_settings
from jwt_authorizer.tokens import BearerToken
from jwt_authorizer_devkit.mint import Defect
from tests.factories import (
    AUDIENCE,
    ISSUER,
    NOW,
    Watched,
    against,
    authorizer,
    environment,
    rest_request_event,
    token,
)
from tests.integration.hostile_server import Exchange, HostileServer, answer
from tests.unit.test_revoker import ENVIRONMENT

CLAIMS: dict[str, object] = {"sub": "user-1", "aud": AUDIENCE, "exp": NOW + 60, "scope": "orders:read"}


class Endpoint:
    """What an introspector says, and the tokens that it was asked about."""

    def __init__(self, answer: dict[str, object] | Exception) -> None:
        self.answer = answer
        self.asked: list[str] = []

    def claims(self, bearer: BearerToken, _: float) -> dict[str, object]:
        self.asked.append(bearer.text)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class Revoked:
    def __init__(self, entries: dict[str, Any]) -> None:
        self.entries = entries

    def current(self, _: float) -> Any:  # noqa: ANN401 - as read_list
        return read_list(json.dumps({"issuers": {ISSUER: self.entries}}).encode())


def reason(function: Watched, event: object) -> object:
    """Call the function, whatever it raises, and return the reason in its log line."""
    with suppress(Exception):
        function(event)
    return function.line.get("reason")


def asking(answer: dict[str, object] | Exception, *, always: bool = False) -> tuple[Watched, Endpoint]:
    core, endpoint = authorizer(), Endpoint(answer)
    return Watched(replace(core, introspection=Introspection(core.issuers[ISSUER], endpoint.claims, always))), endpoint


@pytest.mark.parametrize("text", ["opaque", "ya29.a0Af-1.x.y", "v2.local.AAAA", "a.b.c", "AA==.b.c"])
def test_what_is_not_a_jwt_is_asked_about(text: str) -> None:
    function, endpoint = asking(CLAIMS)
    answer = function(rest_request_event(text))
    assert (answer["principalId"], answer["context"]["scope"]) == ("user-1", "orders:read")
    assert endpoint.asked == [text]
    assert "kid" not in function.line
    assert function.line["issuer"] == ISSUER


@pytest.mark.parametrize("defect", [None, Defect.EXPIRED, Defect.ALG_NONE, Defect.CUT_SHORT])
def test_a_jwt_never_leaves_the_function(defect: Defect | None) -> None:
    function, endpoint = asking(CLAIMS)
    reason(function, rest_request_event(token(defect=defect)))
    assert endpoint.asked == []


@pytest.mark.parametrize("respell", ["{}=.{}", "{}==.{}", "{} .{}"])
def test_a_jwt_that_is_spelled_otherwise_is_not_an_opaque_token(respell: str) -> None:
    function, endpoint = asking(CLAIMS)
    header, _, rest = token().partition(".")
    assert reason(function, rest_request_event(respell.format(header, rest))) == Reason.MALFORMED_TOKEN
    assert endpoint.asked == []


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (CLAIMS | {"aud": "https://other.example"}, Reason.INVALID_AUDIENCE),
        (CLAIMS | {"exp": NOW - 61}, Reason.TOKEN_EXPIRED),
        (CLAIMS | {"nbf": NOW + 61}, Reason.TOKEN_NOT_YET_VALID),
        (CLAIMS | {"sub": None}, Reason.INVALID_CLAIM),
        (TokenError(Reason.INACTIVE_TOKEN, "not active"), Reason.INACTIVE_TOKEN),
        (DecisionError(Reason.INTROSPECTION_UNAVAILABLE, "down"), Reason.INTROSPECTION_UNAVAILABLE),
    ],
    ids=str,
)
def test_an_answer_is_checked_as_claims_are(answer: dict[str, object] | Exception, expected: Reason) -> None:
    function, _ = asking(answer)
    assert reason(function, rest_request_event("opaque")) == expected


def test_with_always_jwts_are_asked_about_once_they_are_good_and_each_time() -> None:
    function, endpoint = asking(CLAIMS, always=True)
    reason(function, rest_request_event(token(defect=Defect.FORGED)))
    assert endpoint.asked == []
    good = token()
    for _ in range(2):
        function(rest_request_event(good))
    assert endpoint.asked == [good] * 2
    endpoint.answer = TokenError(Reason.INACTIVE_TOKEN, "revoked meanwhile")
    assert reason(function, rest_request_event(good)) == Reason.INACTIVE_TOKEN


def test_with_always_an_opaque_token_is_asked_about_once_per_request() -> None:
    function, endpoint = asking(CLAIMS, always=True)
    function(rest_request_event("opaque"))
    assert endpoint.asked == ["opaque"]


def test_another_issuer_s_jwt_is_not_sent_to_this_one() -> None:
    core, endpoint = authorizer(), Endpoint(CLAIMS)
    other = replace(core.issuers[ISSUER], name="https://other.example")
    Watched(replace(core, introspection=Introspection(other, endpoint.claims, always=True)))(
        rest_request_event(token())
    )
    assert endpoint.asked == []


def test_a_remembered_token_is_checked_against_the_list_on_each_use() -> None:
    revoked = Revoked({})
    function = Watched(replace(authorizer(), check_revocation=against(revoked)))
    good = token()
    function(rest_request_event(good))
    revoked.entries = {"sub": {"user-1": NOW}}
    assert reason(function, rest_request_event(good)) == Reason.REVOKED_TOKEN
    assert function.line["token_cache"] == "hit"


def test_a_bad_token_is_refused_for_what_is_wrong_with_it_and_not_because_it_is_listed() -> None:
    function = Watched(replace(authorizer(), check_revocation=against(Revoked({"issued_before": NOW}))))
    assert reason(function, rest_request_event(token(defect=Defect.FORGED))) == Reason.BAD_SIGNATURE
    assert reason(function, rest_request_event(token())) == Reason.REVOKED_TOKEN


# --- Settings

KNOWN = environment()
ASKING = {
    "JWT_INTROSPECTION": "https://issuer.example.com/introspect",
    "JWT_INTROSPECTION_CLIENT_ID": "orders-api",
    "JWT_INTROSPECTION_SECRET": "ssm:/orders-api/secret",
}


def test_a_list_in_the_package_is_read_at_start_up(tmp_path: Path) -> None:
    (tmp_path / "revoked.json").write_text(json.dumps({"issuers": {ISSUER: {"sub": {"user-1": NOW}}}}))
    lines: list[str] = []
    function = create_function(
        KNOWN | ASKING | {"JWT_REVOKED": "file:revoked.json"},
        write=lines.append,
        clock=lambda: NOW,
        package_root=tmp_path,
    )
    with pytest.raises(Exception, match="Unauthorized"):
        function(rest_request_event(token()), None)
    line = json.loads(lines[-1])
    assert (line["reason"], line["RevocationListReads"]) == ("revoked_token", 1)


def test_a_list_that_cannot_be_read_does_not_stop_start_up(tmp_path: Path) -> None:
    (tmp_path / "revoked.json").write_text("[]")
    lines: list[str] = []
    function = create_function(
        KNOWN | {"JWT_REVOKED": "file:revoked.json"}, write=lines.append, clock=lambda: NOW, package_root=tmp_path
    )
    with pytest.raises(DecisionError):
        function(rest_request_event(token()), None)
    line = json.loads(lines[-1])
    assert (line["reason"], line["RevocationListFailures"]) == ("revocation_unavailable", 1)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"JWT_INTROSPECTION": ""}, "JWT_INTROSPECTION: is required"),
        ({"JWT_INTROSPECTION_CLIENT_ID": ""}, "JWT_INTROSPECTION_CLIENT_ID: is required"),
        ({"JWT_INTROSPECTION_SECRET": ""}, "JWT_INTROSPECTION_SECRET: is required"),
        ({"JWT_INTROSPECTION_SECRET": "s3cret"}, "ssm:/name or secretsmanager:NAME"),
        ({"JWT_INTROSPECTION_AUTH": "none"}, "client_secret_basic, client_secret_post, private_key_jwt"),
        ({"JWT_INTROSPECTION": "issuer.example"}, "expected discovery, or the https:// URL"),
        ({"JWT_INTROSPECTION": "http://issuer.example/introspect"}, "JWT_INTROSPECTION"),
        ({"JWT_INTROSPECTION": "https://u:p@issuer.example/introspect"}, "JWT_INTROSPECTION"),
        ({"JWT_INTROSPECT": "sometimes"}, "opaque, always"),
        ({"JWT_REVOKED": "http://lists.example/revoked"}, "JWT_REVOKED"),
        ({"JWT_REVOKED": "revoked.json"}, "s3://bucket/key"),
    ],
    ids=str,
)
def test_settings_that_cannot_work(change: dict[str, str], says: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as raised:
        load_settings(KNOWN | ASKING | change, tmp_path)
    assert says in str(raised.value)
    assert "s3cret" not in str(raised.value)


def test_only_one_issuer_can_be_asked(tmp_path: Path) -> None:
    table = """[[issuers]]
    issuer = "https://{}.example"
    audience = ["a"]
    introspection = "discovery"
    introspection_client_id = "c"
    introspection_secret = "ssm:/s"
    """
    with pytest.raises(SettingsError, match="only one issuer can have introspection"):
        load_settings({"JWT_CONFIG": table.format("one") + table.format("two")}, tmp_path)


# ---------------------------------------------------------------------------------------------------------------
# The first revocation list of a stack: what CloudFormation is told, over real HTTP.


LOCATION = "s3://bucket/revoked.json"


@dataclass
class CloudFormation:
    """A pre-signed URL of S3, which was signed without a content type, and the answers that it gets."""

    url: str = ""
    answers: list[dict[str, Any]] = field(default_factory=list)

    def event(self, kind: str) -> dict[str, object]:
        names = {"StackId": "stack", "RequestId": "request", "LogicalResourceId": "FirstRevocationList"}
        return {**names, "RequestType": kind, "ResponseURL": self.url}

    def put(self, exchange: Exchange) -> None:
        headers, body = exchange.json_request()
        assert exchange.request.startswith(b"PUT ")
        assert not headers.get("content-type")
        self.answers.append(body)
        answer(b"")(exchange)


@pytest.fixture
def cloudformation() -> Iterator[CloudFormation]:
    stack = CloudFormation()
    with HostileServer({"/?signature=x": stack.put}) as server:
        stack.url = f"http://127.0.0.1:{server.port}/?signature=x"
        yield stack


@pytest.mark.parametrize(("kind", "written"), [("Create", 1), ("Update", 1), ("Delete", 0)])
def test_the_list_is_written_unless_the_stack_goes(cloudformation: CloudFormation, kind: str, written: int) -> None:
    done: list[None] = []
    first_list(cloudformation.event(kind), lambda: done.append(None), LOCATION)
    assert len(done) == written
    assert cloudformation.answers == [
        {
            "StackId": "stack",
            "RequestId": "request",
            "LogicalResourceId": "FirstRevocationList",
            "PhysicalResourceId": LOCATION,
            "Status": "SUCCESS",
            "Data": {"Location": LOCATION},
        }
    ]


def test_a_list_that_cannot_be_written_fails_the_deployment_and_says_why(cloudformation: CloudFormation) -> None:
    def write() -> None:
        message = "AccessDenied"
        raise PermissionError(message)

    first_list(cloudformation.event("Create"), write, LOCATION)
    (told,) = cloudformation.answers
    assert (told["Status"], told["Reason"]) == ("FAILED", "PermissionError: AccessDenied")


def test_the_revoker_is_what_cloudformation_and_others_call(
    cloudformation: CloudFormation, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (ENVIRONMENT | {"JWT_REVOKED": LOCATION, "AWS_DEFAULT_REGION": "eu-west-1"}).items():
        monkeypatch.setenv(name, value)
    lambda_handler(cloudformation.event("Delete"), None)
    assert [told["Status"] for told in cloudformation.answers] == ["SUCCESS"]
    with pytest.raises(RevokeError):
        lambda_handler({}, None)
