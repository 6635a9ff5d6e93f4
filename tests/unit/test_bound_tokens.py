"""Bound tokens through the whole function: what is refused, in which order, and when a proof counts as used."""

import base64
import hashlib
import ssl
from collections.abc import Callable, Mapping
from functools import cache

import pytest
import trustme

from jwt_authorizer.answers import AnswerSettings, CachedBy
from jwt_authorizer.authenticate import ignore_binding
from jwt_authorizer.authorize import Authorizer
from jwt_authorizer.binding.bound_tokens import Binding, BindingSettings, binding_checker, check_binding
from jwt_authorizer.binding.dpop import DpopSettings
from jwt_authorizer.binding.replay import MemoryReplayStore, ReplayStore
from jwt_authorizer.errors import AuthorizerError, ErrorCode
from jwt_authorizer.events import EventKind, read_event
from jwt_authorizer.function import AuthorizerFunction
from jwt_authorizer.rules import Route, Rules, compile_rules
from jwt_authorizer.tokens import BearerToken, Scheme
from jwt_authorizer_devkit.proofs import make_proof, thumbprint
from jwt_authorizer_devkit.signing import base64url
from tests.factories import (
    ALGORITHMS,
    EVENTS,
    NOW,
    Event,
    Watched,
    authorizer,
    environment,
    refused,
    rest_request_event,
    signing_key,
    token,
)
from tests.security.lab import bare_lab

HOST = "api.example.com"
CLIENT = signing_key("ES256", "client")
DPOP_BOUND = token({"cnf": {"jkt": thumbprint(CLIENT)}})
CERTIFICATE_BOUND = token({"cnf": {"x5t#S256": "A" * 43}})


def core(store: ReplayStore | None = None, *, required: bool = False, rules: Rules | None = None) -> Authorizer:
    settings = BindingSettings(frozenset(Binding), DpopSettings(ALGORITHMS), required)
    return authorizer(
        rules=rules,
        answers=AnswerSettings(cached_by=CachedBy.NOTHING),
        check_binding=binding_checker(settings, store or MemoryReplayStore()),
    )


def proof(method: str = "GET", **claims: object) -> str:
    return make_proof(CLIENT, DPOP_BOUND, method, f"https://{HOST}/orders/1", now=NOW, more=claims)


def event(bearer: str, *proofs: str, scheme: str = "DPoP") -> Event:
    """Give a REST API's request with this token and these proofs."""
    made = rest_request_event(None)
    made["requestContext"] |= {"domainName": HOST, "path": "/orders/1"}
    made["headers"] |= {"authorization": f"{scheme} {bearer}"} | ({"dpop": proofs[-1]} if proofs else {})
    return made


FORBIDDEN = compile_rules((Route(None, "/invoices"),))
REFUSED: Mapping[ErrorCode, Callable[[], tuple[Authorizer, list[Event]]]] = {
    ErrorCode.UNSUPPORTED_BINDING: lambda: (authorizer(), [event(CERTIFICATE_BOUND)]),
    ErrorCode.UNBOUND_TOKEN: lambda: (core(required=True), [event(token(), scheme="Bearer")]),
    ErrorCode.MISSING_DPOP_PROOF: lambda: (core(), [event(DPOP_BOUND, scheme="Bearer")]),
    ErrorCode.INVALID_DPOP_PROOF: lambda: (core(), [event(DPOP_BOUND, proof("POST"))]),
    ErrorCode.REPLAYED_DPOP_PROOF: lambda: (core(), [event(DPOP_BOUND, proof(jti="once"))] * 2),
    ErrorCode.CERTIFICATE_MISMATCH: lambda: (core(), [event(CERTIFICATE_BOUND, scheme="Bearer")]),
    ErrorCode.REPLAY_STORE_UNAVAILABLE: lambda: (core(MemoryReplayStore(size=0)), [event(DPOP_BOUND, proof())]),
}
"""For each error code an authorizer, and requests of which the last ends with it."""


