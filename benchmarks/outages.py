"""An issuer over TLS on this machine, and the ways in which it can fail."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING

from jwt_authorizer_devkit.signing import key_set
from tests.integration.hostile_server import NOT_FOUND, answer, answer_json, network_failures

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from benchmarks.traffic import Administrator
    from tests.integration.certificates import Authority
    from tests.integration.hostile_server import HostileServer

    type Outage = Callable[[], AbstractContextManager[object]]

DISCOVERY, JWKS, INTROSPECT = "/.well-known/openid-configuration", "/keys", "/introspect"


def serve(server: HostileServer, issuer: Administrator) -> None:
    """Serve an issuer's documents."""
    server.behaviors |= {
        DISCOVERY: answer_json({"issuer": issuer.issuer, "jwks_uri": f"{issuer.issuer}{JWKS}"}),
        JWKS: answer_json(key_set(tuple(issuer.published))),
    }


def outages(server: HostileServer, issuer: Administrator, authority: Authority) -> Iterator[Outage]:
    """Yield each kind of outage as a context manager."""
    documents = {
        DISCOVERY: {"issuer": issuer.issuer, "jwks_uri": f"{issuer.issuer}{JWKS}"},
        JWKS: key_set(tuple(issuer.published)),
    }
    own = {
        DISCOVERY: {"another issuer": answer_json({"issuer": "https://other.test", "jwks_uri": issuer.issuer})},
        JWKS: {"empty key set": answer_json({"keys": []}), "keys that are none": answer_json({"keys": {"a": 1}})},
    }
    for path, document in documents.items():
        ways = network_failures(json.dumps(document).encode()) | {"404": NOT_FOUND} | own[path]
        for behavior in ways.values():
            yield partial(server.behaving, path, behavior)
    yield from _of_the_server(server, authority)


def introspection_outages(
    server: HostileServer, metadata: dict[str, str], good: bytes, authority: Authority
) -> Iterator[tuple[bool, Outage]]:
    """Yield each kind of outage of an introspection endpoint, and whether it affects only functions that start in it.

    ``good`` is an answer about an active token. Failures of discovery affect only functions that start.
    """
    shapes = {
        "404": NOT_FOUND,
        "active is a string": answer_json({"active": "true"}),
        "active is 1": answer_json({"active": 1}),
        "no active": answer_json({"sub": "user-1"}),
        "active twice": answer(b'{"active": false, "active": true}'),
        "a JWT that was not asked for": answer(b"eyJhbGciOiJub25lIn0.e30."),
    }
    for behavior in (network_failures(good) | shapes).values():
        yield False, partial(server.behaving, INTROSPECT, behavior)
    wrong = {
        "404": NOT_FOUND,
        "another issuer": answer_json(metadata | {"issuer": "https://other.test"}),
        "no endpoint": answer_json({"issuer": metadata["issuer"]}),
        "an endpoint over http": answer_json(metadata | {"introspection_endpoint": "http://localhost/introspect"}),
    }
    for behavior in (network_failures(json.dumps(metadata).encode()) | wrong).values():
        yield True, partial(server.behaving, DISCOVERY, behavior)
    for outage in _of_the_server(server, authority):
        yield False, outage


def _of_the_server(server: HostileServer, authority: Authority) -> Iterator[Outage]:
    yield server.refusing
    yield server.silent
    yield partial(server.presenting, authority.server_context("other.test"))
    yield partial(server.presenting, authority.server_context("localhost", expired=True))
