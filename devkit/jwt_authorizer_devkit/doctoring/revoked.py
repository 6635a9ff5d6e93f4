"""Check that the function can read the revocation list, and that its issuers are those of the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jwt_authorizer.issuers.fetched import FetchError
from jwt_authorizer.issuers.https import HttpsClient
from jwt_authorizer.issuers.revocation_store import count_entries
from jwt_authorizer.revocation import BadListError, read_list
from jwt_authorizer.wiring.token_status import list_reader
from jwt_authorizer_devkit.aws_access import remedy
from jwt_authorizer_devkit.doctoring.findings import Finding, Level
from jwt_authorizer_devkit.explaining.redaction import shortened

if TYPE_CHECKING:
    from collections.abc import Iterator
    from os import PathLike

    from jwt_authorizer.settings import Settings


def examine_revocation_list(settings: Settings, package_root: str | PathLike[str]) -> Iterator[Finding]:
    """Check the list that ``JWT_REVOKED`` names, if any. ``package_root``: the folder of ``file:``."""
    about, timeout = settings.revocation, settings.keys.timeout
    if about is None:
        return
    get = HttpsClient(allow_http=settings.keys.allow_http).get
    try:
        revoked = read_list(list_reader(about.location, get, timeout=timeout, package_root=package_root)())
    except (FetchError, BadListError) as error:
        said = (
            f"The revocation list cannot be used: {shortened(str(error), 300)}. Until it can, every request gets a 500."
        )
        yield Finding(
            "revocation", Level.PROBLEM, said, remedy(str(error)) or "docs/revocation.md describes its format."
        )
        return
    said = f"The revocation list can be read: {count_entries(revoked)} entries."
    yield Finding("revocation", Level.GOOD, said)
    if any(issuer.tenants is not None for issuer in settings.issuers):
        return  # the list names the tenants' own issuers
    unknown = sorted(revoked.keys() - {issuer.issuer for issuer in settings.issuers})
    if unknown:
        said = (
            f"The revocation list has entries for {shortened(', '.join(unknown[:5]))}, which are not in the settings."
        )
        yield Finding(
            "revocation", Level.WARNING, said, "Write each issuer in the list exactly as in JWT_ISSUER, or remove it."
        )