@pytest.mark.parametrize("reason", REFUSED)
def test_each_way_to_be_refused(reason: ErrorCode) -> None:
    made, events = REFUSED[reason]()
    called = Watched(made)
    for asked in events[:-1]:
        called(asked)
    with pytest.raises(Exception, match="Unauthorized" if reason.name != "REPLAY_STORE_UNAVAILABLE" else reason):
        called(events[-1])
    assert called.line["reason"] == reason
    assert called.line["detail"]
    sent = events[-1]["headers"]
    for part in f"{sent['authorization'].split(' ')[1]}.{sent.get('dpop', '')}".split("."):
        assert not part or part not in called.written[-1]


def test_a_remembered_token_s_proof_is_checked_each_time() -> None:
    called = Watched(core())
    for _ in range(2):
        assert called(event(DPOP_BOUND, proof()))["principalId"] == "user-1"
    assert called.line["token_cache"] == "hit"
    with pytest.raises(Exception, match="Unauthorized"):
        called(event(DPOP_BOUND))
    assert (called.line["token_cache"], called.line["reason"]) == ("hit", ErrorCode.MISSING_DPOP_PROOF)


def test_a_proof_is_used_up_by_an_answer_that_allows_and_by_no_other() -> None:
    store, sent = MemoryReplayStore(), event(DPOP_BOUND, proof())
    refusing, allowing = Watched(core(store, rules=FORBIDDEN)), Watched(core(store))
    refusing(sent)
    assert refusing.line["reason"] == ErrorCode.ROUTE_NOT_LISTED
    allowing(sent)
    assert allowing.line["decision"] == "allow"
    with pytest.raises(Exception, match="Unauthorized"):
        allowing(sent)
    assert allowing.line["reason"] == ErrorCode.REPLAYED_DPOP_PROOF


@pytest.mark.parametrize("made", [authorizer(), authorizer(check_binding=ignore_binding), core()], ids=range(3))
def test_an_unbound_token_is_no_dpop_token(made: Authorizer) -> None:
    called = Watched(made)
    with pytest.raises(Exception, match="Unauthorized"):
        called(event(token()))
    assert called.line["reason"] == ErrorCode.UNBOUND_TOKEN


def created(**settings: str) -> AuthorizerFunction:
    return bare_lab(**environment(**settings)).function


CHECKED = {"JWT_BOUND_TOKENS": "dpop", "JWT_CACHED_BY": "nothing"}


