"""Each check of RFC 9449 section 4.3 by its number, and section 7.1: one proof that is wrong in one way."""

import json
import re
from collections.abc import Callable

import pytest

from jwt_authorizer.binding.bound_tokens import Binding, BindingSettings, check_binding
from jwt_authorizer.binding.dpop import MAX_PROOF_LENGTH, DpopSettings
from jwt_authorizer.binding.replay import MemoryReplayStore, UsedProof
from jwt_authorizer.binding.target_uri import is_same_uri, normalized_path, parse_uri, request_uris
from jwt_authorizer.errors import AuthorizerError, DecisionError, Reason, TokenError
from jwt_authorizer.events import EventKind, Request, read_event
from jwt_authorizer.signatures import SUPPORTED_ALGORITHMS
from jwt_authorizer.tokens import BearerToken, Scheme
from jwt_authorizer_devkit.proofs import make_proof, proof_jwk, thumbprint
from jwt_authorizer_devkit.signing import SigningKey, base64url
from tests.factories import EVENTS, NOW, Event, http_api_v2_event, signing_key, token

HOST = "abcdef123.execute-api.eu-west-1.amazonaws.com"
URL = f"https://{HOST}/prod/orders/1"
CLIENT = signing_key("ES256", "client")
OTHER = signing_key("ES256", "other-client")
BOUND = token({"cnf": {"jkt": thumbprint(CLIENT)}})
SETTINGS = BindingSettings(frozenset({Binding.DPOP}), DpopSettings(SUPPORTED_ALGORITHMS))


def event(*proofs: str) -> Event:
    """Give a REST API's event whose client sent these DPoP headers."""
    made = EVENTS[EventKind.REST_REQUEST](None)
    made["requestContext"] |= {"domainName": HOST, "path": "/prod/orders/1"}
    if proofs:
        made["headers"]["DPoP"] = proofs[-1]
        made["multiValueHeaders"]["DPoP"] = list(proofs)
    return made


def check(
    made: Event,
    claims: dict[str, object] | None = None,
    scheme: Scheme | None = Scheme.DPOP,
    settings: BindingSettings = SETTINGS,
) -> UsedProof | None:
    bound: dict[str, object] = {"cnf": {"jkt": thumbprint(CLIENT)}} if claims is None else claims
    bearer = BearerToken(BOUND, scheme)
    return check_binding(read_event(made), bearer, bound, settings, NOW)


def refused(
    reason: Reason,
    made: Event,
    claims: dict[str, object] | None = None,
    scheme: Scheme | None = Scheme.DPOP,
    settings: BindingSettings = SETTINGS,
) -> str:
    with pytest.raises(AuthorizerError) as caught:
        check(made, claims, scheme, settings)
    assert caught.value.code == reason
    assert isinstance(caught.value, DecisionError if reason is Reason.INVALID_EVENT else TokenError)
    return caught.value.detail


def failed_check(made: Event, settings: BindingSettings = SETTINGS) -> int:
    found = re.search(
        r"RFC 9449 section 4\.3, check (\d+)", refused(Reason.INVALID_DPOP_PROOF, made, settings=settings)
    )
    assert found is not None
    return int(found[1])


def proof(  # noqa: PLR0913 - what a proof is about
    more: dict[str, object] | None = None,
    *,
    key: SigningKey = CLIENT,
    access_token: str = BOUND,
    method: str = "GET",
    url: str = URL,
    now: float = NOW,
    header: dict[str, object] | None = None,
) -> str:
    return make_proof(key, access_token, method, url, now=now, more=more, header=header)


def header_of(text: str) -> dict[str, object]:
    """Give a header with which the proof is signed all the same."""
    return {"jwk": {**proof_jwk(CLIENT), **json.loads(text)}}


def tampered(text: str) -> str:
    head, _, signature = text.split(".")
    return f"{head}.{proof().split('.')[1]}.{signature}"


