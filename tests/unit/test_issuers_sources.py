"""What ``JWT_JWKS`` may say, and what is said to those who wrote something else."""

import json
import re
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest

from jwt_authorizer.errors import DecisionError, ErrorCode, SettingsError
from jwt_authorizer.issuers.cache import CachedKeySource
from jwt_authorizer.issuers.cached_value import Ages
from jwt_authorizer.issuers.documents import boto3_client
from jwt_authorizer.issuers.fetched import Fetched, FetchError
from jwt_authorizer.issuers.session import BODY_LIMIT, Response, Session
from jwt_authorizer.issuers.several import SeveralKeySources
from jwt_authorizer.issuers.sources import key_fetcher
from jwt_authorizer.keys import KeySet
from jwt_authorizer.refresher import TIMEOUT, lambda_handler, refresh
from jwt_authorizer_devkit.signing import key_set
from tests.factories import NOW, signing_key
from tests.sources import COOLDOWN, MAX_STALE, START, TTL, Issuer, kids, refusal, source

make_client = import_module("boto3").client
ISSUER = "https://issuer.test"
KEY = signing_key("ES256", "a")
KEY_SET = json.dumps(key_set((KEY,)))


def fetcher(jwks: str | None, root: Path) -> Callable[[], Fetched[KeySet]]:
    return key_fetcher(ISSUER, jwks, allow_http=False, timeout=3, package_root=root)


def fetched_kids(fetched: Fetched[KeySet]) -> list[str | None]:
    return [key.kid for key in fetched.value.keys]


def test_a_url_whose_query_is_not_repeated_in_errors(tmp_path: Path) -> None:
    asked: list[str] = []
    responses = [Response(200, {"cache-control": "max-age=120"}, KEY_SET.encode()), Response(503, {}, b"")]

    def get(url: str, session: Session) -> Response:
        assert 0 < session.left() <= 3
        asked.append(url)
        return responses.pop(0)

    url = "https://issuer.test/keys?secret=1"
    fetch = key_fetcher(ISSUER, url, allow_http=False, timeout=3, package_root=tmp_path, get=get)
    fetched = fetch()
    assert (fetched_kids(fetched), fetched.max_age, fetched.as_of) == (["a"], 120, None)
    with pytest.raises(FetchError, match=r"^https://issuer.test/keys answered 503$"):
        fetch()
    assert asked == [url, url]