def test_the_settings_arrive_where_they_are_used() -> None:
    sent = event(DPOP_BOUND, proof())
    assert created(**CHECKED)(sent, None)["principalId"] == "user-1"
    for settings in (
        {},
        CHECKED | {"JWT_BOUND_TOKENS": "mtls"},
        CHECKED | {"JWT_DPOP_URLS": "https://www.example.com/v1"},
        CHECKED | {"JWT_ALGORITHMS": "RS256"},
    ):
        with pytest.raises(Exception, match="Unauthorized"):
            created(**settings)(sent, None)
    assert created(JWT_BOUND_TOKENS="ignore")(sent, None)["principalId"] == "user-1"
    moved = proof(htu="https://www.example.com/v1/orders/1")
    assert created(**CHECKED, JWT_DPOP_URLS="https://www.example.com/v1/")(event(DPOP_BOUND, moved), None)
    old = event(DPOP_BOUND, proof(iat=int(NOW) - 300))
    assert created(**CHECKED, JWT_DPOP_MAX_AGE_SECONDS="300", JWT_LEEWAY_SECONDS="1")(old, None)
    with pytest.raises(Exception, match="Unauthorized"):
        created(**CHECKED, JWT_REQUIRE_BOUND_TOKENS="true")(event(token(), scheme="Bearer"), None)


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:1", "https://127.0.0.1:1"])
def test_a_table_that_can_t_be_reached_is_a_500(endpoint: str) -> None:
    aws = {"AWS_ENDPOINT_URL": endpoint, "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
    called = created(**CHECKED, **aws, JWT_DPOP_REPLAY="dynamodb:used-proofs")
    with refused(ErrorCode.REPLAY_STORE_UNAVAILABLE):
        called(event(DPOP_BOUND, proof()), None)


# ---------------------------------------------------------------------------------------------------------------
# The client certificate in an event, and its thumbprint (RFC 8705 section 3.1).


@cache
def pem(name: str = "client") -> str:
    """Issue a certificate. Its DER is longer than 255 bytes, as real ones are, so its length has two bytes."""
    return trustme.CA().issue_cert(f"{name}.example").cert_chain_pems[0].bytes().decode()


def armored(der: bytes) -> str:
    """Put anything between the lines of PEM."""
    return f"-----BEGIN CERTIFICATE-----\n{base64.b64encode(der).decode()}\n-----END CERTIFICATE-----\n"


DER = ssl.PEM_cert_to_DER_cert(pem())
BOUND: dict[str, object] = {"cnf": {"x5t#S256": base64url(hashlib.sha256(DER).digest())}}
SETTINGS = BindingSettings(frozenset({Binding.MTLS}), DpopSettings(frozenset()))


def event_of_mtls(kind: EventKind, client_cert: object) -> Event:
    """Give an event that shows this as the client's certificate."""
    made = EVENTS[kind](None)
    member = "authentication" if kind is EventKind.HTTP_API_V2 else "identity"
    made["requestContext"][member] = {"sourceIp": "192.0.2.1", "clientCert": client_cert}
    return made


def outcome(made: Event, claims: dict[str, object] = BOUND, scheme: Scheme | None = Scheme.BEARER) -> ErrorCode | None:
    """Check a request with a bound token: ``None``, or the reason to refuse it."""
    try:
        check_binding(read_event(made), BearerToken("t", scheme), claims, SETTINGS, NOW)
    except AuthorizerError as error:
        return error.code
    return None


@pytest.mark.parametrize("kind", [EventKind.REST_REQUEST, EventKind.HTTP_API_V1, EventKind.HTTP_API_V2])
def test_the_certificate_that_the_token_is_bound_to_passes_and_no_other(kind: EventKind) -> None:
    assert outcome(event_of_mtls(kind, {"clientCertPem": pem()})) is None
    assert outcome(event_of_mtls(kind, {"clientCertPem": pem("other")})) is ErrorCode.CERTIFICATE_MISMATCH
    assert outcome(event_of_mtls(kind, None)) is ErrorCode.CERTIFICATE_MISMATCH
    assert outcome(EVENTS[kind](None)) is ErrorCode.CERTIFICATE_MISMATCH
    assert outcome(EVENTS[kind](None) | {"requestContext": None}) is ErrorCode.CERTIFICATE_MISMATCH


@pytest.mark.parametrize(
    "written",
    [
        *(pem().replace("\n", end) for end in ("\r\n", " ", "\\r\\n", "")),
        f"\ufeff Bag Attributes\nsubject=CN = client\n{pem()}",
        pem() + pem("other"),
    ],
    ids=lambda _: "pem",
)
def test_pem_is_read_in_every_form(written: str) -> None:
    assert outcome(event_of_mtls(EventKind.REST_REQUEST, {"clientCertPem": written})) is None


UNREADABLE = ["CERT_CONTENT", pem().replace("END", "BEGIN"), pem().replace("MII", "M*I")]
UNREADABLE += map(armored, (b"", b"\x30", b"\x30\x04\x02\x01\x05", DER[:-1], DER + b"\x00", b"\x31" + DER[1:]))
UNREADABLE += map(armored, (b"\x30\x80" + DER[4:] + b"\x00\x00", b"\x30\x84\x00\x00" + DER[2:]))


@pytest.mark.parametrize(
    "client_cert", ["text", {}, *({"clientCertPem": text} for text in (7, *UNREADABLE))], ids=range(14)
)
def test_what_can_t_be_read_can_t_be_decided(client_cert: object) -> None:
    for kind in (EventKind.REST_REQUEST, EventKind.HTTP_API_V2):
        assert outcome(event_of_mtls(kind, client_cert)) is ErrorCode.INVALID_EVENT


def test_the_scheme_dpop_is_not_for_a_token_that_is_bound_to_a_certificate() -> None:
    made = event_of_mtls(EventKind.REST_REQUEST, {"clientCertPem": pem()})
    assert [outcome(made, scheme=scheme) for scheme in (Scheme.DPOP, None)] == [ErrorCode.UNBOUND_TOKEN, None]