@pytest.mark.parametrize("alg", sorted(SUPPORTED_ALGORITHMS))
def test_a_good_proof_passes_with_a_key_of_each_algorithm(alg: str) -> None:
    key = signing_key(alg, "client")
    used = check(event(proof(key=key)), {"cnf": {"jkt": thumbprint(key)}})
    assert used is not None
    assert used.until == NOW + 120


@pytest.mark.parametrize(
    ("number", "made"),
    [
        (1, lambda: event(proof(), proof())),
        (1, lambda: event(*[proof()] * 2)),
        (1, lambda: event(f"{proof()},{proof()}")),
        (1, lambda: event(proof()) | {"headers": {"dpop": proof()}}),
        (2, lambda: event("not a JWT")),
        (2, lambda: event(proof() + ".e30")),
        (2, lambda: event(proof() + "=")),
        (2, lambda: event("." + proof())),
        (2, lambda: event("W10." + proof().partition(".")[2])),
        (2, lambda: event(proof().partition(".")[0] + ".e31.AAAA")),
        (2, lambda: event(base64url(b'{"typ":"dpop+jwt","typ":"dpop+jwt"}') + ".e30.AAAA")),
        (2, lambda: event(proof({"padding": "A" * MAX_PROOF_LENGTH}))),
        (2, lambda: event(proof(header={"crit": ["x"], "x": 1}))),
        (2, lambda: event(proof(header={"b64": True}))),
        (3, lambda: event(proof({"jti": None}))),
        (3, lambda: event(proof({"jti": ""}))),
        (3, lambda: event(proof({"jti": 7}))),
        (3, lambda: event(proof({"htm": None}))),
        (3, lambda: event(proof({"htu": None}))),
        (3, lambda: event(proof({"iat": None}))),
        (3, lambda: event(proof({"iat": str(int(NOW))}))),
        (3, lambda: event(proof({"iat": True}))),
        (3, lambda: event(proof({"iat": 2**60}))),
        (3, lambda: event(proof({"iat": -1}))),
        (3, lambda: event(proof({"ath": None}))),
        (3, lambda: event(proof(header={"jwk": None}))),
        (3, lambda: event(proof(header={"jwk": "text"}))),
        (4, lambda: event(proof(header={"typ": "JWT"}))),
        (4, lambda: event(proof(header={"typ": None}))),
        (5, lambda: event(proof(header={"alg": "none"}))),
        (5, lambda: event(proof(header={"alg": "HS256"}))),
        (5, lambda: event(proof(header={"alg": "ES256K"}))),
        (5, lambda: event(proof(header={"alg": None}))),
        (6, lambda: event(tampered(proof({"htm": "POST"})))),
        (6, lambda: event(forged())),
        (6, lambda: event(proof(key=SigningKey(None, "ES384", CLIENT.private)))),
        (6, lambda: event(proof(header=header_of('{"kty": "oct"}')))),
        (6, lambda: event(proof(header=header_of('{"x": "AAAA"}')))),
        (7, lambda: event(proof(header=header_of('{"d": "AAAA"}')))),
        (7, lambda: event(proof(header={"jwk": {"kty": "oct", "k": "AAAA"}}))),
        (7, lambda: event(proof(header={"jwk": {"kty": "AKP", "priv": "AAAA"}}))),
        (8, lambda: event(proof(method="POST"))),
        (8, lambda: event(proof(method="get"))),
        (9, lambda: event(proof(url=f"https://{HOST}/prod/orders/2"))),
        (9, lambda: event(proof(url=f"https://{HOST}/orders/1"))),
        (9, lambda: event(proof(url="https://api.example.com/prod/orders/1"))),
        (9, lambda: event(proof(url=f"http://{HOST}/prod/orders/1"))),
        (9, lambda: event(proof(url="/prod/orders/1"))),
        (11, lambda: event(proof(now=NOW - 120))),
        (11, lambda: event(proof(now=NOW + 61))),
        (12, lambda: event(proof(access_token="another"))),
        (12, lambda: event(proof(key=OTHER))),
    ],
)
def test_a_proof_that_is_wrong_in_one_way_fails_that_check(number: int, made: Callable[[], Event]) -> None:
    assert failed_check(made()) == number


