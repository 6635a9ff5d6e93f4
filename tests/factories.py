"""What many tests need: keys, tokens, one event of each kind, a key source that answers as told, a whole function.

Nothing here decides what is right; each function has one ordinary value that a test changes where it matters.
"""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from jwt_authorizer.answers import AnswerSettings
from jwt_authorizer.authenticate import Issuer, reject_bound_tokens
from jwt_authorizer.authorize import Authorizer
from jwt_authorizer.claims import ClaimRules, Principal
from jwt_authorizer.errors import AuthorizerError, DecisionError, ErrorCode, TokenError
from jwt_authorizer.events import EventKind, Request, read_event
from jwt_authorizer.function import AuthorizerFunction
from jwt_authorizer.hooks import make_hook
from jwt_authorizer.keys import Key, KeySet, parse_key_set
from jwt_authorizer.log_line import DecisionLog
from jwt_authorizer.policies import policies_for
from jwt_authorizer.revocation import check_revocation
from jwt_authorizer.rules import compile_rules
from jwt_authorizer.strict_json import json_text
from jwt_authorizer.token_cache import TokenCache
from jwt_authorizer.tokens import TokenLocation, TokenSource
from jwt_authorizer_devkit.mint import Defect, access_claims, mint
from jwt_authorizer_devkit.signing import SigningKey, generate, key_set

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Protocol

    from jwt_authorizer.binding.bound_tokens import CheckBinding
    from jwt_authorizer.hooks import Check
    from jwt_authorizer.keys import KeySource
    from jwt_authorizer.revocation import Revoked
    from jwt_authorizer.rules import Rules

    class _Current(Protocol):
        def current(self, now: float, /) -> Revoked: ...


type Event = dict[str, Any]

