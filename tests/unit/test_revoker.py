"""The function that writes the revocation list: what it accepts, what it writes, and that writers lose nothing."""

import base64
import json
import re
import time
from collections.abc import Callable
from importlib import import_module
from itertools import count
from typing import Any
from urllib.parse import urlencode

import pytest
from pytest_httpserver import HTTPServer
from werkzeug.wrappers import Request, Response

from jwt_authorizer.authorize import authorize
from jwt_authorizer.errors import DecisionError, ErrorCode, SettingsError
from jwt_authorizer.issuers.cached_value import Ages
from jwt_authorizer.issuers.fetched import FetchError
from jwt_authorizer.issuers.revocation_store import RevocationStore
from jwt_authorizer.records import replace
from jwt_authorizer.revocation import MAX_LIST, read_list
from jwt_authorizer.revoker import FlushError, RevokeError, create_revoker
from jwt_authorizer.wiring.token_status import revocation_list
from tests.factories import ISSUER, NOW, FakeKeys, against, authorizer, config, environment, rest_request_event, token
from tests.unit.desk import Desk
from tests.unit.test_revocation import CLIENT, logout_token

pytestmark = pytest.mark.usefixtures("aws")

KEEP, TTL = 3600, 60
APIS = ("rest:abc/prod", "http:def/$default")
S3: Any = import_module("boto3").client("s3", "eu-west-1", aws_access_key_id="test", aws_secret_access_key="test")
OBJECT = {"Bucket": "bucket", "Key": "revoked.json"}
ENVIRONMENT = environment(
    JWT_REVOKED=" s3://bucket/revoked.json ",
    JWT_REVOKED_TTL_SECONDS=str(TTL),
    REVOKER_CLIENT_IDS=CLIENT,
    REVOKER_APIS="rest:abc/prod, http:def/$default",
    REVOKER_KEEP_SECONDS=f" {KEEP - 60} ",  # and the leeway
)


class Bucket:
    """A client of S3; ``between`` happens between a read and a write."""

    def __init__(self) -> None:
        self.between: list[Callable[[], object]] = []

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - boto3 makes its clients' types at run time
        return getattr(S3, name)

    def put_object(self, **arguments: object) -> object:
        if self.between:
            self.between.pop()()
        return S3.put_object(**arguments)


def denied(*_: object) -> None:
    message = "AccessDenied"
    raise PermissionError(message)


class Stack:
    """A revoker with its list in S3 and a clock."""

    def __init__(self, document: bytes | None = None) -> None:
        if document is not None:
            S3.put_object(**OBJECT, Body=document)
        self.bucket = Bucket()
        self.now = NOW
        self.flushed: list[str] = []
        self.broken: set[str] = set()
        self.variables: dict[str, str] = dict(ENVIRONMENT)
        self.revoker = create_revoker(ENVIRONMENT)
        self.revoker.clock = lambda: self.now
        self.revoker.flush = self._flush
        self.revoker.store = RevocationStore("bucket", "revoked.json", self.bucket, sleep=lambda _: None)

    @property
    def document(self) -> bytes | None:
        """What is in the bucket."""
        if "Contents" not in S3.list_objects_v2(Bucket="bucket"):
            return None
        return bytes(S3.get_object(**OBJECT)["Body"].read())

    @property
    def issuers(self) -> dict[str, Any]:
        read_list(self.document or b"")
        issuers: dict[str, Any] = json.loads(self.document or b"")["issuers"]
        return issuers

    def _flush(self, api: str) -> None:
        if api in self.broken:
            denied()
        self.flushed.append(api)

    def revoke(self, **request: object) -> dict[str, Any]:
        return self.revoker({"revoke": {"iss": ISSUER, **request}}, None)

    def post(self, token: str) -> dict[str, Any]:
        return self.revoker(posted(token), None)

    def answer(self, request: Request) -> Response:
        """Answer as Lambda's API does (Lambda API reference: ``Invoke``, ``GetFunctionConfiguration``)."""
        if request.path.endswith("/configuration"):
            return Response(json.dumps({"FunctionName": "revoker", "Environment": {"Variables": self.variables}}))
        try:
            return Response(json.dumps(self.revoker(json.loads(request.data), None)))
        except Exception as error:  # noqa: BLE001 - as Lambda's runtime client reports any
            failure = {"errorMessage": str(error), "errorType": type(error).__name__}
            return Response(json.dumps(failure), headers={"X-Amz-Function-Error": "Unhandled"})


def posted(token: str) -> dict[str, Any]:
    return {
        "version": "2.0",
        "requestContext": {"http": {"method": "POST"}},
        "body": base64.b64encode(urlencode({"logout_token": token}).encode()).decode(),
        "isBase64Encoded": True,
    }