def forged() -> str:
    """Sign with another key than the one that the header shows."""
    return proof(key=OTHER, header={"jwk": proof_jwk(CLIENT)})


@pytest.mark.parametrize(
    "made",
    [
        lambda: proof(now=NOW - 119),
        lambda: proof(now=NOW + 60),
        lambda: proof({"iat": NOW - 0.5}),
        lambda: proof(header={"typ": "application/DPoP+jwt"}),
        lambda: proof(url=f"{URL}?limit=10#top"),
        lambda: proof({"htu": f"HTTPS://{HOST.upper()}:443/prod/orders/1?limit=10#top"}),
        lambda: proof({"nonce": "of-the-authorization-server", "exp": 0}),
        lambda: f" {proof()} ",
    ],
)
def test_what_the_rfc_allows_passes(made: Callable[[], str]) -> None:
    assert check(event(made())) is not None


def test_a_websocket_s_htu_is_told_what_is_wrong_with_it_and_not_that_its_scheme_is() -> None:
    made = asked(WEBSOCKET, DEFAULT, None)
    sent = {**made.event, "headers": {"DPoP": proof(url=f"wss://{DEFAULT}/prod/")}, "multiValueHeaders": {}}
    assert "another path" in refused(Reason.INVALID_DPOP_PROOF, sent)


def test_an_algorithm_that_the_issuer_s_settings_do_not_accept_fails_check_5() -> None:
    assert failed_check(event(proof()), BindingSettings(SETTINGS.checked, DpopSettings(frozenset({"RS256"})))) == 5


@pytest.mark.parametrize("sent", [(), ("",), ("  ",)])
def test_without_a_proof_it_is_missing(sent: tuple[str, ...]) -> None:
    refused(Reason.MISSING_DPOP_PROOF, event(*sent))


def test_a_bound_token_is_never_taken_as_a_bearer_token() -> None:
    refused(Reason.MISSING_DPOP_PROOF, event(proof()), scheme=Scheme.BEARER)
    # A cookie has no scheme: then the proof alone shows the key.
    assert check(event(proof()), scheme=None) is not None
    refused(Reason.MISSING_DPOP_PROOF, event(), scheme=None)


def test_proofs_are_told_apart_by_key_and_jti() -> None:
    other: dict[str, object] = {"cnf": {"jkt": thumbprint(OTHER)}}
    first, again, another_jti, another_key = (
        check(event(proof({"jti": "a"}))),
        check(event(proof({"jti": "a"}, now=NOW - 1))),
        check(event(proof({"jti": "b"}))),
        check(event(proof({"jti": "a"}, key=OTHER)), other),
    )
    assert first is not None
    assert first.id == again.id  # type: ignore[union-attr]  # each of them passes
    assert len({first.id, another_jti.id, another_key.id}) == 3  # type: ignore[union-attr]  # as above


def test_a_longer_age_is_accepted_where_it_is_set() -> None:
    settings = BindingSettings(SETTINGS.checked, DpopSettings(SUPPORTED_ALGORITHMS, max_age=300))
    assert check(event(proof(now=NOW - 359)), settings=settings) is not None
    refused(Reason.INVALID_DPOP_PROOF, event(proof(now=NOW - 360)), settings=settings)


@pytest.mark.parametrize(
    "cnf",
    [
        None,
        "text",
        [],
        {},
        {"jkt": 7},
        {"jkt": None},
        {"jwk": proof_jwk(CLIENT)},
        {"kid": "key-1"},
        {"jkt": thumbprint(CLIENT), "x5t#S256": "A" * 43},
        {"jkt": thumbprint(CLIENT), "jwk": proof_jwk(CLIENT)},
        {"x5t#S256": "A" * 43},
    ],
    ids=lambda _: "cnf",
)
def test_any_other_binding_is_refused(cnf: object) -> None:
    refused(Reason.UNSUPPORTED_BINDING, event(proof()), {"cnf": cnf})