NOW = 1_800_000_000.0
ISSUER = "https://issuer.example.com"
AUDIENCE = "https://api.example.com"
SCOPE = "orders:read orders:write"
ARN = "arn:aws:execute-api:eu-west-1:123456789012:abcdef123/prod/"
AUTHORIZATION = TokenSource(TokenLocation.HEADER, "Authorization")
ALGORITHMS = frozenset({"RS256", "PS256", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"})
_UNDECIDED = list(ErrorCode)[list(ErrorCode).index(ErrorCode.KEYS_UNAVAILABLE) :]


def refused(code: ErrorCode, detail: str | None = None) -> pytest.RaisesExc[AuthorizerError]:
    """Expect an error with this code, of the type that belongs to it, and this pattern in its text."""
    kind: type[AuthorizerError] = DecisionError if code in _UNDECIDED else TokenError
    return pytest.RaisesExc(kind, match=detail, check=lambda error: error.code is code)


def signing_key(alg: str = "ES256", kid: str | None = "key-1") -> SigningKey:
    """Give the key of this name: the same for a whole run of the tests, since RSA keys take long to make."""
    return _made(alg, kid)


@cache
def _made(alg: str, kid: str | None) -> SigningKey:
    return generate(alg, kid)


def token(
    more: Mapping[str, object] | None = None,
    *,
    alg: str = "ES256",
    defect: Defect | None = None,
    header: Mapping[str, object] | None = None,
) -> str:
    """Sign a token that passes, but for ``more`` claims (``None`` leaves one out), a defect or its header."""
    claims = access_claims(ISSUER, more, audience=AUDIENCE, now=NOW, scope=SCOPE)
    return mint(signing_key(alg), claims, defect=defect, header=header)


def parsed_keys(*algs: str) -> KeySet:
    """Give the public halves of the keys that :func:`token` signs with, as the authorizer reads them."""
    return parse_key_set(json.dumps(key_set(tuple(signing_key(alg) for alg in algs or ("ES256",)))))


@dataclass(slots=True)
class FakeKeys:
    """A key source that serves a set, or fails, as a test tells it, and counts what it was asked."""

    key_set: KeySet = field(default_factory=parsed_keys)
    failure: Exception | None = None
    number: int = 1
    asked: list[tuple[str, str | None, float]] = field(default_factory=list)

    def candidates(self, alg: str, kid: str | None, now: float) -> tuple[Key, ...]:
        """Answer as :class:`authorizer.keys.KeySource` promises."""
        self.asked.append((alg, kid, now))
        if self.failure is not None:
            raise self.failure
        found = self.key_set.candidates(alg, kid)
        if not found:
            raise TokenError(ErrorCode.UNKNOWN_KEY, "no such key")
        return found

    def source_of(self, key: Key) -> KeySource:
        del key
        return self

    def version(self, now: float) -> int:
        """Fail with the keys; else the number that the test set."""
        del now
        if self.failure is not None:
            raise self.failure
        return self.number


def rest_token_event(bearer: str | None, *, resource: str = "GET/orders/1") -> Event:
    event: Event = {"type": "TOKEN", "methodArn": ARN + resource}
    return event if bearer is None else event | {"authorizationToken": f"Bearer {bearer}"}


def rest_request_event(bearer: str | None, *, resource: str = "GET/orders/1") -> Event:
    headers = {"Accept": "*/*"} | ({} if bearer is None else {"Authorization": f"Bearer {bearer}"})
    return {
        "type": "REQUEST",
        "methodArn": ARN + resource,
        "resource": "/orders/{id}",
        "httpMethod": "GET",
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": {},
        "requestContext": {"requestId": "request-1", "resourcePath": "/orders/{id}", "httpMethod": "GET"},
    }


def websocket_event(bearer: str | None) -> Event:
    context = {"requestId": "request-1", "routeKey": "$connect", "connectionId": "connection-1"}
    return rest_request_event(bearer, resource="$connect") | {"requestContext": context}


def http_api_v1_event(bearer: str | None, *, resource: str = "GET/orders/1") -> Event:
    return rest_request_event(bearer, resource=resource) | {"version": "1.0", "identitySource": bearer}


def http_api_v2_event(
    bearer: str | None, *, resource: str = "GET/orders/1", route_key: str = "GET /orders/{id}", by_route: bool = False
) -> Event:
    """Give what an HTTP API sends in payload format 2.0; ``by_route``: its cache is keyed by the route as well."""
    headers = {"accept": "*/*"} | ({} if bearer is None else {"authorization": f"Bearer {bearer}"})
    return {
        "version": "2.0",
        "type": "REQUEST",
        "routeArn": ARN + resource,
        "identitySource": [f"Bearer {bearer}", *([route_key] if by_route else [])],
        "routeKey": route_key,
        "rawPath": "/orders/1",
        "headers": headers,
        "requestContext": {"requestId": "request-1", "routeKey": route_key, "stage": "prod"},
    }


EVENTS = {
    EventKind.REST_TOKEN: rest_token_event,
    EventKind.REST_REQUEST: rest_request_event,
    EventKind.WEBSOCKET: websocket_event,
    EventKind.HTTP_API_V1: http_api_v1_event,
    EventKind.HTTP_API_V2: http_api_v2_event,
}


def request(kind: EventKind = EventKind.REST_REQUEST, bearer: str | None = "token", **members: object) -> Request:
    """Read an event of this kind, with further or other members."""
    event: Event = EVENTS[kind](bearer)
    return read_event(event | deepcopy(members))


def principal(claims: Mapping[str, object] | None = None, *, required_scopes: tuple[str, ...] = ()) -> Principal:
    held = {"sub": "user-1"} if claims is None else claims
    return Principal(
        id="user-1",
        issuer=ISSUER,
        subject="user-1",
        scope=SCOPE,
        scopes=frozenset(SCOPE.split()),
        required_scopes=required_scopes,
        expires_at=int(NOW) + 300,
        not_before=NOW - 60,
        valid_until=NOW + 360,
        claims=held,
        claims_text=json_text(held),
    )


def against(revocations: _Current) -> Callable[[Principal, float], None]:
    """Check principals against a revocation list, as the function does."""
    return lambda principal, now: check_revocation(principal, revocations.current(now))


def environment(**more: str) -> dict[str, str]:
    """Give the settings of one issuer whose keys are written into them, with further or other ones."""
    keys = json.dumps(key_set((signing_key(),)))
    return {"JWT_ISSUER": ISSUER, "JWT_AUDIENCE": AUDIENCE, "JWT_JWKS": keys, **more}


def config(tables: str) -> str:
    """Give the same as a document of ``JWT_CONFIG``, with further tables."""
    keys = environment()["JWT_JWKS"]
    return f"[[issuers]]\nissuer = '{ISSUER}'\naudience = '{AUDIENCE}'\njwks = '{keys}'\n{tables}"


def authorizer(  # noqa: PLR0913 - one keyword for each part that tests vary
    keys: KeySource | None = None,
    *,
    claim_rules: ClaimRules | None = None,
    algorithms: frozenset[str] = ALGORITHMS,
    token_types: frozenset[str] = frozenset(),
    sources: tuple[TokenSource, ...] = (AUTHORIZATION,),
    cache_size: int = 10,
    rules: Rules | None = None,
    answers: AnswerSettings | None = None,
    check_binding: CheckBinding = reject_bound_tokens,
    check: Check | None = None,
) -> Authorizer:
    """Put the core together around one issuer."""
    checked = ClaimRules(audience=frozenset({AUDIENCE})) if claim_rules is None else claim_rules
    issuer = Issuer(ISSUER, algorithms, token_types, checked, keys or FakeKeys())
    decided = compile_rules(None) if rules is None else rules
    settings = answers or AnswerSettings()
    lifted = [key for key, _ in settings.context_claims]
    return Authorizer(
        issuers={ISSUER: issuer},
        token_sources=sources,
        token_cache=TokenCache(cache_size),
        rules=decided,
        policies=policies_for(decided),
        answers=settings,
        check_binding=check_binding,
        hook=None if check is None else make_hook(check, settings.cached_by, lifted, lambda: 0.0),
    )


@dataclass(slots=True)
class Watched:
    """A whole function with the lines it wrote and a clock that a test sets."""

    core: Authorizer
    now: float = NOW
    written: list[str] = field(default_factory=list)
    _function: AuthorizerFunction | None = None

    def __call__(self, event: object, context: object = None) -> dict[str, Any]:
        if self._function is None:
            log = DecisionLog(self.written.append, "tests")
            self._function = AuthorizerFunction(self.core, log, lambda: self.now)
        return self._function(event, context)

    @property
    def line(self) -> dict[str, Any]:
        line: dict[str, Any] = json.loads(self.written[-1])
        return line
