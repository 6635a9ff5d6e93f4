"""Documents in Parameter Store and S3.

boto3 is imported, by name, when the first of them is read: it takes longer to import than all of this package.
Lambda's Python runtime has it, so it is not among the run-time requirements.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Protocol

from jwt_authorizer.issuers.fetched import FetchError, printable
from jwt_authorizer.issuers.session import BODY_LIMIT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import TypeAlias

    ClientFactory: TypeAlias = "Callable[[str, float], AwsClient]"


class AwsBody(Protocol):
    """The stream in which S3 hands an object over."""

    def read(self, amt: int) -> bytes:
        """Read at most ``amt`` bytes."""


class AwsClient(Protocol):
    """What is used of boto3's clients for SSM, Secrets Manager and S3; each has its own part."""

    def get_parameter(self, *, Name: str, WithDecryption: bool) -> Mapping[str, Mapping[str, str]]:  # noqa: N803 - AWS's names
        """SSM: read a parameter."""

    def get_secret_value(self, *, SecretId: str) -> Mapping[str, str]:  # noqa: N803 - AWS's names
        """Secrets Manager: read a secret."""

    def get_object(self, *, Bucket: str, Key: str) -> Mapping[str, AwsBody]:  # noqa: N803 - AWS's names
        """S3: read an object."""

    def put_parameter(self, *, Name: str, Value: str, Type: str, Tier: str, Overwrite: bool) -> object:  # noqa: N803 - AWS's names
        """SSM: write a parameter."""

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, ContentType: str) -> object:  # noqa: N803 - AWS's names
        """S3: write an object."""


def boto3_client(service: str, timeout: float) -> AwsClient:
    """Make a client that tries once, and waits no longer than ``timeout`` seconds for each step.

    Connecting and reading get half of it each. boto3 knows no deadline for a whole call.
    """
    make: Callable[..., AwsClient] = import_module("boto3").client
    return make(
        service,
        config=import_module("botocore.config").Config(
            connect_timeout=timeout / 2, read_timeout=timeout / 2, retries={"total_max_attempts": 1}
        ),
    )


def read_parameter(name: str, client: AwsClient) -> bytes:
    """Read a parameter, decrypted if it is a ``SecureString``. Raises :class:`FetchError`."""
    try:
        return client.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"].encode()
    except Exception as error:
        raise _failed(error, "ssm", name) from error


def read_secret(name: str, client: AwsClient) -> bytes:
    """Read a secret that is a text. Raises :class:`FetchError`."""
    try:
        return client.get_secret_value(SecretId=name)["SecretString"].encode()
    except Exception as error:
        raise _failed(error, "secretsmanager", name) from error


def read_object(bucket: str, key: str, client: AwsClient, limit: int = BODY_LIMIT) -> bytes:
    """Read an object of no more than ``limit`` bytes. Raises :class:`FetchError`."""
    try:
        document = client.get_object(Bucket=bucket, Key=key)["Body"].read(limit + 1)
    except Exception as error:
        raise _failed(error, "s3", bucket, key) from error
    if len(document) > limit:
        raise FetchError(f"s3://{printable(bucket)}/{printable(key)} is larger than {limit} bytes")
    return document


def write_parameter(name: str, document: bytes, client: AwsClient) -> None:
    """Write a parameter, of the advanced tier only where over 4 KB need it. Raises :class:`FetchError`."""
    try:
        client.put_parameter(
            Name=name, Value=document.decode(), Type="String", Tier="Intelligent-Tiering", Overwrite=True
        )
    except Exception as error:
        raise _failed(error, "ssm", name) from error


def write_object(bucket: str, key: str, document: bytes, client: AwsClient) -> None:
    """Write an object. Raises :class:`FetchError`."""
    try:
        client.put_object(Bucket=bucket, Key=key, Body=document, ContentType="application/json")
    except Exception as error:
        raise _failed(error, "s3", bucket, key) from error


def _failed(error: Exception, *place: str) -> FetchError:
    """AWS's errors have no base class of their own that could be named without importing botocore."""
    return FetchError(f"{printable(' '.join(place))}: {type(error).__name__}: {printable(str(error))}")
