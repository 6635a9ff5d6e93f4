"""The revocation list in force: where it is read from, and how that is counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jwt_authorizer.errors import Reason
from jwt_authorizer.issuers.documents import document_reader, url_reader
from jwt_authorizer.issuers.kept import Kept, Kind, parsed
from jwt_authorizer.revocation import Revoked, read_list

if TYPE_CHECKING:
    from os import PathLike

    from jwt_authorizer.issuers.documents import Read
    from jwt_authorizer.issuers.fetched import Report
    from jwt_authorizer.issuers.https import Get
    from jwt_authorizer.issuers.kept import Ages

READS = "RevocationListReads"
READ_FAILURES = "RevocationListFailures"
_LIST = Kind(
    Reason.REVOCATION_UNAVAILABLE,
    "the revocation list can't be read, and none recent enough is known",
    READS,
    READ_FAILURES,
)
MAX_LIST = 8 * 1024 * 1024
"""Bytes of a list: some 180,000 entries with identifiers of 32 characters."""


def list_reader(location: str, get: Get, *, timeout: float, package_root: str | PathLike[str]) -> Read:
    """Make the function that reads the list of ``JWT_REVOKED``, as :func:`document_reader` does."""
    if location.startswith(("https:", "http:")):
        return url_reader(location, get, timeout=timeout)
    return document_reader(location, timeout=timeout, package_root=package_root, limit=MAX_LIST)


def revocation_list(read: Read, ages: Ages, report: Report) -> Kept[dict[str, Revoked]]:
    """Keep the list, by issuer. ``report`` is called with a metric's name and a detail that is safe to log."""
    return Kept(parsed(read, read_list), ages, report, _LIST)
