"""The function that writes the revocation list: what it accepts, what it writes, and that writers lose nothing."""

import base64
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pytest

from jwt_authorizer.authorize import authorize
from jwt_authorizer.errors import DecisionError, Reason, SettingsError
from jwt_authorizer.issuers.cached_value import Ages
from jwt_authorizer.issuers.fetched import FetchError
from jwt_authorizer.issuers.revocation_store import RevocationStore
from jwt_authorizer.records import replace
from jwt_authorizer.revocation import MAX_LIST, read_list
from jwt_authorizer.revoker import FlushError, RevokeError, Revoker, create_revoker
from jwt_authorizer.wiring.token_status import revocation_list
from jwt_authorizer_devkit.signing import key_set
from tests.factories import AUDIENCE, ISSUER, NOW, FakeKeys, against, authorizer, rest_request_event, signing_key, token
from tests.unit.test_revocation import CLIENT, logout_token

KEEP, TTL = 3600, 60
KEY_SET = json.dumps(key_set((signing_key(),)))
APIS = ("rest:abc/prod", "http:def/$default")


class AwsError(Exception):
    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.response = {"Error": {"Code": code}}


NO_SUCH_KEY, ACCESS_DENIED = AwsError("NoSuchKey"), AwsError("AccessDenied")
EXISTS, CHANGED = AwsError("PreconditionFailed"), AwsError("ConditionalRequestConflict")


class Bucket:
    """S3 with one object and its conditional writes; ``between`` happens between a read and a write."""

    def __init__(self, document: bytes | None = None) -> None:
        self.document = document
        self.version = 0
        self.written_at = NOW
        self.failure: Exception | None = None
        self.between: list[Callable[[], object]] = []

    def get_object(self, **_: object) -> dict[str, Any]:
        if self.failure is not None:
            raise self.failure
        if self.document is None:
            raise NO_SUCH_KEY
        document = self.document

        class Body:
            def read(self) -> bytes:
                return document

        return {"Body": Body(), "ETag": f'"{self.version}"'}

    def head_object(self, **_: object) -> dict[str, Any]:
        if self.failure is not None:
            raise self.failure
        return {"LastModified": datetime.fromtimestamp(self.written_at, UTC)}

    def put_object(self, **arguments: Any) -> object:  # noqa: ANN401 - as boto3 has them
        if self.between:
            self.between.pop()()
        exists = self.document is not None
        if arguments.get("IfNoneMatch") == "*" and exists:
            raise EXISTS
        if "IfMatch" in arguments and arguments["IfMatch"] != f'"{self.version}"':
            raise CHANGED
        assert exists is ("IfMatch" in arguments)
        self.document, self.version = arguments["Body"], self.version + 1
        return {}

    @property
    def issuers(self) -> dict[str, Any]:
        assert self.document is not None
        read_list(self.document)
        issuers: dict[str, Any] = json.loads(self.document)["issuers"]
        return issuers


class Stack:
    """A revoker with its bucket and a clock."""

    def __init__(self, document: bytes | None = None, keys: FakeKeys | None = None) -> None:
        self.bucket = Bucket(document)
        self.now = NOW
        self.flushed: list[str] = []
        self.broken: set[str] = set()
        self.revoker = Revoker(
            authorizer(keys).issuers,
            {},
            RevocationStore("bucket", "key", self.bucket, sleep=lambda _: None),
            client_ids=frozenset({CLIENT}),
            keep=KEEP,
            ttl=TTL,
            apis=APIS,
            flush=self._flush,
            clock=lambda: self.now,
        )

    def _flush(self, api: str) -> None:
        if api in self.broken:
            raise ACCESS_DENIED
        self.flushed.append(api)

    def revoke(self, more: dict[str, object] | None = None, /, **request: object) -> dict[str, Any]:
        return self.revoker({"revoke": {"iss": ISSUER, **request}} | (more or {}), None)

    def post(self, token: str, **more: object) -> dict[str, Any]:
        return self.revoker(posted(token) | more, None)


def posted(token: str) -> dict[str, Any]:
    return {
        "version": "2.0",
        "requestContext": {"http": {"method": "POST"}},
        "body": base64.b64encode(urlencode({"logout_token": token}).encode()).decode(),
        "isBase64Encoded": True,
    }