def test_a_file_of_the_package_is_read_each_time(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    file.write_text(KEY_SET)
    fetch = fetcher("file:keys.json", tmp_path)
    assert fetched_kids(fetch()) == ["a"]
    file.write_text(KEY_SET.replace('"a"', '"b"'))
    assert fetched_kids(fetch()) == ["b"]
    file.write_text("{}")
    with pytest.raises(FetchError, match=r'file:keys.json: the key set is not a JSON object with a list "keys"'):
        fetch()
    file.unlink()
    with pytest.raises(FetchError, match=r"file keys.json: No such file or directory"):
        fetch()


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize("kind", ["String", "SecureString"])
def test_a_parameter(tmp_path: Path, kind: str) -> None:
    make_client("ssm").put_parameter(Name="/my/keys", Value=KEY_SET, Type=kind)
    fetch = fetcher("ssm:/my/keys", tmp_path)
    assert fetched_kids(fetch()) == ["a"]
    make_client("ssm").delete_parameter(Name="/my/keys")
    with pytest.raises(FetchError, match="ssm /my/keys: ParameterNotFound: "):
        fetch()


@pytest.mark.usefixtures("aws")
def test_an_object(tmp_path: Path) -> None:
    s3 = make_client("s3")
    fetch = fetcher("s3://bucket/my/keys.json", tmp_path)
    with pytest.raises(FetchError, match=r"s3 bucket my/keys.json: NoSuchKey: "):
        fetch()
    s3.put_object(Bucket="bucket", Key="my/keys.json", Body=KEY_SET.encode())
    assert fetched_kids(fetch()) == ["a"]
    s3.put_object(Bucket="bucket", Key="my/keys.json", Body=b"{" + b" " * BODY_LIMIT)
    with pytest.raises(FetchError, match=f"s3://bucket/my/keys.json is larger than {BODY_LIMIT} bytes"):
        fetch()


@pytest.mark.usefixtures("aws")
def test_a_client_tries_once_and_waits_no_longer_than_it_may() -> None:
    config = boto3_client("ssm", 3).meta.config
    assert (config.connect_timeout, config.read_timeout) == (1.5, 1.5)
    assert config.retries["total_max_attempts"] == 1


def test_without_a_client_fetching_fails_and_building_does_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    fetch = fetcher("ssm:/my/keys", tmp_path)
    with pytest.raises(FetchError, match="NoRegionError: You must specify a region"):
        fetch()


@pytest.mark.parametrize(("written", "as_of"), [(1700000000, 1700000000), (0.5, 0.5), ("now", None), (None, None)])
def test_a_copy_says_when_it_was_made(tmp_path: Path, written: object, as_of: float | None) -> None:
    (tmp_path / "copy.json").write_text(json.dumps(key_set((KEY,)) | {"refreshed_at": written}))
    assert fetcher("file:copy.json", tmp_path)().as_of == as_of


@pytest.mark.parametrize(
    ("jwks", "problem"),
    [
        ("[]", "neither an https:// URL, file:PATH"),
        ("ftp://issuer.test/keys", "neither an https:// URL, file:PATH"),
        ("{", "not valid JSON"),
        ("http://issuer.test/keys", "JWT_ALLOW_HTTP"),
        ("file:nothing.json", "no such file in the package"),
        ("file:folder", "no such file in the package"),
        ("file:/etc/passwd", "inside the package"),
        ("file:../outside.json", "inside the package"),
        ("file:link.json", "inside the package"),
        ("file:folder/wrong.json", "not valid JSON"),
        ("ssm:/with space", "ssm:/its/name"),
        ("ssm://its/name", "ssm:/its/name"),
        ("s3:bucket/key", "s3://bucket/key"),
        ("s3://b/key", "s3://bucket/key"),
    ],
)
def test_what_is_no_source_is_a_problem_at_start_up(tmp_path: Path, jwks: str, problem: str) -> None:
    package = tmp_path / "package"
    (package / "folder").mkdir(parents=True)
    (package / "folder" / "wrong.json").write_text("keys")
    (tmp_path / "outside.json").write_text(KEY_SET)
    (package / "link.json").symlink_to(tmp_path / "outside.json")
    with pytest.raises((ValueError, FetchError), match=re.escape(problem)):
        key_fetcher("", jwks, allow_http=False, timeout=0, package_root=package)


def test_an_issuer_that_cannot_be_discovered_is_a_problem_at_start_up(tmp_path: Path) -> None:
    for issuer, advice in (
        ("https://issuer.test?x", r"section 3\): set JWT_JWKS$"),
        ("issuer.test", "write https:// before"),
    ):
        with pytest.raises(ValueError, match=advice):
            key_fetcher(issuer, None, allow_http=False, timeout=3, package_root=tmp_path)


# Several key sets of one issuer: a token of any is good, and one that is down costs the others nothing.


class Two:
    """Two sets of one issuer, and how often each was fetched."""

    def __init__(self, first: tuple[str | None, ...] = ("a",), second: tuple[str | None, ...] = ("b",)) -> None:
        self.first, self.second = Issuer(first), Issuer(second)
        self.sources = (source(self.first), source(self.second))
        self.keys = SeveralKeySources(self.sources)

    def first_kid(self, kid: str | None, now: float) -> str | None:
        return next(iter(self.keys.candidates("ES256", kid, now))).kid

    @property
    def asked(self) -> tuple[int, int]:
        return self.first.asked, self.second.asked


def test_keys_of_one_kid_or_without_any_are_tried_in_the_order_of_the_sets_and_belong_to_them() -> None:
    two = Two(("a", None), ("a", None))
    two.keys.warm(START)
    found = list(two.keys.candidates("ES256", "a", START))
    assert [two.keys.source_of(key) for key in found] == list(two.sources)
    assert [two.sources[0].source_of(key) for key in found] == [two.sources[0]] * 2
    assert two.asked == (1, 1)


def test_a_set_that_is_down_is_not_asked_for_a_key_of_another() -> None:
    two = Two()
    two.keys.warm(START)
    two.second.failure = FetchError("down")
    for now in (START, START + TTL - 1):
        assert two.first_kid("a", now) == "a"
    assert two.asked == (1, 1)
    # Both are due now. A set that has the key is enough: what comes after it is not asked.
    assert two.first_kid("a", START + TTL) == "a"
    assert two.asked == (2, 1)
    assert kids(two.keys, "b", START + TTL + 1) == ["b"], "the last good keys of the one that is down"
    assert two.asked == (2, 2)
    late = START + TTL + MAX_STALE + COOLDOWN
    assert refusal(two.keys, "b", late) == ErrorCode.KEYS_UNAVAILABLE
    assert two.first_kid("a", late) == "a"


def test_what_no_set_has_is_unknown_and_unavailable_if_one_could_not_be_asked() -> None:
    two = Two()
    two.keys.warm(START)
    assert refusal(two.keys, "c", START + 1) == ErrorCode.UNKNOWN_KEY
    assert two.asked == (2, 2), "each set is asked once more, as a single one is"
    assert refusal(two.keys, "c", START + 2) == ErrorCode.UNKNOWN_KEY
    assert two.asked == (2, 2)
    two.first.failure = FetchError("down")
    assert refusal(two.keys, "c", START + 2 + COOLDOWN) == ErrorCode.KEYS_UNAVAILABLE
    before = two.keys.version(START + 2 + COOLDOWN)
    two.first.failure, two.second.kids = None, ("c",)
    later = START + 2 + 2 * COOLDOWN
    assert kids(two.keys, "c", later) == ["c"]
    assert two.keys.version(later) != before, "a change of any set is one of all"


def test_a_bad_signature_is_not_known_to_be_one_while_a_set_cannot_be_asked() -> None:
    two = Two(("a",), ("a",))
    two.second.failure = FetchError("down")
    keys = iter(two.keys.candidates("ES256", "a", START))
    assert next(keys).kid == "a"
    with pytest.raises(DecisionError):
        next(keys)


def test_an_issuer_refuses_if_it_answers_4xx_for_every_set() -> None:
    two = Two()
    two.first.failure = two.second.failure = FetchError("answered 404", status=404)
    two.keys.warm(START)
    assert (two.keys.answered_4xx, two.keys.has_keys) == (True, False)
    two.second.failure = None
    two.keys.warm(START + COOLDOWN)
    assert (two.keys.answered_4xx, two.keys.has_keys) == (False, True)


# ---------------------------------------------------------------------------------------------------------------
# The scheduled copy: what it writes, what it does not, and that the authorizer reads it.


DOCUMENTS: dict[str, object] = {
    f"{ISSUER}/.well-known/openid-configuration": {"issuer": ISSUER, "jwks_uri": f"{ISSUER}/keys"},
    f"{ISSUER}/keys": key_set((KEY,)),
}


def get(url: str, session: Session) -> Response:
    assert 0 < session.left() <= TIMEOUT
    return Response(200, {}, json.dumps(DOCUMENTS[url]).encode()) if url in DOCUMENTS else Response(404, {}, b"")


def parameter() -> str:
    value: str = make_client("ssm").get_parameter(Name="/my/keys")["Parameter"]["Value"]
    return value


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize("target", ["ssm:/my/keys", "s3://bucket/my/keys.json"])
def test_what_is_written_is_what_the_authorizer_reads(tmp_path: Path, target: str) -> None:
    environment = {"JWT_ISSUER": f" {ISSUER}\n", "JWT_REFRESH_SOURCE": " ", "JWT_REFRESH_TARGET": f"{target} "}
    assert refresh(environment, now=NOW - 300, get=get)["keys"] == 1
    assert refresh(environment, now=NOW, get=get)["keys"] == 1  # this time it is there already
    fetch = key_fetcher(ISSUER, target, allow_http=False, timeout=3, package_root=tmp_path)
    keys = CachedKeySource(fetch, Ages(600, 3600, 30), lambda _metric, _detail: None)
    for seconds in (100, 600 + 3600 - 1):
        assert [key.kid for key in keys.candidates("ES256", "a", NOW + seconds)] == ["a"]
    with pytest.raises(DecisionError) as caught:  # nobody has refreshed it since
        keys.candidates("ES256", "a", NOW + 600 + 3600)
    assert caught.value.code == ErrorCode.KEYS_UNAVAILABLE
    assert "is 4200 s old: its refresher has stopped" in caught.value.detail


@pytest.mark.usefixtures("aws")
def test_only_public_members_of_keys_that_may_verify_are_written() -> None:
    leaked = KEY.public_jwk(d="private", x5c=["long"])
    answer = {"keys": [leaked, {"kty": "oct", "k": "secret"}, {"kty": ["RSA"]}, "text"], "more": 1}
    environment = {"JWT_REFRESH_SOURCE": f"{ISSUER}/keys ", "JWT_REFRESH_TARGET": "ssm:/my/keys"}
    written = refresh(environment, now=NOW + 0.9, get=lambda *_: Response(200, {}, json.dumps(answer).encode()))
    document = parameter()
    assert json.loads(document) == {"keys": [KEY.public_jwk()], "refreshed_at": 1_800_000_000}
    left_out = [f"key {number} left out: its kty is not RSA, EC, OKP or AKP" for number in (1, 2)]
    left_out += ["key 3 left out: it is not a JSON object"]
    assert written == {"keys": 1, "left_out": left_out, "bytes": len(document)}


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize(
    "broken", [Response(503, {}, b""), Response(200, {}, b'{"keys": []}'), Response(200, {}, b"<html>")], ids=str
)
def test_when_fetching_fails_the_last_copy_stays(broken: Response) -> None:
    environment = {"JWT_REFRESH_SOURCE": f"{ISSUER}/keys", "JWT_REFRESH_TARGET": "ssm:/my/keys"}
    refresh(environment, now=NOW, get=get)
    before = parameter()
    with pytest.raises(FetchError):
        refresh(environment, now=NOW + 300, get=lambda _url, _deadline: broken)
    assert parameter() == before


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize("target", ["s3://another-bucket/keys", "ssm:aws/reserved"])
def test_when_writing_fails_it_says_so(target: str) -> None:
    environment = {"JWT_ISSUER": ISSUER, "JWT_REFRESH_TARGET": target}
    with pytest.raises(FetchError, match=r"NoSuchBucket|ValidationException"):
        refresh(environment, now=NOW, get=get)


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize(
    ("environment", "problems"),
    [
        ({}, ["JWT_ISSUER", "JWT_REFRESH_TARGET"]),
        ({"JWT_ISSUER": "issuer", "JWT_REFRESH_TARGET": "ssm:/keys"}, ["JWT_ISSUER"]),
        ({"JWT_ISSUER": ISSUER, "JWT_REFRESH_TARGET": "file:keys"}, ["JWT_REFRESH_TARGET"]),
        ({"JWT_ISSUER": ISSUER, "JWT_REFRESH_TARGET": "s3://bucket"}, ["JWT_REFRESH_TARGET"]),
        ({"JWT_REFRESH_SOURCE": "ssm:/keys", "JWT_REFRESH_TARGET": "ssm:/keys"}, ["JWT_REFRESH_SOURCE"]),
        ({"JWT_REFRESH_SOURCE": "http://issuer.test/", "JWT_REFRESH_TARGET": "ssm:/keys"}, ["JWT_REFRESH_SOURCE"]),
    ],
)
def test_all_that_is_wrong_with_the_settings_is_said_at_once(environment: dict[str, str], problems: list[str]) -> None:
    with pytest.raises(SettingsError) as caught:
        refresh(environment, now=NOW, get=get)
    assert [problem.name for problem in caught.value.problems] == problems


@pytest.mark.usefixtures("aws")
def test_the_handler_reads_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JWT_REFRESH_TARGET", "file:nowhere")
    with pytest.raises(SettingsError, match="JWT_REFRESH_TARGET"):
        lambda_handler({"source": "aws.events"}, None)
