"""Token introspection (RFC 7662): ask the issuer about an opaque token.

The token is sent in the body of a POST and nowhere else. Only an answer with ``active: true`` is accepted; its claims
are then checked as a JWT's are, and are remembered for a short time. Where the issuer's metadata says that it signs
answers (RFC 9701), a signed one is asked for, and nothing else is accepted.

An endpoint that fails, or that answers anything else, never leads to an Allow or a Deny: the client sees a 500, which
API Gateway does not cache. After a failure nothing is sent until the cooldown is over.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, NoReturn
from urllib.parse import urlencode

from jwt_authorizer.errors import AuthorizerError, DecisionError, ErrorCode, TokenError
from jwt_authorizer.issuers.fetched import FetchError, printable
from jwt_authorizer.issuers.session import Response, Session
from jwt_authorizer.keys import KeySource, check_signature
from jwt_authorizer.records import dataclass, field
from jwt_authorizer.strict_json import BadJsonError, json_object
from jwt_authorizer.tokens import BearerToken, parse, token_type

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from jwt_authorizer.issuers.client_auth import ClientAuth
    from jwt_authorizer.issuers.fetched import Report
    from jwt_authorizer.issuers.https import Post
    from jwt_authorizer.token_cache import TokenCache

    Endpoint = tuple[str, frozenset[str]]
    # Its URL, and the ``alg`` values of its signed answers; empty: it does not sign them.

INTROSPECTIONS = "Introspections"
FAILURES = "IntrospectionFailures"
SIGNED_ANSWER = "token-introspection+jwt"
"""The ``typ`` of a signed answer, and its media type behind ``application/`` (RFC 9701 section 5)."""
_TOKEN = r"[A-Za-z0-9._~+/-]+=*"
"""A bearer token (RFC 6750 section 2.1, b64token). Nothing else is sent: a firewall might answer it for the issuer."""
_NOT_ACCESS = frozenset({"refresh", "refresh_token", "id", "id_token"})
"""Types of active tokens that are not meant for APIs, as Keycloak's ``typ`` and Hydra's ``token_use`` have them."""
_OK, _UNAUTHORIZED = 200, 401
_ABOUT_THE_TOKEN = frozenset({400, 403, 413, 414, 422, 431})
"""Statuses by which a working endpoint rejects one request. A caller can cause them, so they start no cooldown."""


class UnansweredError(FetchError):
    """The endpoint rejected this one request; others may succeed."""


@dataclass(slots=True, eq=False)
class Introspector:
    """Asks one issuer about tokens, and caches its answers. ``now`` is Unix time in seconds.

    ``keys`` verify its signed answers. ``report`` is called with a metric's name and a detail that is safe to log.
    Durations are in seconds. ``answers`` remembers each from when to when it may be used.
    """

    name: str
    find_endpoint: Callable[[Session], Endpoint]
    client: ClientAuth
    post: Post
    keys: KeySource
    report: Report
    timeout: float
    cooldown: float
    cache_seconds: float
    answers: TokenCache[tuple[float, float, dict[str, object]]]
    _endpoint: Endpoint | None = field(init=False, default=None)
    _cooldown_until: float = field(init=False, default=float("-inf"))
    _problem: str = field(init=False, default="")

    def claims(self, token: BearerToken, now: float) -> Mapping[str, object]:
        """Return the claims of an active token, asking the issuer unless its answer is remembered.

        An answer without ``exp`` gets one: it expires when it is no longer remembered. Raises :class:`TokenError`
        (``malformed_token``, ``inactive_token``, ``unknown_issuer``), and :class:`DecisionError`
        (``introspection_unavailable``) if the issuer does not answer, or not as RFC 7662 says.
        """
        known = self.answers.get(token)
        if known is not None and known[0] <= now < known[1]:
            return known[2]
        if not re.fullmatch(_TOKEN, token.text):
            raise TokenError(ErrorCode.MALFORMED_TOKEN, "the token has a character that no bearer token has (RFC 6750)")
        if now < self._cooldown_until:
            raise _unavailable("nothing is sent until the cooldown is over, after this: " + self._problem)
        return self._keep(token, self._ask(token, now), now)

    def _keep(self, token: BearerToken, answer: dict[str, object], now: float) -> Mapping[str, object]:
        if answer.get("active") is not True:
            raise TokenError(ErrorCode.INACTIVE_TOKEN, "the issuer says that the token is not active")
        if "iss" in answer and answer["iss"] != self.name:
            raise TokenError(ErrorCode.UNKNOWN_ISSUER, "the issuer's answer about the token names another iss")
        types = {str(answer.get(name)).lower() for name in ("token_type", "token_use", "typ")}
        if not types.isdisjoint(_NOT_ACCESS):
            raise TokenError(ErrorCode.UNSUPPORTED_TOKEN_TYPE, "the issuer says that the token is not an access token")
        until = now + self.cache_seconds
        expires_at = answer.setdefault("exp", until)
        if isinstance(expires_at, int | float):
            until = min(until, expires_at)
        self.answers.put(token, (now, until, answer))
        return answer

    def _ask(self, token: BearerToken, now: float) -> dict[str, object]:
        """Send the request; read the secret again and retry if the issuer rejects this API's credentials."""
        self.report(INTROSPECTIONS, "asked")
        started = time.monotonic()
        try:
            with Session(self.timeout) as session:
                endpoint = self._endpoint or self.find_endpoint(session)
                response = self._post(endpoint, token, session, now, fresh=False)
                if response.status == _UNAUTHORIZED:
                    response = self._post(endpoint, token, session, now, fresh=True)
            self._endpoint = endpoint
            return self._read(response, endpoint, now)
        except FetchError as error:
            problem = printable(str(error), 1000)
            if not isinstance(error, UnansweredError):
                # From the end of the request: else a cooldown that is shorter than the timeout would be none.
                self._cooldown_until = now + (time.monotonic() - started) + self.cooldown
                self._endpoint = None  # the issuer may have moved it
                self._problem = problem
            self.report(FAILURES, problem)
            raise _unavailable(problem) from None

    def _post(self, endpoint: Endpoint, token: BearerToken, session: Session, now: float, *, fresh: bool) -> Response:
        url, signing_algorithms = endpoint
        headers, form = self.client.credentials(self.name, now, fresh=fresh)
        accepted = f"application/{SIGNED_ANSWER}" if signing_algorithms else "application/json"
        headers |= {"Accept": accepted, "Content-Type": "application/x-www-form-urlencoded"}
        body = urlencode({"token": token.text, "token_type_hint": "access_token", **form}).encode()
        return self.post(url, session, body, headers)

    def _read(self, response: Response, endpoint: Endpoint, now: float) -> dict[str, object]:
        if response.status in _ABOUT_THE_TOKEN:
            raise UnansweredError(f"the introspection endpoint answered {response.status} to this token")
        if response.status == _UNAUTHORIZED:
            _fail("rejects this API's own credentials (401): check JWT_INTROSPECTION_CLIENT_ID, _SECRET and _AUTH")
        if response.status != _OK:
            _fail(f"answered {response.status}")
        if endpoint[1]:
            return self._signed(response.body, endpoint[1], now)
        try:
            return _answer(json_object(response.body)[0])
        except BadJsonError as error:
            _fail(f"answered with JSON that is not valid: it {error}")

    def _signed(self, body: bytes, algorithms: frozenset[str], now: float) -> dict[str, object]:
        """Verify a signed answer (RFC 9701 section 5): its type, signature, issuer and audience."""
        try:
            token = parse(BearerToken(body.decode("ascii").strip()))
            if token.alg not in algorithms or token_type(token.typ or "") != SIGNED_ANSWER:
                _fail(f"did not answer with a signed JWT of type {SIGNED_ANSWER} although its metadata offers one")
            check_signature(token, self.keys.candidates(token.alg, token.kid, now))
        except (UnicodeDecodeError, AuthorizerError) as error:
            detail = error.detail if isinstance(error, AuthorizerError) else "it is not ASCII"
            _fail(f"did not answer with a good signed JWT although its metadata offers one: {detail}")
        audience = token.claims.get("aud")
        if token.claims.get("iss") != self.name:
            _fail("signed an answer whose iss is another issuer")
        if self.client.client_id not in (audience if isinstance(audience, list) else [audience]):
            _fail("signed an answer that is meant for another client (aud)")
        return _answer(token.claims.get("token_introspection"))


def _answer(value: object) -> dict[str, object]:
    """Check that an answer has the one member that RFC 7662 section 2.2 requires."""
    if not isinstance(value, dict) or not isinstance(value.get("active"), bool):
        _fail('answered without the member "active", true or false')
    return dict(value)


def _fail(message: str) -> NoReturn:
    raise FetchError(f"the introspection endpoint {message}")


def _unavailable(detail: str) -> DecisionError:
    return DecisionError(
        ErrorCode.INTROSPECTION_UNAVAILABLE, f"the issuer could not be asked about the token: {detail}"
    )
