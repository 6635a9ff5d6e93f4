"""Write the revocation list in S3: read it, change it, and write it unless it has changed meanwhile."""

from __future__ import annotations

import json
import random
import time
from importlib import import_module
from typing import TYPE_CHECKING

from jwt_authorizer.issuers.documents import described, s3_location
from jwt_authorizer.issuers.fetched import FetchError, printable
from jwt_authorizer.revocation import IDENTIFIERS, MAX_LIST, MOMENTS, read_list

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from jwt_authorizer.issuers.documents import AwsClient
    from jwt_authorizer.revocation import Revoked

_ATTEMPTS = 60
_LONGEST_PAUSE = 0.5
_NO_SUCH_OBJECT = frozenset({"NoSuchKey", "404"})
_CHANGED_MEANWHILE = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "412", "409"})
"""S3's error codes for a conditional write that came too late (S3 user guide, "Conditional writes")."""


class RevocationStore:
    """The list in one S3 object. It never overwrites a version that it has not read."""

    def __init__(self, bucket: str, key: str, client: AwsClient, sleep: Callable[[float], None] = time.sleep) -> None:
        """Read nothing yet."""
        self._bucket = bucket
        self._key = key
        self._client = client
        self._sleep = sleep

    def change(self, change: Callable[[Revoked], None], now: float, keep: float) -> Revoked:
        """Drop expired entries, change the list and write it. Repeat this if another writer was faster.

        ``change`` alters what is revoked; it is called once for each attempt. Where nothing has changed, nothing is
        written, unless there is no list yet. ``now`` becomes the list's ``as_of``. ``keep``: seconds for which moments
        are kept. Returns what is revoked now. Raises :class:`FetchError` if S3 fails, or if the object there is not a
        revocation list: then nothing is written.
        """
        for _ in range(_ATTEMPTS):
            revoked, condition = self._read()
            before = json.dumps(revoked)
            _drop_over(revoked, now, keep)
            change(revoked)
            if "IfMatch" in condition and json.dumps(revoked) == before:
                return revoked
            document = json.dumps({"as_of": int(now), "issuers": revoked}, separators=(",", ":")).encode()
            self._check(document)
            if self._write(document, condition):
                return revoked
            self._sleep(random.random() * _LONGEST_PAUSE)  # noqa: S311 - spreads writers, keeps no secret
        raise self._failed(f"was changed by others {_ATTEMPTS} times in a row: nothing was written")

    def _check(self, document: bytes) -> None:
        """Raise :class:`FetchError` for a list that no authorizer would read: every request would be an error."""
        if len(document) > MAX_LIST:
            raise self._failed(f"would be longer than the {MAX_LIST} bytes that the authorizer reads")
        try:
            read_list(document)
        except ValueError as error:
            raise self._failed(f"would not be a revocation list any more: {printable(str(error))}") from error

    def changed_at(self) -> float:
        """Return when the list was last written, in seconds since 1970. Raises :class:`FetchError` if S3 fails."""
        try:
            about = self._client.head_object(Bucket=self._bucket, Key=self._key)
            return float(about["LastModified"].timestamp())
        except Exception as error:
            raise self._failed(f"can't be asked about: {described(error)}") from error

    def _failed(self, what: str) -> FetchError:
        return FetchError(f"s3://{printable(self._bucket)}/{printable(self._key)} {what}")

    def _read(self) -> tuple[Revoked, dict[str, str]]:
        """Return the list, and the condition under which it may be overwritten."""
        try:
            answer = self._client.get_object(Bucket=self._bucket, Key=self._key)
            document, tag = answer["Body"].read(), answer["ETag"]
        except Exception as error:
            if _code(error) in _NO_SUCH_OBJECT:
                return {}, {"IfNoneMatch": "*"}
            raise self._failed(f"can't be read: {described(error)}") from error
        try:
            return read_list(document), {"IfMatch": tag}
        except ValueError as error:
            what = f"is not a revocation list, so it is not written over: {printable(str(error))}"
            raise self._failed(what) from error

    def _write(self, document: bytes, condition: Mapping[str, str]) -> bool:
        """Write the list if the condition holds, and return whether it did."""
        try:
            self._client.put_object(
                Bucket=self._bucket, Key=self._key, Body=document, ContentType="application/json", **condition
            )
        except Exception as error:
            if _code(error) in _CHANGED_MEANWHILE:
                return False
            raise self._failed(f"can't be written: {described(error)}") from error
        return True


def add_entry(revoked: Revoked, issuer: str, kind: str, identifier: str, moment: int) -> None:
    """Add an entry. If it is on the list already, the later time stays."""
    entries = revoked.setdefault(issuer, {}).setdefault(kind, {})
    entries[identifier] = max(moment, entries.get(identifier, 0))


def _drop_over(revoked: Revoked, now: float, keep: float) -> None:
    """Drop expired entries: identifiers after their time, and revocations that are older than any valid token."""
    for entries in revoked.values():
        for kinds, over in ((IDENTIFIERS, now), (MOMENTS, now - keep)):
            for kind in kinds:
                entries[kind] = {name: moment for name, moment in entries.get(kind, {}).items() if moment > over}
                if not entries[kind]:
                    del entries[kind]
    for issuer in [issuer for issuer, entries in revoked.items() if not entries]:
        del revoked[issuer]


def count_entries(revoked: Revoked) -> int:
    """Return how many identifiers are on a list."""
    return sum(len(entries.get(kind, {})) for entries in revoked.values() for kind in (*IDENTIFIERS, *MOMENTS))


def s3_store(location: str, timeout: float) -> RevocationStore:
    """Make the store of ``s3://bucket/key``. ``timeout``: seconds for each step of a call to S3."""
    bucket, key = s3_location(location)
    config = import_module("botocore.config").Config(connect_timeout=timeout, read_timeout=timeout)
    return RevocationStore(bucket, key, import_module("boto3").client("s3", config=config))


def _code(error: Exception) -> str:
    """Return AWS's error code. Its errors have no base class that could be named without importing botocore."""
    response = getattr(error, "response", {})
    return str(response.get("Error", {}).get("Code", ""))
