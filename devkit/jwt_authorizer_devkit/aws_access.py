"""AWS clients for the tools: boto3, configured by the same variables as AWS's other tools."""

from __future__ import annotations

import contextlib
import functools
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, MutableMapping

    Clients = Callable[[str], Any]

_REMEDIES = {
    "NoRegionError": "Set AWS_REGION.",
    "NoCredentialsError": "Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
    "ProfileNotFound": "Set AWS_PROFILE to one that `aws configure list-profiles` names.",
}


class OutOfReachError(Exception):
    """AWS did not answer. The message says why, and how to fix it."""


class NotThereError(Exception):
    """The stack, API or function does not exist. The message says where it was searched."""


def aws_clients(read_timeout: float = 60) -> Clients:
    """Return a function that makes the boto3 client of a service. boto3 reads AWS_PROFILE and AWS_ENDPOINT_URL.

    ``read_timeout``: seconds to wait for an answer.
    """
    import boto3  # type: ignore[import-untyped]  # noqa: PLC0415 - it takes a second, so only when needed
    from botocore.config import Config  # type: ignore[import-untyped]  # noqa: PLC0415 - only when needed

    # Created on first use, so that a missing profile is reported as an error of that call.
    session, config = functools.cache(boto3.Session), Config(read_timeout=read_timeout)
    return functools.cache(lambda service: session().client(service, config=config))


def out_of_reach(error: Exception) -> OutOfReachError:
    """Convert an error of boto3's."""
    fix = remedy(type(error).__name__)
    return OutOfReachError(f"AWS did not answer: {str(error).rstrip('.')}.{f' {fix}' if fix else ''}")


@contextlib.contextmanager
def about_stack(stack: str) -> Iterator[None]:
    """Raise AWS's errors about a stack as :class:`NotThereError` or :class:`OutOfReachError`."""
    try:
        yield
    except Exception as error:
        if "does not exist" in str(error):
            message = f"There is no stack {stack} here. `aws cloudformation list-stacks` lists those of this region."
            raise NotThereError(message) from error
        raise out_of_reach(error) from error


def variables_of(function: str, clients: Clients) -> dict[str, str]:
    """Return a function's environment variables. Raises boto3's errors."""
    described = clients("lambda").get_function_configuration(FunctionName=function)
    return dict(described.get("Environment", {}).get("Variables", {}))


def name_region(environment: MutableMapping[str, str]) -> None:
    """Make boto3 use ``AWS_REGION``.

    boto3 reads only ``AWS_DEFAULT_REGION``; AWS's other SDKs and its CLI prefer ``AWS_REGION`` (AWS SDKs and Tools
    Reference Guide, "AWS Region").
    """
    region = environment.get("AWS_REGION")
    if region:
        environment["AWS_DEFAULT_REGION"] = region


def remedy(problem: str) -> str | None:
    """Return what to set, if an error message names what boto3 lacks."""
    return next((said for name, said in _REMEDIES.items() if name in problem), None)
