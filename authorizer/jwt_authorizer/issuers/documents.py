"""Documents in the package, Parameter Store and S3, and secrets in Parameter Store and Secrets Manager."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from jwt_authorizer.issuers import aws
from jwt_authorizer.issuers.fetched import FetchError, printable
from jwt_authorizer.issuers.session import BODY_LIMIT, Session

if TYPE_CHECKING:
    from collections.abc import Callable
    from os import PathLike
    from pathlib import Path

    from jwt_authorizer.issuers.aws import AwsClient, ClientFactory
    from jwt_authorizer.issuers.https import Get

    Read = Callable[[], bytes]
    Write = Callable[[bytes], None]

_OK = 200
_PARAMETER = re.compile(r"ssm:(?!//)([A-Za-z0-9_./:-]+)")
# A name, or an ARN, which is how a secret of another account is named.
_SECRET = re.compile(r"secretsmanager:([A-Za-z0-9/_+=.@:-]+)")
_OBJECT = re.compile(r"s3://([A-Za-z0-9][A-Za-z0-9.-]{1,61}[A-Za-z0-9])/([^\x00-\x1f\x7f]+)")


def document_reader(
    place: str,
    *,
    timeout: float,
    package_root: str | PathLike[str],
    aws_client: ClientFactory = aws.boto3_client,
    limit: int = BODY_LIMIT,
) -> Read:
    """Make the function that reads ``file:PATH``, ``ssm:NAME`` or ``s3://BUCKET/KEY``.

    It raises only :class:`FetchError`. Making it reads nothing, and raises ``ValueError`` for a location that is none
    of these or a file that is not in the package; the message says what would be right.
    ``limit``: bytes of an object that are read. ``timeout``: seconds that AWS may take; see
    :func:`jwt_authorizer.issuers.aws.boto3_client`.
    """
    if place.startswith("file:"):
        path = _package_file(place.removeprefix("file:"), package_root)
        return lambda: _read_file(path)
    if place.startswith("ssm:"):
        name, ssm = _parameter(place), _Client("ssm", timeout, aws_client)
        return lambda: aws.read_parameter(name, ssm.get())
    if place.startswith("s3:"):
        (bucket, key), s3 = s3_location(place), _Client("s3", timeout, aws_client)
        return lambda: aws.read_object(bucket, key, s3.get(), limit)
    raise ValueError("neither file:PATH, ssm:/name nor s3://bucket/key")


def secret_reader(place: str, *, timeout: float, aws_client: ClientFactory = aws.boto3_client) -> Read:
    """Make the function that reads a secret: ``ssm:NAME`` or ``secretsmanager:NAME``; as :func:`document_reader`."""
    if place.startswith("ssm:"):
        parameter, ssm = _parameter(place), _Client("ssm", timeout, aws_client)
        return lambda: aws.read_parameter(parameter, ssm.get())
    match = _SECRET.fullmatch(place)
    if match is None:
        raise ValueError("a secret is written as ssm:/its/name or secretsmanager:ITS_NAME")
    secret, manager = match[1], _Client("secretsmanager", timeout, aws_client)
    return lambda: aws.read_secret(secret, manager.get())


def url_reader(url: str, get: Get, *, timeout: float) -> Read:
    """Make the function that reads a document at an ``https://`` URL. It raises only :class:`FetchError`.

    ``timeout``: seconds for all of it.
    """

    def read() -> bytes:
        with Session(timeout) as session:
            response = get(url, session)
        if response.status != _OK:
            raise FetchError(f"{printable(url.partition('?')[0])} answered {response.status}")
        return response.body

    return read


def document_writer(place: str, *, timeout: float, aws_client: ClientFactory = aws.boto3_client) -> Write:
    """Make the function that writes ``ssm:NAME`` or ``s3://BUCKET/KEY``; as :func:`document_reader`."""
    if place.startswith("ssm:"):
        name, ssm = _parameter(place), _Client("ssm", timeout, aws_client)
        return lambda document: aws.write_parameter(name, document, ssm.get())
    if place.startswith("s3:"):
        (bucket, key), s3 = s3_location(place), _Client("s3", timeout, aws_client)
        return lambda document: aws.write_object(bucket, key, document, s3.get())
    raise ValueError("neither ssm:/name nor s3://bucket/key")


def _parameter(place: str) -> str:
    match = _PARAMETER.fullmatch(place)
    if match is None:
        raise ValueError("a parameter is written as ssm:/its/name")
    return match[1]


def s3_location(place: str) -> tuple[str, str]:
    """Return the bucket and the key of ``s3://bucket/key``. Raises ``ValueError`` for anything else."""
    match = _OBJECT.fullmatch(place)
    if match is None:
        raise ValueError("an object is written as s3://bucket/key")
    return match[1], match[2]


class _Client:
    """An AWS client, made when it is first needed and kept, because making one takes long."""

    def __init__(self, service: str, timeout: float, make: ClientFactory) -> None:
        self._arguments = (service, timeout)
        self._make = make
        self._client: AwsClient | None = None

    def get(self) -> AwsClient:
        if self._client is None:
            try:
                self._client = self._make(*self._arguments)
            except Exception as error:  # boto3 missing, or no region: nothing that a caller could tell apart
                message = f"can't make the AWS client (no region?): {type(error).__name__}: {printable(str(error))}"
                raise FetchError(message) from error
        return self._client


def _package_file(name: str, package_root: str | PathLike[str]) -> Path:
    from pathlib import Path  # noqa: PLC0415 - 2 ms that only file: settings pay

    root = Path(package_root).resolve()
    path = (root / name).resolve()
    if not path.is_relative_to(root):
        raise ValueError("the file has to be inside the package: give its path relative to the package's top")
    if not path.is_file():
        raise ValueError("there is no such file in the package")
    return path


def _read_file(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise FetchError(f"file {printable(path.name)}: {error.strerror}") from error