@pytest.mark.parametrize(
    ("kind", "moment"), [("sub", NOW), ("client_id", NOW), ("sid", NOW + KEEP), ("jti", NOW + KEEP)]
)
def test_an_invocation_enters_one_identifier_and_empties_the_caches(kind: str, moment: float) -> None:
    stack = Stack()
    result = stack.revoke(None, **{kind: "x-1"})
    assert stack.bucket.issuers == {ISSUER: {kind: {"x-1": moment}}}
    assert stack.flushed == ["rest:abc/prod", "http:def/$default"]
    assert result == {"iss": ISSUER, kind: "x-1", "time": moment, "written": True, "entries": 1, "not_flushed": []}


def test_a_dry_run_writes_nothing() -> None:
    stack = Stack()
    assert stack.revoke({"dry_run": True}, sub="user-1")["written"] is False
    assert (stack.bucket.document, stack.flushed) == (None, [])


def test_a_cache_that_cannot_be_emptied_is_reported_and_the_others_are_emptied() -> None:
    stack = Stack()
    stack.broken = {"rest:abc/prod"}
    assert stack.revoke(sub="user-1")["not_flushed"] == ["rest:abc/prod"]
    assert stack.flushed == ["http:def/$default"]


WRONG = [{}, {"revoke": "user-1"}, {"revoke": {"sub": "user-1"}}, {"revoke": {"iss": ISSUER}}]
WRONG += [{"revoke": {"iss": ISSUER, "sub": "a", "sid": "b"}}, {"revoke": {"iss": ISSUER, "email": "a@example.com"}}]
WRONG += [{"revoke": {"iss": ISSUER + "/", "sub": "user-1"}}, {"revoke": {"iss": 7, "sub": "user-1"}}]
WRONG += [{"revoke": {"iss": ISSUER, "sub": ""}}, {"revoke": {"iss": ISSUER, "sub": None}}]
WRONG += [{"revoke": {"iss": ISSUER, "sub": "x" * 513}}, {"revoke": {"iss": ISSUER, "sub": "user-1"}, "dry-run": True}]


@pytest.mark.parametrize("event", WRONG, ids=str)
def test_a_wrong_invocation_writes_nothing(event: dict[str, object]) -> None:
    stack = Stack()
    with pytest.raises(RevokeError):
        stack.revoker(event, None)
    assert (stack.bucket.document, stack.flushed) == (None, [])


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
    assert stack.bucket.issuers == {ISSUER: {"jti": {"logout-1": NOW + 110 + KEEP}} | entered}
    assert stack.flushed == ["rest:abc/prod", "http:def/$default"]


def test_a_rest_api_s_event_is_understood_too() -> None:
    stack = Stack()
    event = {"httpMethod": "POST", "requestContext": {}, "body": urlencode({"logout_token": logout_token()})}
    assert stack.revoker(event, None)["statusCode"] == 200


def test_a_logout_token_is_used_once() -> None:
    stack = Stack()
    token = logout_token({"sid": None})
    assert stack.post(token)["statusCode"] == 200
    stack.now += 100
    before = stack.bucket.document
    assert stack.post(token)["statusCode"] == 400
    assert stack.bucket.document == before


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
    assert (stack.bucket.document, stack.flushed) == (None, [])


def test_a_logout_that_cannot_be_checked_now_may_come_again() -> None:
    stack = Stack(keys=FakeKeys(failure=DecisionError(Reason.KEYS_UNAVAILABLE, "down")))
    assert stack.post(logout_token())["statusCode"] == 503
    assert stack.bucket.document is None


def test_what_is_over_is_dropped_and_what_is_not_stays() -> None:
    entries = {
        "jti": {"old": NOW, "new": NOW + 1},
        "sid": {"old": NOW - 5},
        "sub": {"old": NOW - KEEP, "new": NOW - KEEP + 1},
        "issued_before": 5,
    }
    stack = Stack(json.dumps({"issuers": {ISSUER: entries, "https://over.example": {"jti": {"old": 1}}}}).encode())
    assert stack.revoker({"tidy": True}, None) == {"entries": 2}
    assert stack.bucket.issuers == {
        ISSUER: {"jti": {"new": NOW + 1}, "sub": {"new": NOW - KEEP + 1}, "issued_before": 5}
    }