WRONG = [{}, {"revoke": "user-1"}, {"revoke": {"sub": "user-1"}}, {"revoke": {"iss": 7, "sub": "user-1"}}]
WRONG += [{"revoke": {"iss": ISSUER, "sub": "a", "sid": "b"}}, {"revoke": {"iss": ISSUER, "email": "a@example.com"}}]
WRONG += [
    {"revoke": {"iss": ISSUER + "/", "sub": "user-1"}},
    *({"revoke": {"iss": ISSUER, "sub": it}} for it in ("", None)),
]
WRONG += [{"revoke": {"iss": ISSUER, "sub": "x" * 513}}, {"revoke": {"iss": ISSUER, "sub": "user-1"}, "dry-run": True}]


@pytest.mark.parametrize("event", WRONG, ids=str)
def test_a_wrong_invocation_writes_nothing(event: dict[str, object]) -> None:
    stack = Stack()
    with pytest.raises(RevokeError):
        stack.revoker(event, None)
    assert (stack.document, stack.flushed) == (None, [])


@pytest.mark.parametrize(
    ("change", "entered"),
    [
        ({}, {"sid": {"session-1": NOW + KEEP}}),
        ({"sid": None}, {"sub": {"user-1": NOW - 10}}),
        ({"sub": None}, {"sid": {"session-1": NOW + KEEP}}),
    ],
    ids=str,
)
def test_a_logout_ends_the_session_or_all_sessions_of_the_user(
    change: dict[str, object], entered: dict[str, object]
) -> None:
    stack = Stack()
    answer = stack.post(logout_token(change))
    assert (answer["statusCode"], answer["headers"]["Cache-Control"]) == (200, "no-store")
    assert stack.issuers == {ISSUER: {"jti": {"logout-1": NOW + 110 + KEEP}} | entered}
    assert stack.flushed == ["rest:abc/prod", "http:def/$default"]


def test_a_logout_token_is_used_once() -> None:
    stack = Stack()
    # As a REST API sends it.
    event = {"httpMethod": "POST", "requestContext": {}, "body": urlencode({"logout_token": logout_token()})}
    assert stack.revoker(event, None)["statusCode"] == 200
    stack.now += 100
    before = stack.document
    assert stack.revoker(event, None)["statusCode"] == 400
    assert stack.document == before


@pytest.mark.parametrize(
    "event",
    [
        posted(logout_token({"aud": "another-app"})),
        posted("not a token"),
        posted(logout_token()) | {"requestContext": {"http": {"method": "GET"}}},
        posted(logout_token()) | {"body": None},
        posted(logout_token()) | {"body": "%%%"},
        posted(logout_token()) | {"body": "a=b", "isBase64Encoded": False},
        posted(logout_token()) | {"body": "logout_token=a&logout_token=b", "isBase64Encoded": False},
        posted(logout_token()) | {"body": "logout_token=" + "x" * 70_000, "isBase64Encoded": False},
    ],
    ids=range(8),
)
def test_a_post_that_is_not_a_good_logout_is_a_400_and_writes_nothing(event: dict[str, object]) -> None:
    stack = Stack()
    answer = stack.revoker(event, None)
    assert answer["statusCode"] == 400
    assert (stack.document, stack.flushed) == (None, [])


def test_a_logout_that_cannot_be_checked_now_may_come_again() -> None:
    stack = Stack()
    stack.revoker.issuers = authorizer(FakeKeys(failure=DecisionError(ErrorCode.KEYS_UNAVAILABLE, "down"))).issuers
    assert stack.post(logout_token())["statusCode"] == 503
    assert stack.document is None


def test_what_is_over_is_dropped_and_what_is_not_stays() -> None:
    entries = {
        "jti": {"old": NOW, "new": NOW + 1},
        "sid": {"old": NOW - 5},
        "sub": {"old": NOW - KEEP, "new": NOW - KEEP + 1},
        "issued_before": 5,
    }
    stack = Stack(json.dumps({"issuers": {ISSUER: entries, "https://over.example": {"jti": {"old": 1}}}}).encode())
    assert stack.revoker({"tidy": True}, None) == {"entries": 2}
    assert stack.issuers == {ISSUER: {"jti": {"new": NOW + 1}, "sub": {"new": NOW - KEEP + 1}, "issued_before": 5}}


