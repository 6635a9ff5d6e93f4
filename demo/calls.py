"""Call the deployed APIs as their clients would."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from demo.local_aws import HOST

if TYPE_CHECKING:
    from collections.abc import Mapping

    from demo.deployment import Outputs
    from demo.local_aws import LocalAws

STAGE = "demo"
_TIMEOUT = 30


class Api(StrEnum):
    """The APIs of ``demo/template.yaml``, by the name of the output with their id."""

    REST = "RestApiId"
    HTTP = "HttpApiId"
    WEBSOCKET = "WebSocketApiId"


@dataclass(frozen=True, slots=True)
class Answer:
    """A client's answer: the status, and after a success the backend's body."""

    status: int
    body: str

    @property
    def told(self) -> dict[str, object]:
        """The authorizer's context as the backend got it; empty if the backend did not answer."""
        try:
            document = json.loads(self.body)
        except ValueError:
            return {}
        told = document.get("authorizer") if isinstance(document, dict) else None
        if not isinstance(told, dict):
            return {}
        # In payload format 2.0 it is one level deeper.
        inner = told.get("lambda", told)
        return inner if isinstance(inner, dict) else {}

    @property
    def claims(self) -> dict[str, object]:
        """The token's claims as the backend got them: a JSON string, or an object in payload format 2.0."""
        claims = self.told.get("claims")
        if isinstance(claims, str):
            claims = json.loads(claims)
        return claims if isinstance(claims, dict) else {}


@dataclass(frozen=True, slots=True)
class Client:
    """Calls the APIs of one stack."""

    aws: LocalAws
    outputs: Outputs
    stage: str = STAGE

    def path(self, api: Api, path: str) -> str:
        """Return the local AWS's path of an API. Its host names for APIs don't resolve everywhere."""
        return f"/_aws/execute-api/{self.outputs[api]}/{self.stage}{path}"

    def url(self, api: Api, path: str) -> str:
        """Return the whole URL, for commands to try."""
        scheme = "ws" if api is Api.WEBSOCKET else "http"
        return f"{scheme}://{HOST}:{self.aws.port}{self.path(api, path)}"

    def call(self, api: Api, method: str, path: str, headers: Mapping[str, str]) -> Answer:
        """Call a REST or HTTP API."""
        connection = http.client.HTTPConnection(HOST, self.aws.port, timeout=_TIMEOUT)
        try:
            connection.request(method, self.path(api, path), headers=dict(headers))
            response = connection.getresponse()
            return Answer(response.status, response.read().decode())
        finally:
            connection.close()

    def talk(self, headers: Mapping[str, str]) -> Answer:
        """Connect to the WebSocket API and send a message. The status is that of the handshake."""
        try:
            url = self.url(Api.WEBSOCKET, "")
            with connect(url, additional_headers=dict(headers), proxy=None, open_timeout=_TIMEOUT) as socket:
                socket.send("hello")
                return Answer(http.HTTPStatus.SWITCHING_PROTOCOLS, str(socket.recv(_TIMEOUT)))
        except InvalidStatus as error:
            return Answer(error.response.status_code, (error.response.body or b"").decode())
