"""What tests share: a folder to run commands in, a local issuer, AWS in memory; and the template, read once."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from moto import mock_aws

from jwt_authorizer_devkit.issuer import Provider, local_issuer
from tests.cloudformation import Template, read_template
from tests.unit.desk import Desk, set_up
from tests.unit.pages import ROOT

S3: Any = import_module("boto3").client("s3", "eu-west-1", aws_access_key_id="test", aws_secret_access_key="test")
"""Made once: a client takes a tenth of a second."""


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    return set_up(tmp_path, capsys)


@pytest.fixture
def issuer() -> Iterator[Provider]:
    with local_issuer(algorithms=("ES256",)) as provider:
        yield provider


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An account with a bucket."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    with mock_aws():
        S3.create_bucket(Bucket="bucket", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        yield


@pytest.fixture(scope="session")
def template() -> Template:
    return read_template(ROOT / "template.yaml")