def test_what_the_revoker_wrote_is_refused_when_the_ttl_is_over_and_not_what_was_issued_later() -> None:
    stack = Stack(b'{"issuers": {}}')
    source = revocation_list(lambda: stack.document or b"", Ages(TTL, 600, 30), lambda *_: None)
    core = replace(authorizer(), check_revocation=against(source))

    def reason(bearer: str, now: float) -> ErrorCode | None:
        return authorize(rest_request_event(bearer), core, now).reason

    token_before, token_after = token(), token({"iat": NOW + 1})
    assert reason(token_before, NOW - 1) is None
    stack.revoke(sub="user-1")
    assert reason(token_before, NOW + TTL - 1) is ErrorCode.REVOKED_TOKEN
    assert [reason(token_after, NOW + TTL), reason(token({"sub": "user-2"}), NOW + TTL)] == [None, None]


@pytest.mark.parametrize(("later", "emptied"), [(TTL, True), (TTL + 120, True), (TTL + 121, False)])
def test_the_schedule_empties_the_caches_again_once_every_authorizer_has_read_the_list(
    later: float, *, emptied: bool
) -> None:
    stack = Stack()
    stack.revoke(sub="user-1")
    stack.flushed.clear()
    stack.now = stack.revoker.store.changed_at() + later
    stack.bucket.between = [denied]
    stack.revoker({"tidy": True}, None)
    assert stack.flushed == (["rest:abc/prod", "http:def/$default"] if emptied else [])
    assert stack.bucket.between, "nothing is written where nothing has changed"


def test_a_schedule_that_cannot_empty_a_cache_fails_so_that_the_alarm_tells() -> None:
    stack = Stack(b'{"issuers": {}}')
    stack.broken, stack.now = {"rest:abc/prod"}, stack.revoker.store.changed_at()
    with pytest.raises(FlushError, match="rest:abc/prod"):
        stack.revoker({"tidy": True}, None)


def test_a_token_of_the_second_of_its_revocation_is_refused_whatever_is_revoked_later() -> None:
    stack = Stack()
    stack.now = NOW + 0.9
    stack.revoke(sub="user-1")
    stack.post(logout_token({"sid": None, "sub": "user-1"}))  # it was issued ten seconds before
    assert stack.issuers[ISSUER]["sub"] == {"user-1": NOW + 1}


@pytest.mark.parametrize("document", [None, b'{"issuers": {}}'], ids=["no object", "an empty list"])
def test_a_writer_that_comes_between_loses_nothing(document: bytes | None) -> None:
    stack = Stack(document)
    stack.bucket.between = [lambda: stack.revoke(sub="user-3"), lambda: stack.revoke(sub="user-2")]
    stack.revoke(sub="user-1")
    assert stack.issuers[ISSUER]["sub"].keys() == {"user-1", "user-2", "user-3"}


@pytest.mark.parametrize(
    ("entries", "says"),
    [({"sub": {"user": 1e12}}, "would not be a revocation list"), ({"jti": {"x" * MAX_LIST: 1}}, "would be longer")],
    ids=["a time in milliseconds", "too long"],
)
def test_a_list_that_no_authorizer_would_read_is_never_written(entries: dict[str, Any], says: str) -> None:
    stack = Stack()
    with pytest.raises(FetchError, match=says):
        stack.revoker.store.change(lambda content: content.update({ISSUER: entries}), NOW, KEEP)
    assert stack.document is None


def test_a_bucket_that_fails_is_an_error_and_so_is_an_object_that_is_not_a_list() -> None:
    stack = Stack(b"precious")
    with pytest.raises(FetchError, match="not a revocation list"):
        stack.revoke(sub="user-1")
    assert stack.document == b"precious"
    S3.delete_object(**OBJECT)
    stack.bucket.between = [denied]
    with pytest.raises(FetchError, match="can't be written: PermissionError: AccessDenied"):
        stack.revoke(sub="user-1")
    S3.delete_bucket(Bucket="bucket")
    with pytest.raises(FetchError, match="can't be read: NoSuchBucket"):
        stack.revoke(sub="user-1")
    with pytest.raises(FetchError, match="can't be asked about: NoSuchBucket"):
        stack.revoker.store.changed_at()


def test_endless_competition_ends_in_an_error() -> None:
    stack, versions = Stack(b'{"issuers": {}}'), count(1)
    stack.bucket.between = [lambda: S3.put_object(**OBJECT, Body=b'{"issuers": {}}' + b" " * next(versions))] * 99
    with pytest.raises(FetchError, match="nothing was written"):
        stack.revoke(sub="user-1")


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("JWT_REVOKED", "", "JWT_REVOKED: the revoker writes to s3://bucket/key only"),
        ("REVOKER_KEEP_SECONDS", "1d", "REVOKER_KEEP_SECONDS"),
        ("REVOKER_APIS", "rest:abc", "rest:ID/STAGE"),
    ],
)
def test_settings_that_cannot_work(name: str, value: str, says: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(says)):
        create_revoker(ENVIRONMENT | {name: value})