def test_a_token_without_a_binding_is_a_bearer_token_unless_one_is_required() -> None:
    assert check(event(), {}, Scheme.BEARER) is None
    refused(Reason.UNBOUND_TOKEN, event(proof()), {}, Scheme.DPOP)
    refused(
        Reason.UNBOUND_TOKEN,
        event(),
        {},
        Scheme.BEARER,
        BindingSettings(SETTINGS.checked, SETTINGS.dpop, required=True),
    )


def test_a_token_event_can_t_show_a_proof() -> None:
    made = EVENTS[EventKind.REST_TOKEN](BOUND)
    assert "REQUEST" in refused(Reason.INVALID_EVENT, made)
    assert check(made, {}, Scheme.BEARER) is None


# Used proofs, in the memory of one execution environment and in DynamoDB: each is good once.


def test_a_proof_is_good_once_for_as_long_as_it_could_be_accepted() -> None:
    store = MemoryReplayStore()
    proof = UsedProof("a", NOW + 120)
    store.use(proof, NOW)
    for now in (NOW, NOW + 60, NOW + 119.9):
        with pytest.raises(TokenError) as caught:
            store.use(proof, now)
        assert caught.value.code is Reason.REPLAYED_DPOP_PROOF
    store.use(UsedProof("b", NOW + 120), NOW)
    # From then on the proof itself is too old, so a new one may have the same jti.
    store.use(UsedProof("a", NOW + 240), NOW + 120)
    with pytest.raises(TokenError):
        store.use(UsedProof("a", NOW + 240), NOW + 121)


def test_memory_is_bounded_and_forgets_nothing_that_is_still_good() -> None:
    store = MemoryReplayStore(size=3)
    for name in ("a", "b", "c"):
        store.use(UsedProof(name, NOW + 100), NOW)
    with pytest.raises(DecisionError) as caught:
        store.use(UsedProof("d", NOW + 100), NOW)
    assert caught.value.code is Reason.REPLAY_STORE_UNAVAILABLE
    with pytest.raises(TokenError):
        store.use(UsedProof("a", NOW + 100), NOW + 99)
    for name in ("d", "e", "f"):
        store.use(UsedProof(name, NOW + 200), NOW + 100)
    with pytest.raises(DecisionError):
        store.use(UsedProof("g", NOW + 200), NOW + 100)


# ---------------------------------------------------------------------------------------------------------------
# Which URL a request was sent to, and when a proof's ``htu`` is that URL (RFC 9449 section 4.3, RFC 3986).


DEFAULT = HOST
CUSTOM = "api.example.com"
REST, WEBSOCKET, V1, V2 = (EventKind.REST_REQUEST, EventKind.WEBSOCKET, EventKind.HTTP_API_V1, EventKind.HTTP_API_V2)


def asked(kind: EventKind, domain: str | None, path: str | None, *, stage: str = "prod") -> Request:
    event = EVENTS[kind](None)
    arn = "routeArn" if kind is V2 else "methodArn"
    event[arn] = event[arn].replace("/prod/", f"/{stage}/")
    event["requestContext"] |= {"domainName": domain, "path": path, "stage": stage}
    event["headers"] |= {"Host": "evil.example.com", "X-Forwarded-Host": "evil.example.com"}
    if kind is V2:
        event["rawPath"] = path
    return read_event(event)


def accepts(request: Request, htu: str, *public_urls: str) -> bool:
    called = request_uris(request, tuple(map(parse_uri, public_urls)))
    return any(is_same_uri(parse_uri(htu), uri, request.kind) for uri in called)


