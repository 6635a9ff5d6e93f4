"""Calling an API with a token, and reading what the authorizer wrote down about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from demo.calls import Api
    from demo.stack import Deployed


def ask(deployed: Deployed, api: Api, token: str, path: str = "/orders") -> tuple[int, list[object]]:
    """Give the status, and the authorizer's decisions: none where API Gateway had an answer in its cache."""
    deployed.log.new()
    answer = deployed.client.call(api, "GET", path, {"Authorization": f"Bearer {token}"})
    return answer.status, [line.get("reason") or line["decision"] for line in deployed.log.new()]