@pytest.mark.parametrize("is_document", [False, True])
def test_the_list_is_where_the_authorizer_reads_it(*, is_document: bool) -> None:
    document = {"JWT_CONFIG": config("").replace("[[", 'revoked = "s3://bucket/revoked.json"\n[[', 1)}
    create_revoker(document if is_document else ENVIRONMENT).tidy()
    assert Stack().issuers == {}


def test_tenants_are_issuers_of_their_own() -> None:
    revoker = create_revoker(ENVIRONMENT | {"JWT_ISSUER": "https://{tenant}.issuer.test", "JWT_TENANTS": "acme"})
    asked = {"revoke": {"iss": "https://acme.issuer.test", "sub": "user-1"}, "dry_run": True}
    assert revoker(asked, None)["written"] is False
    for issuer in ("https://evil.issuer.test", "https://acme.other.test"):
        with pytest.raises(RevokeError, match="not an issuer"):
            revoker(asked | {"revoke": {"iss": issuer, "sub": "user-1"}}, None)
    for issuer, refusal in (("https://acme.issuer.test", "invalid_audience"), (ISSUER, "unknown_issuer")):
        logout = logout_token({"iss": issuer, "aud": "another", "iat": time.time(), "exp": time.time() + 60})
        assert revoker(posted(logout), None)["body"] == json.dumps({"error": refusal})


# ---------------------------------------------------------------------------------------------------------------
# ``jwt-authorizer revoke``: the revoker behind an endpoint like Lambda's.


SUB = ("--sub", "user-1")
ON = ("--function", "revoker")


@pytest.fixture
def stack(httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> Stack:
    stack, at = Stack(), "/2015-03-31/functions/"
    httpserver.expect_request(re.compile(f"{at}revoker/.*")).respond_with_handler(stack.answer)
    gone = {"X-Amzn-ErrorType": "ResourceNotFoundException"}
    httpserver.expect_request(f"{at}gone/invocations").respond_with_json({}, 404, gone)
    monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", httpserver.url_for(""))
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    return stack


@pytest.mark.parametrize(
    ("kind", "moment"), [("sub", NOW), ("client_id", NOW), ("sid", NOW + KEEP), ("jti", NOW + KEEP)]
)
def test_it_enters_one_identifier_of_the_only_issuer_and_empties_the_caches(
    stack: Stack, desk: Desk, kind: str, moment: float
) -> None:
    done = {"iss": ISSUER, kind: "x-1", "time": moment, "written": True, "entries": 1, "not_flushed": []}
    assert desk.json("revoke", f"--{kind.replace('_', '-')}", "x-1", *ON) == (0, done)
    assert (stack.issuers, stack.flushed) == ({ISSUER: {kind: {"x-1": moment}}}, [*APIS])


def test_a_dry_run_shows_it_and_writes_nothing(stack: Stack, desk: Desk) -> None:
    code, output = desk.run("revoke", *SUB, *ON, "--dry-run")
    assert (code, "user-1" in output) == (0, True)
    assert (stack.document, stack.flushed) == (None, [])


def test_a_cache_that_was_not_emptied_is_named_and_the_others_are_emptied(stack: Stack, desk: Desk) -> None:
    stack.broken = {"rest:abc/prod"}
    code, output = desk.run("revoke", *SUB, *ON, "--iss", ISSUER)
    assert (code, "rest:abc/prod" in output, "http:def" in output) == (1, True, False)
    assert stack.flushed == ["http:def/$default"]
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
def test_wrong_input_writes_nothing(stack: Stack, desk: Desk, arguments: tuple[str, ...], says: str) -> None:
    code, output = desk.run("revoke", *arguments)
    assert (code, says in output, stack.document) == (2, True, None), output


def test_an_issuer_that_does_not_follow_from_the_settings_is_asked_for(stack: Stack, desk: Desk) -> None:
    several = config("") + config("").replace(ISSUER, "https://other.example")
    for document in ("file:not-readable-here.toml", several):
        stack.variables = {"JWT_CONFIG": document}
        code, output = desk.run("revoke", *SUB, *ON)
        assert (code, "--iss" in output, stack.document) == (2, True, None), output


@pytest.mark.usefixtures("stack")
def test_what_fails_on_the_way_is_an_exit_code_of_its_own(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    S3.delete_bucket(Bucket="bucket")
    assert desk.run("revoke", *SUB, *ON, "--iss", ISSUER)[0] == 3
    monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", "http://127.0.0.1:9")
    assert desk.run("revoke", *SUB, *ON, "--iss", ISSUER)[0] == 3
