"""The demo's attempts, and their expected results."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import TYPE_CHECKING

from demo.calls import Answer, Api, Client

if TYPE_CHECKING:
    from collections.abc import Iterator

    from demo.decisions import DecisionLog, Line
    from jwt_authorizer_devkit.issuer import Provider

AUDIENCE = "https://api.example.com"
SCOPE = "orders:read"
SUBJECT = "alice"
EMAIL = "alice@example.com"


def authorizer_parameters(issuer: str) -> dict[str, str]:
    """Return the parameters of ``template.yaml`` that the scenarios need."""
    return {"JwtConfig": _CONFIG.format(issuer=issuer, audience=AUDIENCE), "JwtAllowHttp": "true"}


_CONFIG = """\
[[issuers]]
issuer = "{issuer}"
audience = ["{audience}"]

[context]
email = "email"

[[routes]]
method = "GET"
path = "/orders"
scopes = ["orders:read"]

[[routes]]
method = "GET"
path = "/orders/{{id}}"
scopes = ["orders:read"]

[[routes]]
method = "DELETE"
path = "/orders/{{id}}"
scopes = ["orders:write"]

[[routes]]
method = "GET"
path = "/v1/orders"
scopes = ["orders:read"]

[[routes]]
path = "$connect"
scopes = ["orders:read"]
"""


class By(StrEnum):
    """Who decided."""

    FUNCTION = "function"
    GATEWAY = "API Gateway"
    """By itself, without invoking the function: the identity source is missing."""
    CACHE = "cached policy"
    """API Gateway, with an earlier answer of the function."""
    NOBODY = "nothing"
    """The function failed before it could write a log line: it did not start, or its settings are invalid."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One call. ``token`` names one of :func:`tokens`."""

    api: Api
    token: str
    status: int
    reason: str | None = None
    by: By = By.FUNCTION
    method: str = "GET"
    path: str = "/orders"
    note: str | None = None
    """If the local AWS answers differently: what AWS would do."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of an attempt."""

    attempt: Attempt
    answer: Answer
    line: Line | None
    """The function's log line about it; ``None`` if it was not invoked."""

    @property
    def by(self) -> By:
        """Who decided, as far as it is visible from outside."""
        if self.line is not None:
            return By.FUNCTION
        if self.answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return By.NOBODY
        return By.GATEWAY if self.attempt.token == NO_TOKEN else By.CACHE

    @property
    def reason(self) -> str | None:
        """The error code in the function's log."""
        found = None if self.line is None else self.line.get("reason")
        return None if found is None else str(found)

    @property
    def problems(self) -> tuple[str, ...]:
        """What is not as expected."""
        attempt = self.attempt
        wrong = [
            f"{what} is {got!r}, expected {wanted!r}"
            for what, got, wanted in (
                ("status", self.answer.status, attempt.status),
                ("reason", self.reason, attempt.reason),
                ("decided by", self.by.value, attempt.by.value),
            )
            if got != wanted
        ]
        if attempt.status in _SUCCESSES and not wrong:
            told = self.answer.told
            seen = (told.get("sub"), told.get("email"), self.answer.claims.get("email"), told.get("scope"))
            if seen != (SUBJECT, EMAIL, EMAIL, SCOPE):
                wrong.append(f"the backend got {told}")
        return tuple(wrong)


_SUCCESSES = (200, 101)
NO_TOKEN = "no token"
GOOD, EXPIRED, WRONG_AUDIENCE, FORGED, WRONG_SCOPE = "good", "expired", "wrong audience", "forged", "wrong scope"

_WEBSOCKET_NOTE = "AWS answers 401 here: the function raises Unauthorized. The local AWS does so for REST APIs only."
_BAD = ((EXPIRED, "token_expired"), (WRONG_AUDIENCE, "invalid_audience"), (FORGED, "bad_signature"))


def tokens(issuer: Provider) -> dict[str, str | None]:
    """Mint a token for each case."""

    def token(defect: str | None = None, scope: str = SCOPE) -> str:
        claims = {"email": EMAIL, "groups": ["staff"]}
        return issuer.token(claims, audience=AUDIENCE, subject=SUBJECT, scope=scope, lifetime=3600, defect=defect)

    return {
        NO_TOKEN: None,
        GOOD: token(),
        EXPIRED: token("expired"),
        WRONG_AUDIENCE: token("wrong-audience"),
        FORGED: token("forged"),
        WRONG_SCOPE: token(scope="profile"),
    }


def attempts() -> Iterator[Attempt]:
    """Yield the attempts in order. Some depend on policies that earlier ones left in the cache."""
    yield from _rest()
    yield from _http()
    yield from _websocket()


def _rest() -> Iterator[Attempt]:
    api = Api.REST
    yield Attempt(api, NO_TOKEN, 401, by=By.GATEWAY)
    yield Attempt(api, GOOD, 200)
    # The cached policy of the first call allows a second path and denies a third, without the function.
    yield Attempt(api, GOOD, 200, by=By.CACHE, path="/orders/7")
    yield Attempt(api, GOOD, 403, by=By.CACHE, path="/orders/7", method="DELETE")
    for token, reason in _BAD:
        yield Attempt(api, token, 401, reason)
    yield Attempt(api, WRONG_SCOPE, 403, "insufficient_scope")


def _http() -> Iterator[Attempt]:
    api = Api.HTTP
    yield Attempt(api, NO_TOKEN, 401, by=By.GATEWAY)
    yield Attempt(api, GOOD, 200)
    # The demo's HTTP API has the route as an identity source, so the function is invoked for the second path.
    yield Attempt(api, GOOD, 200, path="/orders/7")
    yield Attempt(api, GOOD, 403, "insufficient_scope", path="/orders/7", method="DELETE")
    for token, reason in _BAD:
        yield Attempt(api, token, 403, reason)
    yield Attempt(api, WRONG_SCOPE, 403, "insufficient_scope")


def _websocket() -> Iterator[Attempt]:
    api = Api.WEBSOCKET
    yield Attempt(api, NO_TOKEN, 401, by=By.GATEWAY, path="")
    yield Attempt(api, GOOD, 101, path="")
    for token, reason in _BAD:
        yield Attempt(api, token, 500, reason, path="", note=_WEBSOCKET_NOTE)
    yield Attempt(api, WRONG_SCOPE, 403, "insufficient_scope", path="")


def attempt(what: Attempt, token: str | None, client: Client, log: DecisionLog) -> Outcome:
    """Make one attempt, and find the function's log line about it."""
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    log.new()  # skip the lines of earlier attempts
    if what.api is Api.WEBSOCKET:
        answer = client.talk(headers)
    else:
        answer = client.call(what.api, what.method, what.path, headers)
    lines = log.new()
    return Outcome(what, answer, lines[-1] if lines else None)
