"""Fixtures for the tests of those who use the authorizer: an issuer, tokens, events, and the function itself.

pytest finds them by itself where ``jwt-authorizer[devkit]`` is installed; ``docs/testing.md`` shows how to use them.
"""

from __future__ import annotations

import contextlib
import sys
import time
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from jwt_authorizer.function import AuthorizerFunction
    from jwt_authorizer_devkit.issuer import Provider
    from jwt_authorizer_devkit.proofs import DpopClient

__all__ = ["AuthorizerFactory", "EventFactory", "TokenFactory", "allows"]
AUDIENCE = "https://api.example.com"
"""The ``aud`` of tokens, and what the function accepts, unless a test says otherwise."""


class TokenFactory(Protocol):
    """Signs tokens: see :meth:`jwt_authorizer_devkit.issuer.Provider.token` for further options."""

    def __call__(  # noqa: PLR0913 - one keyword for each thing that a test may want to be different
        self,
        claims: Mapping[str, object] | None = None,
        *,
        scope: str | None = None,
        subject: str = "user-1",
        audience: str | list[str] | None = AUDIENCE,
        lifetime: float = 300,
        defect: str | None = None,
    ) -> str:
        """Sign one; ``claims`` are further ones, or others than usual, ``None`` leaving one out."""


class EventFactory(Protocol):
    """Makes events of one kind."""

    def __call__(self, token: str | None, request: str = "GET /", **members: object) -> dict[str, object]:
        """Make one for a request such as ``"GET /orders/1"``; ``members`` are further ones of the event, or others."""


class AuthorizerFactory(Protocol):
    """Makes the function of settings, as it would be deployed with them."""

    def __call__(
        self, config: str | Path | None = None, *, clock: Callable[[], float] = time.time, **settings: object
    ) -> AuthorizerFunction:
        """Make one.

        Args:
            config: The TOML document of ``JWT_CONFIG``: its file, or its text. Its issuers stay what they are, but
                their keys are the local issuer's; without any, there is the local issuer.
            clock: Unix seconds; another one ages keys and tokens.
            settings: Settings by their names in the document, such as ``cached_by="route"``.

        Raises:
            authorizer.errors.SettingsError: The function would not start with these settings.

        """


def allows(answer: Mapping[str, object], event: Mapping[str, object]) -> bool:
    """Return whether an answer lets in the request of an event, or of another one while API Gateway keeps a copy.

    A policy speaks of many routes: evaluated as IAM does, some Allow has to cover the request, and no Deny.
    """
    from jwt_authorizer_devkit.explaining.routes import permits  # noqa: PLC0415 - sessions that use none of it pay nothing

    if "isAuthorized" in answer:
        return answer["isAuthorized"] is True
    return permits(answer, str(event.get("routeArn") or event.get("methodArn")))


@pytest.fixture(scope="session")
def jwt_authorizer_issuer() -> Iterator[Provider]:
    """Run a local issuer for the whole session; see :class:`~jwt_authorizer_devkit.issuer.Provider`."""
    from jwt_authorizer_devkit.issuer import local_issuer  # noqa: PLC0415 - only for tests that use it

    with local_issuer(algorithms=("RS256", "ES256")) as provider:
        yield provider


@pytest.fixture
def signed_token(jwt_authorizer_issuer: Provider) -> TokenFactory:
    """Sign tokens of the local issuer: ``signed_token(scope="orders:read")``."""
    return jwt_authorizer_issuer.token


@pytest.fixture
def jwt_authorizer(jwt_authorizer_issuer: Provider) -> AuthorizerFactory:
    """Make the function: ``jwt_authorizer(Path("authorizer.toml"))``, ``jwt_authorizer(cached_by="route")``."""

    def make(
        config: str | Path | None = None, *, clock: Callable[[], float] = time.time, **settings: object
    ) -> AuthorizerFunction:
        from jwt_authorizer.function import create_function  # noqa: PLC0415 - only for tests that use it
        from jwt_authorizer_devkit import toml_text  # noqa: PLC0415 - only for tests that use it

        text = config.read_text("utf-8") if isinstance(config, Path) else config or ""
        folder = config.resolve().parent if isinstance(config, Path) else Path.cwd()
        document = _with_local_keys(tomllib.loads(text) | settings, jwt_authorizer_issuer)
        # Powertools' logger keeps the stream that it meets first; a test's own is closed when the test ends.
        with contextlib.redirect_stdout(sys.__stdout__):
            return create_function(
                {"JWT_CONFIG": toml_text.document(document)},
                write=_write,
                clock=clock,
                package_root=folder,
            )

    return make


def _write(line: str) -> None:
    """Write to what is standard output by now: pytest changes it from test to test."""
    sys.stdout.write(line)


def _with_local_keys(document: dict[str, object], issuer: Provider) -> dict[str, object]:
    """Have all issuers' keys come from the local one; name that one where there is none."""
    local: dict[str, object] = {"issuer": issuer.url}
    if not {"audience", "client_id"} & document.keys():
        local["audience"] = AUDIENCE
    tables = document.get("issuers", [local])
    if isinstance(tables, list):
        tables = [table | {"jwks": issuer.jwks_url} if isinstance(table, dict) else table for table in tables]
    return document | {"issuers": tables, "allow_http": True}


def _events_of(kind: str) -> EventFactory:
    def make(token: str | None, request: str = "GET /", **members: object) -> dict[str, object]:
        from jwt_authorizer.tokens import TokenLocation, TokenSource  # noqa: PLC0415 - only for tests that use it
        from jwt_authorizer_devkit.explaining.events import ApiKind, event_for  # noqa: PLC0415 - only for tests that use it

        method, _, path = request.partition(" ")
        if not path.startswith("/"):
            raise ValueError(f'{request!r} is not a request: write it like "GET /orders/1"')
        authorization = TokenSource(TokenLocation.HEADER, "Authorization")
        event = event_for(token or "", authorization, ApiKind(kind), method, path)
        if token is None:
            event.pop("authorizationToken", None)
            event |= {"headers": {"accept": "*/*"}} if "headers" in event else {}
            if "identitySource" in event:
                event["identitySource"] = None
        return event | members

    return make


@pytest.fixture
def dpop_client() -> DpopClient:
    """Make a client with a DPoP key of its own, for bound tokens (RFC 9449).

    ``signed_token({"cnf": dpop_client.cnf})`` is bound to it, and ``dpop_client.sent(event, token, url)`` is the event
    of a request with a proof.
    """
    from jwt_authorizer_devkit.proofs import DpopClient  # noqa: PLC0415 - only for tests that use it

    return DpopClient()


@pytest.fixture
def rest_token_event() -> EventFactory:
    """Make what a REST API sends to a ``TOKEN`` authorizer."""
    return _events_of("rest-token")


@pytest.fixture
def rest_request_event() -> EventFactory:
    """Make what a REST API sends to a ``REQUEST`` authorizer."""
    return _events_of("rest")


@pytest.fixture
def websocket_event() -> EventFactory:
    """Make what a WebSocket API sends for ``$connect``; the request is not looked at."""
    return _events_of("websocket")


@pytest.fixture
def http_api_v1_event() -> EventFactory:
    """Make what an HTTP API sends in payload format 1.0."""
    return _events_of("http-1.0")


@pytest.fixture
def http_api_v2_event() -> EventFactory:
    """Make what an HTTP API sends in payload format 2.0, its cache keyed by the route as well."""
    return _events_of("http")


@pytest.fixture
def appsync_event() -> EventFactory:
    """Make what AppSync sends; the request is not looked at. ``allows`` does not tell of the fields denied."""
    return _events_of("appsync")
