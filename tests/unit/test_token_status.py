"""Opaque tokens and the revocation list in the whole function: what comes before what, and what is asked how often."""

import json
from contextlib import suppress
from copy import replace
from pathlib import Path

import pytest

from jwt_authorizer import revoker
from jwt_authorizer.authenticate import Introspection
from jwt_authorizer.errors import DecisionError, ErrorCode, SettingsError, TokenError
from jwt_authorizer.function import create_function
from jwt_authorizer.issuers.cached_value import Ages
from jwt_authorizer.settings import load_settings
from jwt_authorizer.tokens import BearerToken
from jwt_authorizer.wiring.token_status import revocation_list
from jwt_authorizer_devkit.mint import Defect
from tests.factories import (
    AUDIENCE,
    ISSUER,
    NOW,
    Watched,
    against,
    authorizer,
    config,
    environment,
    rest_request_event,
    token,
)
from tests.integration.hostile_server import HostileServer, answer, parse_request
from tests.sources import Document
from tests.unit.test_revoker import ENVIRONMENT, S3

LIST = json.dumps({"issuers": {ISSUER: {"sub": {"user-1": NOW}}}}).encode()
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


@pytest.mark.parametrize(
    ("bearer", "expected"),
    [
        (token(), None),
        (token(defect=Defect.EXPIRED), ErrorCode.TOKEN_EXPIRED),
        (token(defect=Defect.ALG_NONE), ErrorCode.UNSUPPORTED_ALGORITHM),
        (token(defect=Defect.CUT_SHORT), ErrorCode.MALFORMED_TOKEN),
        *((token().replace(".", end, 1), ErrorCode.MALFORMED_TOKEN) for end in ("=.", "==.", " .")),
    ],
    ids=range(7),
)
def test_a_jwt_never_leaves_the_function(bearer: str, expected: ErrorCode | None) -> None:
    function, endpoint = asking(CLAIMS)
    assert reason(function, rest_request_event(bearer)) == expected
    assert endpoint.asked == []


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (CLAIMS | {"aud": "https://other.example"}, ErrorCode.INVALID_AUDIENCE),
        (CLAIMS | {"exp": NOW - 61}, ErrorCode.TOKEN_EXPIRED),
        (CLAIMS | {"nbf": NOW + 61}, ErrorCode.TOKEN_NOT_YET_VALID),
        (CLAIMS | {"sub": None}, ErrorCode.INVALID_CLAIM),
        (TokenError(ErrorCode.INACTIVE_TOKEN, "not active"), ErrorCode.INACTIVE_TOKEN),
        (DecisionError(ErrorCode.INTROSPECTION_UNAVAILABLE, "down"), ErrorCode.INTROSPECTION_UNAVAILABLE),
    ],
    ids=str,
)
def test_an_answer_is_checked_as_claims_are(answer: dict[str, object] | Exception, expected: ErrorCode) -> None:
    function, _ = asking(answer)
    assert reason(function, rest_request_event("opaque")) == expected


def test_with_always_a_jwt_is_asked_about_each_time_once_it_is_good_and_an_opaque_token_too() -> None:
    function, endpoint = asking(CLAIMS, always=True)
    reason(function, rest_request_event(token(defect=Defect.FORGED)))
    assert endpoint.asked == []
    good = token()
    for bearer in (good, good, "opaque"):
        function(rest_request_event(bearer))
    assert endpoint.asked == [good, good, "opaque"]
    endpoint.answer = TokenError(ErrorCode.INACTIVE_TOKEN, "revoked meanwhile")
    assert reason(function, rest_request_event(good)) == ErrorCode.INACTIVE_TOKEN


def test_another_issuer_s_jwt_is_not_sent_to_this_one() -> None:
    core, endpoint = authorizer(), Endpoint(CLAIMS)
    other = replace(core.issuers[ISSUER], name="https://other.example")
    asking_another = Introspection(other, endpoint.claims, always=True)
    Watched(replace(core, introspection=asking_another))(rest_request_event(token()))
    assert endpoint.asked == []