def test_what_the_revoker_wrote_is_refused_when_the_ttl_is_over_and_not_what_was_issued_later() -> None:
    stack = Stack(b'{"issuers": {}}')
    source = revocation_list(lambda: stack.bucket.document or b"", Ages(TTL, 600, 30), lambda *_: None)
    core = replace(authorizer(), check_revocation=against(source))

    def reason(bearer: str, now: float) -> Reason | None:
        return authorize(rest_request_event(bearer), core, now).reason

    token_before, token_after = token(), token({"iat": NOW + 1})
    assert reason(token_before, NOW - 1) is None
    stack.revoke(sub="user-1")
    assert reason(token_before, NOW + TTL - 1) is Reason.REVOKED_TOKEN
    assert [reason(token_after, NOW + TTL), reason(token({"sub": "user-2"}), NOW + TTL)] == [None, None]


@pytest.mark.parametrize(("later", "emptied"), [(TTL, True), (TTL + 120, True), (TTL + 121, False)])
def test_the_schedule_empties_the_caches_again_once_every_authorizer_has_read_the_list(
    later: float, *, emptied: bool
) -> None:
    stack = Stack()
    stack.revoke(sub="user-1")
    before, version = stack.bucket.document, stack.bucket.version
    stack.flushed.clear()
    stack.now += later
    stack.revoker({"tidy": True}, None)
    assert stack.flushed == (["rest:abc/prod", "http:def/$default"] if emptied else [])
    assert (stack.bucket.document, stack.bucket.version) == (before, version), "nothing has changed"


def test_a_schedule_that_cannot_empty_a_cache_fails_so_that_the_alarm_tells() -> None:
    stack = Stack()
    stack.broken = {"rest:abc/prod"}
    with pytest.raises(FlushError, match="rest:abc/prod"):
        stack.revoker({"tidy": True}, None)
    assert stack.bucket.issuers == {}
    stack.bucket.failure = ACCESS_DENIED
    with pytest.raises(FetchError, match="AccessDenied"):
        RevocationStore("bucket", "key", stack.bucket).changed_at()


def test_a_later_moment_is_not_taken_back() -> None:
    stack = Stack()
    stack.revoke(sub="user-1")
    stack.post(logout_token({"sid": None, "sub": "user-1"}))  # it was issued ten seconds before
    assert stack.bucket.issuers[ISSUER]["sub"] == {"user-1": NOW}


@pytest.mark.parametrize("document", [None, b'{"issuers": {}}'], ids=["no object", "an empty list"])
def test_a_writer_that_comes_between_loses_nothing(document: bytes | None) -> None:
    stack = Stack(document)
    stack.bucket.between = [lambda: stack.revoke(sub="user-3"), lambda: stack.revoke(sub="user-2")]
    stack.revoke(sub="user-1")
    assert stack.bucket.issuers[ISSUER]["sub"].keys() == {"user-1", "user-2", "user-3"}


def test_an_object_that_is_not_a_list_is_not_written_over() -> None:
    stack = Stack(b"precious")
    with pytest.raises(FetchError, match="not a revocation list"):
        stack.revoke(sub="user-1")
    assert stack.bucket.document == b"precious"


@pytest.mark.parametrize(
    ("entries", "says"),
    [({"sub": {"user": 1e12}}, "would not be a revocation list"), ({"jti": {"x" * MAX_LIST: 1}}, "would be longer")],
    ids=["a time in milliseconds", "too long"],
)
def test_a_list_that_no_authorizer_would_read_is_never_written(entries: dict[str, Any], says: str) -> None:
    bucket = Bucket()
    store = RevocationStore("bucket", "key", bucket, sleep=lambda _: None)
    with pytest.raises(FetchError, match=says):
        store.change(lambda content: content.update({ISSUER: entries}), NOW, KEEP)
    assert bucket.document is None


def test_a_token_of_the_second_of_its_revocation_is_refused() -> None:
    stack = Stack()
    stack.now = NOW + 0.9
    stack.revoke(sub="user-1")
    assert stack.bucket.issuers[ISSUER]["sub"] == {"user-1": NOW + 1}