@pytest.mark.parametrize(
    ("request_", "accepted", "refused"),
    [
        (asked(REST, DEFAULT, "/prod/orders/1"), f"https://{DEFAULT}/prod/orders/1", f"https://{DEFAULT}/orders/1"),
        (asked(REST, CUSTOM, "/v1/orders/1"), f"https://{CUSTOM}/v1/orders/1", f"https://{CUSTOM}/orders/1"),
        (asked(REST, CUSTOM, "/orders/1"), f"https://{CUSTOM}/orders/1", f"https://{CUSTOM}/orders/1/"),
        (asked(REST, CUSTOM, "/prod/orders/1"), f"https://{CUSTOM}/prod/orders/1", f"https://{CUSTOM}/orders/1"),
        (asked(V1, DEFAULT, "/prod/orders/1"), f"https://{DEFAULT}/prod/orders/1", f"https://{DEFAULT}/orders/1"),
        (asked(V2, DEFAULT, "/prod/orders/1"), f"https://{DEFAULT}/prod/orders/1", f"https://{DEFAULT}/orders/1"),
        (
            asked(V2, DEFAULT, "/orders/1", stage="$default"),
            f"https://{DEFAULT}/orders/1",
            f"https://{CUSTOM}/orders/1",
        ),
        (asked(V2, CUSTOM, "/orders/1", stage="$default"), f"https://{CUSTOM}/orders/1", f"http://{CUSTOM}/orders/1"),
        # An HTTP API's path has a named stage on a custom domain too, where the client does not write it.
        (asked(V2, CUSTOM, "/prod/orders/1"), f"https://{CUSTOM}/orders/1", f"https://{CUSTOM}/v1/orders/1"),
        (asked(V2, CUSTOM, "/prod/orders/1"), f"https://{CUSTOM}/prod/orders/1", "https://evil.example.com/orders/1"),
        (asked(V2, CUSTOM, "/prod"), f"https://{CUSTOM}", f"https://{CUSTOM}/production"),
        (asked(WEBSOCKET, DEFAULT, None), f"wss://{DEFAULT}/prod", f"wss://{DEFAULT}/"),
        (asked(WEBSOCKET, DEFAULT, None), f"https://{DEFAULT}/prod", f"ws://{DEFAULT}/prod"),
        (asked(WEBSOCKET, CUSTOM, None), f"wss://{CUSTOM}:443", f"wss://{CUSTOM}/prod"),
    ],
    ids=str,
)
def test_the_url_is_what_api_gateway_says_of_itself(request_: Request, accepted: str, refused: str) -> None:
    assert accepts(request_, accepted)
    assert not accepts(request_, refused)


@pytest.mark.parametrize("kind", [REST, V1, V2])
@pytest.mark.parametrize(("domain", "path"), [(None, "/orders/1"), (CUSTOM, None), (CUSTOM, "orders")])
def test_an_event_that_does_not_say_it_can_t_be_decided(kind: EventKind, domain: str | None, path: str | None) -> None:
    with pytest.raises(DecisionError, match="JWT_DPOP_URLS") as caught:
        request_uris(asked(kind, domain, path), ())
    assert caught.value.code is Reason.INVALID_EVENT


def test_public_urls_take_the_place_of_the_event_s_own() -> None:
    urls = ("https://API.example.com:443/v1", "https://www.example.com/")
    for kind in (REST, V1, V2):
        request = asked(kind, None, None)
        assert accepts(request, "https://api.example.com/v1/orders/1", *urls)
        assert accepts(request, "https://www.example.com/orders/1", *urls)
        assert not accepts(asked(kind, CUSTOM, "/prod/orders/1"), f"https://{CUSTOM}/prod/orders/1", *urls)
    root = read_event(http_api_v2_event(None, resource="GET/"))
    assert accepts(root, "https://api.example.com/v1", *urls)
    assert accepts(root, "https://api.example.com/v1/", *urls)
    assert accepts(asked(WEBSOCKET, None, None), "wss://www.example.com", *urls)
    assert accepts(asked(WEBSOCKET, None, None), "wss://api.example.com/v1", *urls)