def test_a_remembered_token_is_checked_against_the_list_on_each_use() -> None:
    document = Document(b'{"issuers": {}}')
    revoked = revocation_list(document, Ages(0, 600, 0), lambda *_: None)
    function = Watched(replace(authorizer(), check_revocation=against(revoked)))
    good = token()
    function(rest_request_event(good))
    document.content = LIST
    function.now += 1
    assert reason(function, rest_request_event(good)) == ErrorCode.REVOKED_TOKEN
    assert function.line["token_cache"] == "hit"
    # A bad token is refused for what is wrong with it, whatever is listed.
    assert reason(function, rest_request_event(token(defect=Defect.FORGED))) == ErrorCode.BAD_SIGNATURE


# --- Settings

KNOWN = environment()
ASKING = {
    "JWT_INTROSPECTION": "https://issuer.example.com/introspect",
    "JWT_INTROSPECTION_CLIENT_ID": "orders-api",
    "JWT_INTROSPECTION_SECRET": "ssm:/orders-api/secret",
}


def test_a_list_in_the_package_is_read_at_start_up(tmp_path: Path) -> None:
    (tmp_path / "revoked.json").write_bytes(LIST)
    lines: list[str] = []
    settings = KNOWN | {"JWT_REVOKED": "file:revoked.json"}
    function = create_function(settings, write=lines.append, clock=lambda: NOW, package_root=tmp_path)
    (tmp_path / "revoked.json").unlink()
    with pytest.raises(Exception, match="Unauthorized"):
        function(rest_request_event(token()), None)
    assert json.loads(lines[-1])["reason"] == "revoked_token"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"JWT_INTROSPECTION": ""}, "JWT_INTROSPECTION: is required"),
        ({"JWT_INTROSPECTION_SECRET": ""}, "JWT_INTROSPECTION_SECRET: is required"),
        ({"JWT_INTROSPECTION_SECRET": "s3cret"}, "ssm:/name or secretsmanager:NAME"),
        ({"JWT_INTROSPECTION_AUTH": "none"}, "client_secret_basic, client_secret_post, private_key_jwt"),
        ({"JWT_INTROSPECT": "sometimes"}, "opaque, always"),
        ({"JWT_REVOKED": "http://lists.example/revoked"}, "JWT_REVOKED"),
    ],
    ids=str,
)
def test_settings_that_cannot_work(change: dict[str, str], says: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as raised:
        load_settings(KNOWN | ASKING | change, tmp_path)
    assert says in str(raised.value)
    assert "s3cret" not in str(raised.value)


def test_only_one_issuer_can_be_asked(tmp_path: Path) -> None:
    one = config("introspection = 'discovery'\nintrospection_client_id = 'c'\nintrospection_secret = 'ssm:/s'\n")
    with pytest.raises(SettingsError, match="only one issuer can have introspection"):
        load_settings({"JWT_CONFIG": one + one.replace(ISSUER, "https://other.example")}, tmp_path)


# ---------------------------------------------------------------------------------------------------------------
# The first revocation list of a stack: what CloudFormation is told, over real HTTP.


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize(
    ("kind", "location", "status", "why"),
    [
        ("Create", "s3://bucket/revoked.json", "SUCCESS", None),
        ("Delete", "s3://no-bucket/revoked.json", "SUCCESS", None),
        ("Update", "s3://no-bucket/revoked.json", "FAILED", "FetchError: s3://no-bucket/revoked.json can't be read: "),
    ],
)
def test_the_revoker_writes_the_first_list_for_cloudformation_unless_the_stack_goes(
    kind: str, location: str, status: str, why: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (ENVIRONMENT | {"JWT_REVOKED": location}).items():
        monkeypatch.setenv(name, value)
    names = {"StackId": "stack", "RequestId": "request", "LogicalResourceId": "FirstRevocationList"}
    revoker._revoker.cache_clear()  # noqa: SLF001 - a new process of Lambda's
    with HostileServer({"/?signature=x": answer(b"")}) as server:
        url = f"http://127.0.0.1:{server.port}/?signature=x"
        revoker.lambda_handler({**names, "RequestType": kind, "ResponseURL": url}, None)
    (request,) = server.requests
    headers, body = parse_request(request)
    told = json.loads(body)
    assert (request[:4], headers.get("content-type")) == (b"PUT ", ""), "S3 signed the URL without a content type"
    assert str(told.pop("Reason", None)).startswith(str(why))
    assert told == {**names, "PhysicalResourceId": location, "Status": status, "Data": {"Location": location}}
    assert ("Contents" in S3.list_objects_v2(Bucket="bucket")) is (kind == "Create")
    with pytest.raises(revoker.RevokeError):
        revoker.lambda_handler({}, None)
