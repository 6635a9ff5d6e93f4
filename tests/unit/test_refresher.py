"""The scheduled copy: what it writes, what it does not, and that the authorizer reads it."""

from __future__ import annotations

import json
from importlib import import_module
from typing import TYPE_CHECKING

import pytest
from moto import mock_aws

from jwt_authorizer.errors import DecisionError, Reason, SettingsError
from jwt_authorizer.issuers import CachedKeySource, FetchError, key_fetcher
from jwt_authorizer.issuers.session import Response, Session
from jwt_authorizer.refresher import TIMEOUT, lambda_handler, refresh
from jwt_authorizer_devkit.signing import generate, key_set

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

make_client = import_module("boto3").client
ISSUER = "https://issuer.test"
NOW = 1_800_000_000.0
KEY = generate("ES256", "a")
DOCUMENTS: dict[str, object] = {
    f"{ISSUER}/.well-known/openid-configuration": {"issuer": ISSUER, "jwks_uri": f"{ISSUER}/keys"},
    f"{ISSUER}/keys": key_set((KEY,)),
}


def get(url: str, session: Session) -> Response:
    assert 0 < session.left() <= TIMEOUT
    return Response(200, {}, json.dumps(DOCUMENTS[url]).encode()) if url in DOCUMENTS else Response(404, {}, b"")


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    with mock_aws():
        make_client("s3").create_bucket(Bucket="bucket", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        yield


def parameter() -> str:
    value: str = make_client("ssm").get_parameter(Name="/my/keys")["Parameter"]["Value"]
    return value


@pytest.mark.parametrize("target", ["ssm:/my/keys", "s3://bucket/my/keys.json"])
def test_what_is_written_is_what_the_authorizer_reads(tmp_path: Path, target: str) -> None:
    environment = {"JWT_ISSUER": ISSUER, "JWT_REFRESH_TARGET": target}
    assert refresh(environment, now=NOW - 300, get=get)["keys"] == 1
    assert refresh(environment, now=NOW, get=get)["keys"] == 1  # this time it is there already
    fetch = key_fetcher(ISSUER, target, allow_http=False, timeout=3, package_root=tmp_path)
    keys = CachedKeySource(fetch, ttl=600, max_stale=3600, cooldown=30, report=lambda _metric, _detail: None)
    assert [key.kid for key in keys.candidates("ES256", "a", NOW + 100)] == ["a"]
    with pytest.raises(DecisionError) as caught:  # nobody has refreshed it since
        keys.candidates("ES256", "a", NOW + 600 + 3600)
    assert caught.value.code == Reason.KEYS_UNAVAILABLE
    assert "its refresher has stopped" in caught.value.detail


def test_only_public_members_of_keys_that_may_verify_are_written() -> None:
    leaked = KEY.public_jwk(d="private", x5c=["long"])
    answer = {"keys": [leaked, {"kty": "oct", "k": "secret"}, {"kty": ["RSA"]}, "text"], "more": 1}

    def leak(_url: str, _session: Session) -> Response:
        return Response(200, {}, json.dumps(answer).encode())

    environment = {"JWT_REFRESH_SOURCE": f"{ISSUER}/keys", "JWT_REFRESH_TARGET": "ssm:/my/keys"}
    written = refresh(environment, now=NOW + 0.9, get=leak)
    document = parameter()
    assert json.loads(document) == {"keys": [KEY.public_jwk()], "refreshed_at": 1_800_000_000}
    assert written == {
        "keys": 1,
        "left_out": [f"key {number} left out: {why}" for number, why in enumerate(_WHY, 1)],
        "bytes": len(document),
    }


_WHY = ["its kty is not RSA, EC, OKP or AKP", "its kty is not RSA, EC, OKP or AKP", "it is not a JSON object"]


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


@pytest.mark.parametrize("target", ["s3://another-bucket/keys", "ssm:aws/reserved"])
def test_when_writing_fails_it_says_so(target: str) -> None:
    environment = {"JWT_ISSUER": ISSUER, "JWT_REFRESH_TARGET": target}
    with pytest.raises(FetchError, match=r"NoSuchBucket|ValidationException"):
        refresh(environment, now=NOW, get=get)


@pytest.mark.parametrize(
    ("environment", "problems"),
    [
        ({}, ["JWT_ISSUER", "JWT_REFRESH_TARGET"]),
        ({"JWT_ISSUER": "issuer", "JWT_REFRESH_TARGET": "ssm:/keys"}, ["JWT_ISSUER"]),
        ({"JWT_ISSUER": ISSUER, "JWT_REFRESH_TARGET": "file:keys"}, ["JWT_REFRESH_TARGET"]),
        (
            {"JWT_REFRESH_SOURCE": "ssm:/keys", "JWT_REFRESH_TARGET": "s3://bucket"},
            ["JWT_REFRESH_SOURCE", "JWT_REFRESH_TARGET"],
        ),
        ({"JWT_REFRESH_SOURCE": "https://", "JWT_REFRESH_TARGET": "ssm:/keys"}, ["JWT_REFRESH_SOURCE"]),
        ({"JWT_REFRESH_SOURCE": "http://issuer.test/", "JWT_REFRESH_TARGET": "ssm:/keys"}, ["JWT_REFRESH_SOURCE"]),
    ],
)
def test_all_that_is_wrong_with_the_settings_is_said_at_once(environment: dict[str, str], problems: list[str]) -> None:
    with pytest.raises(SettingsError) as caught:
        refresh(environment, now=NOW, get=get)
    assert [problem.name for problem in caught.value.problems] == problems


def test_the_handler_reads_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JWT_REFRESH_TARGET", "file:nowhere")
    with pytest.raises(SettingsError, match="JWT_REFRESH_TARGET"):
        lambda_handler({"source": "aws.events"}, None)
