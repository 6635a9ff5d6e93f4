"""API Gateway's caches of authorizer answers, which nothing but an AWS call empties before their TTL is over.

A stage of an API is written as ``REVOKER_APIS`` has it: ``rest:ID/STAGE`` or ``http:ID/STAGE``.
"""

from __future__ import annotations

import re
from importlib import import_module


def read_apis(text: str) -> tuple[str, ...]:
    """Read ``REVOKER_APIS``. Raises ``ValueError`` for anything but a list of stages."""
    apis = tuple(item for item in map(str.strip, text.split(",")) if item)
    if not all(re.fullmatch("(?:rest|http):[^/]+/.+", api) for api in apis):
        raise ValueError("expected rest:ID/STAGE or http:ID/STAGE, comma-separated")
    return apis


def flush(api: str) -> None:
    """Empty a stage's cache of answers: ``FlushStageAuthorizersCache``, for HTTP APIs ``ResetAuthorizersCache``."""
    kind, _, path = api.partition(":")
    id_, _, stage = path.partition("/")
    if kind == "rest":
        client = import_module("boto3").client("apigateway")
        client.flush_stage_authorizers_cache(restApiId=id_, stageName=stage)
    else:
        client = import_module("boto3").client("apigatewayv2")
        client.reset_authorizers_cache(ApiId=id_, StageName=stage)