def test_a_bucket_that_fails_is_an_error() -> None:
    stack = Stack()
    stack.bucket.failure = ACCESS_DENIED
    with pytest.raises(FetchError, match="AccessDenied"):
        stack.revoke(sub="user-1")

    def denied() -> None:
        raise ACCESS_DENIED

    stack.bucket.failure, stack.bucket.between = None, [denied]
    with pytest.raises(FetchError, match="can't be written"):
        stack.revoke(sub="user-1")


def test_endless_competition_ends_in_an_error() -> None:
    stack = Stack(b'{"issuers": {}}')

    def compete() -> None:
        stack.bucket.version += 1
        stack.bucket.between.append(compete)

    stack.bucket.between = [compete]
    with pytest.raises(FetchError, match="nothing was written"):
        stack.revoke(sub="user-1")


ENVIRONMENT = {"JWT_ISSUER": ISSUER, "JWT_AUDIENCE": AUDIENCE, "JWT_REVOKED": "s3://bucket/revoked.json"}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"JWT_REVOKED": ""}, "JWT_REVOKED: the revoker writes to s3://bucket/key only"),
        ({"JWT_REVOKED": "ssm:/revoked"}, "JWT_REVOKED"),
        ({"REVOKER_KEEP_SECONDS": "1d"}, "REVOKER_KEEP_SECONDS"),
        ({"REVOKER_APIS": "abc/prod"}, "REVOKER_APIS"),
        ({"REVOKER_APIS": "rest:abc"}, "rest:ID/STAGE"),
        ({"JWT_AUDIENCE": ""}, "JWT_AUDIENCE"),
    ],
    ids=str,
)
def test_settings_that_cannot_work(change: dict[str, str], says: str) -> None:
    with pytest.raises(SettingsError) as raised:
        create_revoker(ENVIRONMENT | change)
    assert says in str(raised.value)


def test_the_function_is_put_together_from_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    apis = "rest:abc/prod, http:def/$default"
    keep = {"REVOKER_KEEP_SECONDS": " 60 "}  # and the leeway
    revoker = create_revoker(ENVIRONMENT | keep | {"REVOKER_CLIENT_IDS": "web-app", "REVOKER_APIS": apis})
    assert revoker.keep == 120
    with pytest.raises(RevokeError, match=f"it has {ISSUER}"):
        revoker({"revoke": {"iss": "https://other.example", "sub": "user-1"}}, None)


@pytest.mark.parametrize("is_variable", [True, False])
def test_the_list_is_where_the_authorizer_reads_it(is_variable: bool, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: FBT001 - pytest passes by name
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    document = f'revoked = "s3://bucket/list.json"\n[[issuers]]\nissuer = "{ISSUER}"\naudience = "{AUDIENCE}"\n'
    environment = ENVIRONMENT | {"JWT_REVOKED": " s3://bucket/list.json "} if is_variable else {"JWT_CONFIG": document}
    store = create_revoker(environment).store
    assert (store._bucket, store._key) == ("bucket", "list.json")  # noqa: SLF001 - where it writes to


def test_tenants_are_issuers_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    tenants = {"JWT_ISSUER": "https://{tenant}.issuer.test", "JWT_TENANTS": "acme", "JWT_JWKS": KEY_SET}
    revoker = create_revoker(ENVIRONMENT | tenants | {"REVOKER_CLIENT_IDS": CLIENT})
    asked = {"revoke": {"iss": "https://acme.issuer.test", "sub": "user-1"}, "dry_run": True}
    assert revoker(asked, None)["written"] is False
    for issuer in ("https://evil.issuer.test", "https://acme.other.test"):
        with pytest.raises(RevokeError, match="not an issuer"):
            revoker(asked | {"revoke": {"iss": issuer, "sub": "user-1"}}, None)
    times = {"iat": time.time(), "exp": time.time() + 60}
    sent = (("https://acme.issuer.test", "another", "invalid_audience"), (ISSUER, CLIENT, "unknown_issuer"))
    for issuer, audience, refused in sent:
        token = logout_token({"iss": issuer, "aud": audience, **times})
        assert revoker(posted(token), None)["body"] == json.dumps({"error": refused})
