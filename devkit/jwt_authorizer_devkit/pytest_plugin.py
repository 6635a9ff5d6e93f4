"""Fixtures for tests of your API: an issuer, tokens, events, and the function itself.

pytest finds them if ``jwt-authorizer[devkit]`` is installed; ``docs/testing.md`` shows how to use them.
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
"""The default ``aud`` of tokens, which the function accepts by default."""


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
        """Sign a token. ``claims`` are further claims, or other values; ``None`` leaves one out."""


class EventFactory(Protocol):
    """Makes events of one kind."""

    def __call__(self, token: str | None, request: str = "GET /", **members: object) -> dict[str, object]:
        """Make an event for a request such as ``"GET /orders/1"``. ``members`` are further members, or other values."""


class AuthorizerFactory(Protocol):
    """Makes the function with given settings, as it would be deployed."""

    def __call__(
        self, config: str | Path | None = None, *, clock: Callable[[], float] = time.time, **settings: object
    ) -> AuthorizerFunction:
        """Make the function.

        Args:
            config: The TOML document of ``JWT_CONFIG``: its file, or the document itself. Its issuers get the keys of
                the local issuer. Without issuers, the local issuer is added.
            clock: Returns seconds since 1970. Set another one to age keys and tokens.
            settings: Settings by their names in the document, such as ``cached_by="route"``.

        Raises:
            jwt_authorizer.errors.SettingsError: The function would not start with these settings.

        """


def allows(answer: Mapping[str, object], event: Mapping[str, object]) -> bool:
    """Return whether an answer allows the request of an event, which may be another event than the one answered.

    API Gateway caches answers, so a policy is for many routes. It is evaluated as IAM does: an Allow has to match the
    request, and no Deny may.
    """
    from jwt_authorizer_devkit.explaining.routes import permits  # noqa: PLC0415 - costs nothing if it is not used

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
        # Powertools' logger stays with the first stream that it gets; that of a test is closed when the test ends.
        with contextlib.redirect_stdout(sys.__stdout__):
            return create_function(
                {"JWT_CONFIG": toml_text.document(document)},
                write=_write,
                clock=clock,
                package_root=folder,
            )

    return make


def _write(line: str) -> None:
    """Write to the current standard output: pytest replaces it for each test."""
    sys.stdout.write(line)


def _with_local_keys(document: dict[str, object], issuer: Provider) -> dict[str, object]:
    """Give all issuers the keys of the local issuer; add that one if there are none."""
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
    """Make a client with its own DPoP key, for bound tokens (RFC 9449).

    ``signed_token({"cnf": dpop_client.cnf})`` is bound to it, and ``dpop_client.sent(event, token, url)`` is the event
    of a request with a proof.
    """
    from jwt_authorizer_devkit.proofs import DpopClient  # noqa: PLC0415 - only for tests that use it

    return DpopClient()


@pytest.fixture
def rest_token_event() -> EventFactory:
    """Make events that a REST API sends to a ``TOKEN`` authorizer."""
    return _events_of("rest-token")


@pytest.fixture
def rest_request_event() -> EventFactory:
    """Make events that a REST API sends to a ``REQUEST`` authorizer."""
    return _events_of("rest")


@pytest.fixture
def websocket_event() -> EventFactory:
    """Make events that a WebSocket API sends for ``$connect``; the argument ``request`` is ignored."""
    return _events_of("websocket")


@pytest.fixture
def http_api_v1_event() -> EventFactory:
    """Make events that an HTTP API sends in payload format 1.0."""
    return _events_of("http-1.0")


@pytest.fixture
def http_api_v2_event() -> EventFactory:
    """Make events that an HTTP API sends in payload format 2.0, with its cache keyed by the route as well."""
    return _events_of("http")


@pytest.fixture
def appsync_event() -> EventFactory:
    """Make events that AppSync sends; the argument ``request`` is ignored. ``allows`` does not report denied fields."""
    return _events_of("appsync")
