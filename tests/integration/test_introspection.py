"""Opaque tokens: an issuer that is asked about them over real TLS, and everything that it may do wrong."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import jwt
import pytest
from jwt.algorithms import ECAlgorithm

from jwt_authorizer.errors import DecisionError, ErrorCode
from jwt_authorizer.issuers.client_auth import ClientAuth
from jwt_authorizer.issuers.introspection import FAILURES, INTROSPECTIONS, Introspector
from jwt_authorizer.issuers.session import Session
from jwt_authorizer.issuers.sources import discover_introspection
from jwt_authorizer.token_cache import TokenCache
from jwt_authorizer.tokens import BearerToken
from jwt_authorizer_devkit.mint import Defect, mint
from tests.factories import NOW, FakeKeys, refused, signing_key
from tests.integration.certificates import Authority
from tests.integration.hostile_server import (
    DISCOVERY,
    HOST,
    ISSUER,
    PATIENT,
    Behavior,
    HostileServer,
    answer,
    answer_json,
    network_failures,
    parse_request,
)

if TYPE_CHECKING:
    from jwt_authorizer.issuers.introspection import Endpoint
    from jwt_authorizer_devkit.signing import SigningKey

PATH = "/introspect"
METADATA = {"issuer": ISSUER, "introspection_endpoint": f"{ISSUER}{PATH}"}
SIGNING = METADATA | {"introspection_signing_alg_values_supported": ["none", "HS256", "ES256"]}
ACTIVE = {"active": True, "sub": "user-1", "iss": ISSUER, "exp": NOW + 3600}
CLIENT = "api client:1"
COOLDOWN, CACHE = 30, 60
OPAQUE = BearerToken("opaque-token-1")


class Asked:
    """An issuer on this machine, and an introspector that resolves its name to here."""

    def __init__(self, server: HostileServer, authority: Authority) -> None:
        self.server = server
        self.reports: list[str] = []
        self.secrets = ["s3cret/+"]
        self.method = "client_secret_basic"
        self.keys = FakeKeys()
        self._https = authority.client(server.port)

    def introspector(self, timeout: float = PATIENT) -> Introspector:
        def find_endpoint(session: Session) -> Endpoint:
            return discover_introspection(ISSUER, self._https.get, session, allow_http=False)

        secrets = iter(self.secrets)
        return Introspector(
            name=ISSUER,
            find_endpoint=find_endpoint,
            client=ClientAuth(CLIENT, self.method, lambda: next(secrets, self.secrets[-1]).encode()),
            post=self._https.post,
            keys=self.keys,
            report=lambda metric, _: self.reports.append(metric),
            timeout=timeout,
            cooldown=COOLDOWN,
            cache_seconds=CACHE,
            answers=TokenCache(10),
        )

    @property
    def posts(self) -> list[tuple[dict[str, str], dict[str, list[str]]]]:
        """The headers and forms of what was sent to the endpoint."""
        sent = [request for request in self.server.requests if request.startswith(f"POST {PATH} ".encode())]
        return [(headers, parse_qs(body)) for headers, body in map(parse_request, sent)]


@pytest.fixture
def asked(authority: Authority) -> Iterator[Asked]:
    with HostileServer({}, authority.server_context(HOST)) as server:
        server.behaviors |= {DISCOVERY: answer_json(METADATA), PATH: answer_json(ACTIVE)}
        yield Asked(server, authority)


def refuses(
    code: ErrorCode,
    introspector: Introspector,
    token: str = OPAQUE.text,
    now: float = NOW,
    *,
    saying: str | None = None,
) -> str:
    with refused(code, saying) as raised:
        introspector.claims(BearerToken(token), now)
    return str(raised.value)


def test_an_active_token_is_asked_about_once_while_its_answer_is_remembered(asked: Asked) -> None:
    introspector = asked.introspector()
    for later in (0, 1, CACHE - 1):
        assert introspector.claims(OPAQUE, NOW + later) == ACTIVE
    assert asked.server.asked == [DISCOVERY, PATH]
    introspector.claims(OPAQUE, NOW + CACHE)
    introspector.claims(BearerToken("another"), NOW + CACHE)
    assert asked.server.asked == [DISCOVERY, PATH, PATH, PATH]
    assert asked.reports == [INTROSPECTIONS] * 3


def test_the_token_is_in_the_body_and_nowhere_else(asked: Asked) -> None:
    asked.introspector().claims(OPAQUE, NOW)
    ((headers, form),) = asked.posts
    assert form["token"] == [OPAQUE.text]
    assert form["token_type_hint"] == ["access_token"]
    assert headers["content-type"] == "application/x-www-form-urlencoded"
    assert OPAQUE.text not in json.dumps(headers)
    assert OPAQUE.text not in "".join(asked.server.asked)


@pytest.mark.parametrize(
    ("exp", "now", "asks"),
    [(NOW + 10, NOW + 9, 1), (NOW + 10, NOW + 10, 2), (None, NOW + CACHE - 1, 1), (NOW + 3600, NOW - 1, 2)],
    ids=["before exp", "at exp", "no exp", "a clock set back"],
)
def test_an_answer_is_remembered_until_its_exp_at_most(asked: Asked, exp: float | None, now: float, asks: int) -> None:
    asked.server.behaviors[PATH] = answer_json({"active": True} | ({} if exp is None else {"exp": exp}))
    introspector = asked.introspector()
    assert introspector.claims(OPAQUE, NOW)["exp"] == (NOW + CACHE if exp is None else exp)
    introspector.claims(OPAQUE, now)
    assert len(asked.posts) == asks


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({"active": False, "sub": "user-1"}, ErrorCode.INACTIVE_TOKEN),
        *((ACTIVE | {"iss": iss}, ErrorCode.UNKNOWN_ISSUER) for iss in ("https://other.test", None)),
        (ACTIVE | {"typ": "Refresh"}, ErrorCode.UNSUPPORTED_TOKEN_TYPE),
        (ACTIVE | {"token_use": "refresh_token"}, ErrorCode.UNSUPPORTED_TOKEN_TYPE),
        (ACTIVE | {"token_type": "id_token"}, ErrorCode.UNSUPPORTED_TOKEN_TYPE),
    ],
    ids=str,
)
def test_a_token_that_the_issuer_does_not_stand_by_is_refused(
    asked: Asked, document: object, reason: ErrorCode
) -> None:
    asked.server.behaviors[PATH] = answer_json(document)
    introspector = asked.introspector()
    for _ in range(2):
        refuses(reason, introspector)
    assert len(asked.posts) == 2, "only what is active is remembered"


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "a,b", "=", "line\nbreak", "\u00e9"])
def test_a_text_that_is_not_a_token_is_not_sent(asked: Asked, text: str) -> None:
    refuses(ErrorCode.MALFORMED_TOKEN, asked.introspector(), text)
    assert asked.server.asked == []


GOOD = json.dumps(ACTIVE).encode()
WRONG_SHAPES: dict[str, Behavior] = {
    "active is a string": answer_json({"active": "true"}),
    "active is 1": answer_json({"active": 1}),
    "no active": answer_json({"sub": "user-1"}),
    "a list": answer_json([ACTIVE]),
    "active twice": answer(b'{"active": false, "active": true}'),
    "a JWT that nobody asked for": answer(b"eyJhbGciOiJub25lIn0.e30."),
}


# How the client fails otherwise is in test_jwks_faults.py: one failure of each sort shows what is made of it here.
FAILURES_OF_CLIENT = ["500", "429", "reset at once", "reset within the body", "hang before the answer", "slow drip"]
FAILURES_OF_CLIENT += ["body over the limit", "not HTTP", "not JSON", "redirect to https"]


@pytest.mark.parametrize("failure", [*FAILURES_OF_CLIENT, *WRONG_SHAPES])
def test_an_endpoint_that_fails_leads_to_no_decision_and_is_left_alone_for_the_cooldown(
    asked: Asked, failure: str
) -> None:
    hangs = failure in ("hang before the answer", "slow drip")
    timeout = 2 if hangs else PATIENT
    introspector = asked.introspector(timeout)
    remembered = BearerToken("remembered")
    introspector.claims(remembered, NOW)
    with asked.server.behaving(PATH, (network_failures(GOOD) | WRONG_SHAPES)[failure]):
        for later in range(COOLDOWN):
            refuses(ErrorCode.INTROSPECTION_UNAVAILABLE, introspector, now=NOW + later)
            assert introspector.claims(remembered, NOW + later) == ACTIVE
    assert len(asked.posts) == 2, "only the first one asks, and waits"
    assert asked.reports.count(FAILURES) == 1
    if hangs:
        refuses(ErrorCode.INTROSPECTION_UNAVAILABLE, introspector, now=NOW + COOLDOWN)
        assert len(asked.posts) == 2, "the cooldown counts from the end of the question"
    assert introspector.claims(OPAQUE, NOW + COOLDOWN + timeout + 1) == ACTIVE


@pytest.mark.parametrize("status", ["400 Bad Request", "403 Forbidden", "422 Unprocessable Content"])
def test_what_a_caller_can_cause_costs_nobody_else_anything(asked: Asked, status: str) -> None:
    introspector = asked.introspector()
    with asked.server.behaving(PATH, answer(b"{}", status=status)):
        refuses(ErrorCode.INTROSPECTION_UNAVAILABLE, introspector)
    assert introspector.claims(BearerToken("another"), NOW) == ACTIVE


@pytest.mark.parametrize("metadata", [{"issuer": ISSUER}, METADATA | {"introspection_endpoint": "http://a.test/x"}])
def test_an_issuer_without_a_usable_endpoint(asked: Asked, metadata: dict[str, object]) -> None:
    asked.server.behaviors[DISCOVERY] = answer_json(metadata)
    refuses(ErrorCode.INTROSPECTION_UNAVAILABLE, asked.introspector(), saying="introspection_endpoint")


# --- This API's own credentials


def test_a_secret_is_in_the_header_or_in_the_form(asked: Asked) -> None:
    asked.introspector().claims(OPAQUE, NOW)
    asked.method = "client_secret_post"
    asked.introspector().claims(OPAQUE, NOW)
    (basic, form), (headers, posted) = asked.posts
    scheme, _, encoded = basic["authorization"].partition(" ")
    assert (scheme, base64.b64decode(encoded)) == ("Basic", b"api+client%3A1:s3cret%2F%2B"), "both are encoded"
    assert form.keys() == {"token", "token_type_hint"}
    assert "authorization" not in headers
    assert (posted["client_id"], posted["client_secret"]) == ([CLIENT], ["s3cret/+"])


def as_jwk(key: SigningKey) -> str:
    """Write a private key as a JWK with a ``kid``."""
    private: Any = key.private
    return json.dumps({**ECAlgorithm.to_jwk(private, as_dict=True), "kid": "k1"})


@pytest.mark.parametrize("alg", ["ES256", "ES384", "RS256", "EdDSA", "JWK"])
def test_an_assertion_is_signed_with_a_private_key(asked: Asked, alg: str) -> None:
    key = signing_key("ES256" if alg == "JWK" else alg)
    asked.method = "private_key_jwt"
    asked.secrets = [as_jwk(key) if alg == "JWK" else key.private_pem().decode()]
    introspector = asked.introspector()
    public: Any = key.private.public_key()
    for text in ("token-1", "token-2"):
        introspector.claims(BearerToken(text), time.time())
    sent = [form["client_assertion"][0] for _, form in asked.posts]
    assert [jwt.get_unverified_header(each).get("kid") for each in sent] == ["k1" if alg == "JWK" else None] * 2
    claims = [jwt.decode(each, public, algorithms=[key.alg], audience=ISSUER) for each in sent]
    assert [(each["iss"], each["sub"], each["exp"] - each["iat"]) for each in claims] == [(CLIENT, CLIENT, 60)] * 2
    assert claims[0]["jti"] != claims[1]["jti"]


def test_a_private_key_that_is_none_is_not_repeated(asked: Asked) -> None:
    asked.method, asked.secrets = "private_key_jwt", ["S3CR3T-no-key"]
    assert "S3CR3T" not in refuses(ErrorCode.INTROSPECTION_UNAVAILABLE, asked.introspector())


@pytest.mark.parametrize("rotated", [True, False])
def test_a_secret_that_the_issuer_rejects_is_read_again_once(asked: Asked, *, rotated: bool) -> None:
    asked.method, asked.secrets = "client_secret_post", ["old", "new\r\n"] if rotated else ["old"]

    def check(exchange: Any) -> None:  # noqa: ANN401 - an Exchange
        right = parse_qs(parse_request(exchange.request)[1])["client_secret"] == ["new"]  # as a file has it, stripped
        (answer_json(ACTIVE) if right else answer(b"{}", status="401 Unauthorized"))(exchange)

    asked.server.behaviors[PATH] = check
    introspector = asked.introspector()
    if rotated:
        assert introspector.claims(OPAQUE, NOW) == ACTIVE
    else:
        refuses(ErrorCode.INTROSPECTION_UNAVAILABLE, introspector, saying="credentials")
    assert len(asked.posts) == 2


# --- Signed answers (RFC 9701)


def signed(change: dict[str, object] | None = None, *, typ: str = "token-introspection+jwt", **more: Defect) -> bytes:
    claims = {"iss": ISSUER, "aud": CLIENT, "iat": NOW, "token_introspection": ACTIVE} | (change or {})
    return mint(signing_key(), claims, header={"typ": typ}, **more).encode()


@pytest.mark.parametrize("aud", [CLIENT, [CLIENT, "other"]])
def test_a_signed_answer_is_asked_for_where_the_issuer_offers_it(asked: Asked, aud: object) -> None:
    asked.server.behaviors |= {DISCOVERY: answer_json(SIGNING), PATH: answer(signed({"aud": aud}))}
    assert asked.introspector().claims(OPAQUE, NOW) == ACTIVE
    assert asked.posts[0][0]["accept"] == "application/token-introspection+jwt"


@pytest.mark.parametrize(
    "body",
    [
        GOOD,
        signed(typ="JWT"),
        signed({"iss": "https://other.test"}),
        *(signed({"aud": aud}) for aud in ("another client", None)),
        *(signed({"token_introspection": given}) for given in (None, {"active": "yes"})),
        *(signed(defect=defect) for defect in (Defect.FORGED, Defect.ALG_NONE)),
        "caf\u00e9".encode(),
    ],
    ids=range(10),
)
def test_an_answer_that_is_not_signed_as_it_should_be_is_no_answer(asked: Asked, body: bytes) -> None:
    asked.server.behaviors |= {DISCOVERY: answer_json(SIGNING), PATH: answer(body)}
    refuses(ErrorCode.INTROSPECTION_UNAVAILABLE, asked.introspector())


def test_keys_that_cannot_be_had_leave_a_signed_answer_unread(asked: Asked) -> None:
    asked.server.behaviors |= {DISCOVERY: answer_json(SIGNING), PATH: answer(signed())}
    asked.keys.failure = DecisionError(ErrorCode.KEYS_UNAVAILABLE, "down")
    refuses(ErrorCode.INTROSPECTION_UNAVAILABLE, asked.introspector())
