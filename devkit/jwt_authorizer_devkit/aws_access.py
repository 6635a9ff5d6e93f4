"""AWS as the tools reach it: with boto3, by the variables that AWS's other tools read."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import MutableMapping

_REMEDIES = {
    "NoRegionError": "Set AWS_REGION.",
    "NoCredentialsError": "Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
    "ProfileNotFound": "Set AWS_PROFILE to one that `aws configure list-profiles` names.",
}


def name_region(environment: MutableMapping[str, str]) -> None:
    """Let ``AWS_REGION`` count for boto3 too.

    It reads ``AWS_DEFAULT_REGION`` alone; AWS's other SDKs and its CLI read ``AWS_REGION`` before that (AWS SDKs and
    Tools Reference Guide, "AWS Region").
    """
    region = environment.get("AWS_REGION")
    if region:
        environment["AWS_DEFAULT_REGION"] = region


def remedy(problem: str) -> str | None:
    """Return what to set, where a problem's text names what boto3 lacks."""
    return next((said for name, said in _REMEDIES.items() if name in problem), None)
