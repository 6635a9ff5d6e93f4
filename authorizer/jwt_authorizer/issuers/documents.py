"""Read and write documents in the package, Parameter Store and S3; read secrets, in Secrets Manager too."""

from __future__ import annotations

import os
import re
from importlib import import_module
from typing import TYPE_CHECKING

from jwt_authorizer.issuers.calls import traced
from jwt_authorizer.issuers.fetched import FetchError, printable
from jwt_authorizer.issuers.session import BODY_LIMIT

if TYPE_CHECKING:
    from collections.abc import Callable
    from os import PathLike
    from typing import Any, TypeAlias, TypeVar

    Read = Callable[[], bytes]
    Write = Callable[[bytes], object]
    T = TypeVar("T")
    AwsClient: TypeAlias = Any
    """A client of boto3, which has no types."""

_PARAMETER = r"ssm:(?!//)([A-Za-z0-9_./:-]+)"
# A name, or an ARN, which is how a secret of another account is named.
_SECRET = r"secretsmanager:([A-Za-z0-9/_+=.@:-]+)"
_OBJECT = r"s3://([A-Za-z0-9][A-Za-z0-9.-]{1,61}[A-Za-z0-9])/([^\x00-\x1f\x7f]+)"


def document_reader(
    location: str, *, timeout: float, package_root: str | PathLike[str], limit: int = BODY_LIMIT
) -> Read:
    """Make the function that reads ``file:PATH``, ``ssm:NAME`` or ``s3://BUCKET/KEY``.

    It raises only :class:`FetchError`. Making it reads nothing, and raises ``ValueError`` for a location that is none
    of these or a file that is not in the package; the message says what would be right.
    ``limit``: bytes of an object that are read. ``timeout``: seconds that AWS may take; see :func:`boto3_client`.
    """
    if location.startswith("file:"):
        path = _package_file(location.removeprefix("file:"), package_root)
        return lambda: _read_file(path)
    if location.startswith("ssm:"):
        return _parameter_reader(location, timeout)
    if location.startswith("s3:"):
        (bucket, key), s3 = s3_location(location), LazyClient("s3", timeout)
        return lambda: _read_object(s3, bucket, key, limit)
    raise ValueError("neither file:PATH, ssm:/name nor s3://bucket/key")


def document_text(document: bytes) -> str:
    """Decode a document that people write, with a byte order mark or without. Raises ``ValueError``."""
    try:
        return document.decode().removeprefix("\ufeff")
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8: save it as UTF-8") from None


def secret_reader(location: str, *, timeout: float) -> Read:
    """Make the function that reads a secret: ``ssm:NAME`` or ``secretsmanager:NAME``; as :func:`document_reader`."""
    if location.startswith("ssm:"):
        return _parameter_reader(location, timeout)
    (name,) = _parsed(_SECRET, location, "a secret is written as ssm:/its/name or secretsmanager:ITS_NAME")
    manager = LazyClient("secretsmanager", timeout)
    return lambda: manager.call(lambda client: client.get_secret_value(SecretId=name)["SecretString"], name).encode()


def document_writer(location: str, *, timeout: float) -> Write:
    """Make the function that writes ``ssm:NAME`` or ``s3://BUCKET/KEY``; as :func:`document_reader`."""
    if location.startswith("ssm:"):
        name, ssm = _parameter(location), LazyClient("ssm", timeout)
        # The advanced tier only where over 4 KB need it.
        more = {"Type": "String", "Tier": "Intelligent-Tiering", "Overwrite": True}
        return lambda document: ssm.call(lambda it: it.put_parameter(Name=name, Value=document.decode(), **more), name)
    if location.startswith("s3:"):
        (bucket, key), s3 = s3_location(location), LazyClient("s3", timeout)
        at = {"Bucket": bucket, "Key": key, "ContentType": "application/json"}
        return lambda document: s3.call(lambda it: it.put_object(Body=document, **at), bucket, key)
    raise ValueError("neither ssm:/name nor s3://bucket/key")


def s3_location(location: str) -> tuple[str, str]:
    """Return the bucket and the key of ``s3://bucket/key``. Raises ``ValueError`` for anything else."""
    bucket, key = _parsed(_OBJECT, location, "an object is written as s3://bucket/key")
    return bucket, key


def _parameter(location: str) -> str:
    return _parsed(_PARAMETER, location, "a parameter is written as ssm:/its/name")[0]


def _parsed(pattern: str, location: str, what_is_right: str) -> tuple[str, ...]:
    match = re.fullmatch(pattern, location)
    if match is None:
        raise ValueError(what_is_right)
    return match.groups()


def _parameter_reader(location: str, timeout: float) -> Read:
    """Make the function that reads a parameter, decrypted if it is a ``SecureString``."""
    name, ssm = _parameter(location), LazyClient("ssm", timeout)
    return lambda: ssm.call(
        lambda it: it.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"], name
    ).encode()


def _read_object(s3: LazyClient, bucket: str, key: str, limit: int) -> bytes:
    document: bytes = s3.call(lambda it: it.get_object(Bucket=bucket, Key=key)["Body"].read(limit + 1), bucket, key)
    if len(document) > limit:
        raise FetchError(f"s3://{printable(bucket)}/{printable(key)} is larger than {limit} bytes")
    return document


def _package_file(name: str, package_root: str | PathLike[str]) -> str:
    """Return the path of a file in the package. By os.path: importing pathlib would take 3 ms."""
    root = os.path.realpath(package_root)
    path = os.path.realpath(os.path.join(root, name))  # noqa: PTH118 - without pathlib
    if os.path.commonpath([root, path]) != root:
        raise ValueError("the file has to be inside the package: give its path relative to the package's top")
    if not os.path.isfile(path):  # noqa: PTH113 - without pathlib
        raise ValueError("there is no such file in the package")
    return path


def _read_file(path: str) -> bytes:
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - without pathlib
            return file.read()
    except OSError as error:
        raise FetchError(f"file {printable(os.path.basename(path))}: {error.strerror}") from error  # noqa: PTH119 - without pathlib


def boto3_client(service: str, timeout: float) -> AwsClient:
    """Make a client that tries once, and waits no longer than ``timeout`` seconds for each step.

    Connecting and reading get half of it each. boto3 knows no deadline for a whole call.
    """
    config = import_module("botocore.config").Config(
        connect_timeout=timeout / 2, read_timeout=timeout / 2, retries={"total_max_attempts": 1}
    )
    return import_module("boto3").client(service, config=config)


class LazyClient:
    """An AWS client that is made at its first call, since importing boto3 takes longer than all of this package.

    Lambda's Python runtime has boto3, so it is not among the run-time requirements.
    """

    def __init__(self, service: str, timeout: float) -> None:
        self._service, self._timeout = service, timeout
        self._client: AwsClient = None

    def call(self, operation: Callable[[AwsClient], T], *location: str) -> T:
        """Call an operation, and return its result. Every error becomes a :class:`FetchError` that names the location.

        AWS's errors have no base class of their own that could be named without importing botocore.
        """
        client = self._client
        if client is None:
            try:
                client = self._client = boto3_client(self._service, self._timeout)
            except Exception as error:  # boto3 missing, or no region: nothing that a caller could tell apart
                raise FetchError(f"can't make the AWS client (no region?): {described(error)}") from error
        try:
            return traced(self._service, "", lambda: operation(client))
        except Exception as error:
            raise FetchError(f"{printable(' '.join((self._service, *location)))}: {described(error)}") from error


def described(error: Exception) -> str:
    """Return an error of AWS's SDK for the log."""
    return f"{type(error).__name__}: {printable(str(error))}"
