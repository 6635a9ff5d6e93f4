"""AWS's clients for Parameter Store, Secrets Manager and S3.

boto3 is imported, by name, when the first of them is needed: it takes longer to import than all of this package.
Lambda's Python runtime has it, so it is not among the run-time requirements.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Protocol

from jwt_authorizer.issuers.calls import traced
from jwt_authorizer.issuers.fetched import FetchError, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, TypeAlias, TypeVar

    T = TypeVar("T")
    ClientFactory: TypeAlias = "Callable[[str, float], AwsClient]"


class S3Client(Protocol):
    """What is used of boto3's client for S3."""

    def get_object(self, *, Bucket: str, Key: str) -> Mapping[str, Any]:  # noqa: N803 - AWS's names
        """Read an object."""

    def head_object(self, *, Bucket: str, Key: str) -> Mapping[str, Any]:  # noqa: N803 - AWS's names
        """Read what is known about an object."""

    def put_object(self, **arguments: object) -> object:
        """Write an object."""


class AwsClient(S3Client, Protocol):
    """What is used of boto3's clients for SSM, Secrets Manager and S3; each has its own part."""

    def get_parameter(self, *, Name: str, WithDecryption: bool) -> Mapping[str, Mapping[str, str]]:  # noqa: N803 - AWS's names
        """SSM: read a parameter."""

    def put_parameter(self, **arguments: object) -> object:
        """SSM: write a parameter."""

    def get_secret_value(self, *, SecretId: str) -> Mapping[str, str]:  # noqa: N803 - AWS's names
        """Secrets Manager: read a secret."""


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


class LazyClient:
    """An AWS client, made when it is first needed and kept, because making one takes long."""

    def __init__(self, service: str, timeout: float, make: ClientFactory) -> None:
        self._service, self._timeout, self._make = service, timeout, make
        self._client: AwsClient | None = None

    def call(self, operation: Callable[[AwsClient], T], *location: str) -> T:
        """Return what an operation at a location returns. Whatever it raises becomes a :class:`FetchError`.

        AWS's errors have no base class of their own that could be named without importing botocore.
        """
        client = self._client
        if client is None:
            try:
                client = self._client = self._make(self._service, self._timeout)
            except Exception as error:  # boto3 missing, or no region: nothing that a caller could tell apart
                raise FetchError(f"can't make the AWS client (no region?): {described(error)}") from error
        try:
            return traced(self._service, "", lambda: operation(client))
        except Exception as error:
            raise FetchError(f"{printable(' '.join((self._service, *location)))}: {described(error)}") from error


def described(error: Exception) -> str:
    """Return an error of AWS's SDK for the log."""
    return f"{type(error).__name__}: {printable(str(error))}"
