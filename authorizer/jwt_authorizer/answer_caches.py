"""API Gateway's caches of authorizer answers, which nothing but an AWS call empties before their TTL is over."""

from __future__ import annotations

from importlib import import_module

from jwt_authorizer.records import dataclass


@dataclass(frozen=True, slots=True)
class Api:
    """A stage of an API whose authorizer's answers are to be forgotten; ``is_rest``: a REST API, else an HTTP API."""

    id: str
    stage: str
    is_rest: bool

    @classmethod
    def read(cls, text: str) -> Api:
        """Read ``rest:ID/STAGE`` or ``http:ID/STAGE``. Raises ``ValueError`` for anything else."""
        kind, _, rest = text.partition(":")
        id_, _, stage = rest.partition("/")
        if kind not in {"rest", "http"} or not id_ or not stage:
            raise ValueError("expected rest:ID/STAGE or http:ID/STAGE, comma-separated")
        return cls(id_, stage, kind == "rest")

    def __str__(self) -> str:
        """Return it as ``REVOKER_APIS`` has it."""
        return f"{'rest' if self.is_rest else 'http'}:{self.id}/{self.stage}"


def read_apis(text: str) -> tuple[Api, ...]:
    """Read ``REVOKER_APIS``. Raises ``ValueError`` for anything but a list of stages."""
    return tuple(Api.read(item) for item in map(str.strip, text.split(",")) if item)


def flush(api: Api) -> None:
    """Empty a stage's cache of answers: ``FlushStageAuthorizersCache``, for HTTP APIs ``ResetAuthorizersCache``."""
    if api.is_rest:
        client = import_module("boto3").client("apigateway")
        client.flush_stage_authorizers_cache(restApiId=api.id, stageName=api.stage)
    else:
        client = import_module("boto3").client("apigatewayv2")
        client.reset_authorizers_cache(ApiId=api.id, StageName=api.stage)