@pytest.mark.parametrize(
    ("written", "called"),
    [
        ("HTTPS://Api.Example.COM/a", "https://api.example.com/a"),
        ("https://api.example.com:443/a", "https://api.example.com/a"),
        ("https://api.example.com:/a", "https://api.example.com/a"),
        ("https://api.example.com:0443/a", "https://api.example.com/a"),
        ("http://api.example.com:80/a", "http://api.example.com/a"),
        ("https://api.example.com", "https://api.example.com/"),
        ("https://api.example.com?q", "https://api.example.com/"),
        ("https://api.example.com/a?b=/c#d", "https://api.example.com/a"),
        ("https://api.example.com/%61%2db%7E", "https://api.example.com/a-b~"),
        ("https://api.example.com/a%2fb", "https://api.example.com/a%2Fb"),
        ("https://api.example.com/a/./b/../c", "https://api.example.com/a/c"),
        ("https://api.example.com/a/%2E%2e/b/", "https://api.example.com/b/"),
        ("https://api.example.com/a/..", "https://api.example.com/"),
        ("https://api.example.com/../../a", "https://api.example.com/a"),
        ("https://api.example.com/\u00e9 |", "https://api.example.com/%C3%A9%20%7C"),
        ("https://[2001:DB8::1]:8443/a", "https://[2001:db8::1]:8443/a"),
    ],
)
def test_equal_after_normalization(written: str, called: str) -> None:
    assert is_same_uri(parse_uri(written), parse_uri(called), REST)


@pytest.mark.parametrize(
    ("written", "called"),
    [
        ("https://api.example.com:8443/a", "https://api.example.com/a"),
        ("https://api.example.com:80/a", "https://api.example.com/a"),
        ("https://api.example.com/A", "https://api.example.com/a"),
        ("https://api.example.com/a%2Fb", "https://api.example.com/a/b"),
        ("https://api.example.com/a%252Fb", "https://api.example.com/a%2Fb"),
        ("https://api.example.com/a%3Fb", "https://api.example.com/a"),
        ("https://api.example.com//a", "https://api.example.com/a"),
        ("https://api.example.com/a/.b", "https://api.example.com/a/b"),
        ("https://api.example.com./a", "https://api.example.com/a"),
        ("wss://api.example.com/a", "https://api.example.com/a"),
    ],
)
def test_different_all_the_same(written: str, called: str) -> None:
    assert not is_same_uri(parse_uri(written), parse_uri(called), REST)


NOT_ABSOLUTE = ["", "api.example.com/a", "//api.example.com/a", "https:/api.example.com/a", "https:///a"]
NOT_ABSOLUTE += ["https://user@api.example.com/a", "https://api.example.com:x/a", "https://api.example.com:443443/a"]
NOT_ABSOLUTE += ["https://api.example.com\\a", "https://api .example.com/a", "https://%61pi.example.com/a"]
NOT_ABSOLUTE += ["1https://api.example.com/a"]


@pytest.mark.parametrize("text", NOT_ABSOLUTE)
def test_what_is_not_an_absolute_url_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="absolute URL"):
        parse_uri(text)


def test_an_http_api_decodes_the_path_and_a_rest_api_does_not() -> None:
    htu = f"https://{CUSTOM}/users/a%40b%2Fc%C3%A9%252F"
    assert accepts(asked(V2, CUSTOM, "/users/a@b/c\u00e9%2F", stage="$default"), htu)
    assert accepts(asked(V1, CUSTOM, "/users/a@b/c\u00e9%2F", stage="$default"), htu)
    assert accepts(asked(V2, CUSTOM, "/users/a%40b%2Fc%C3%A9%252F", stage="$default"), htu)
    assert not accepts(asked(V2, CUSTOM, "/users/a@b/c\u00e9/", stage="$default"), htu)
    assert not accepts(asked(REST, CUSTOM, "/users/a@b/c\u00e9%2F"), htu)
    assert accepts(asked(REST, CUSTOM, "/users/a%40b%2fc%C3%A9%252F"), htu)


def test_half_a_surrogate_pair_is_a_path_like_any_other() -> None:
    assert normalized_path("/\ud800") == "/%ED%A0%80"
