"""Each check of RFC 9449 section 4.3 by its number, and section 7.1: one proof that is wrong in one way."""

from collections.abc import Mapping

import pytest

from jwt_authorizer.binding.bound_tokens import Binding, BindingSettings, check_binding
from jwt_authorizer.binding.dpop import MAX_PROOF_LENGTH, DpopSettings
from jwt_authorizer.binding.replay import MemoryReplayStore, UsedProof
from jwt_authorizer.binding.target_uri import is_same_uri, parse_uri, request_uris
from jwt_authorizer.errors import AuthorizerError, ErrorCode
from jwt_authorizer.events import EventKind, Request, read_event
from jwt_authorizer.signatures import SUPPORTED_ALGORITHMS
from jwt_authorizer.tokens import BearerToken, Scheme
from jwt_authorizer_devkit.proofs import make_proof, proof_jwk, thumbprint
from jwt_authorizer_devkit.signing import SigningKey, base64url
from tests.factories import EVENTS, NOW, Event, http_api_v2_event, refused, signing_key, token

HOST = "abcdef123.execute-api.eu-west-1.amazonaws.com"
URL = f"https://{HOST}/prod/orders/1"
CLIENT = signing_key("ES256", "client")
OTHER = signing_key("ES256", "other-client")
BINDING: dict[str, object] = {"cnf": {"jkt": thumbprint(CLIENT)}}
BOUND = token(BINDING)
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
    sent: str | Event,
    claims: dict[str, object] = BINDING,
    scheme: Scheme | None = Scheme.DPOP,
    settings: BindingSettings = SETTINGS,
) -> UsedProof | None:
    made = event(sent) if isinstance(sent, str) else sent
    return check_binding(read_event(made), BearerToken(BOUND, scheme), claims, settings, NOW)


def proof(  # noqa: PLR0913 - what a proof is about
    more: Mapping[str, object] | None = None,
    *,
    key: SigningKey = CLIENT,
    access_token: str = BOUND,
    method: str = "GET",
    url: str = URL,
    now: float = NOW,
    header: Mapping[str, object] | None = None,
) -> str:
    return make_proof(key, access_token, method, url, now=now, more=more, header=header)


def showing(**members: str) -> str:
    """Show a key with these members in a proof, which is signed all the same."""
    return proof(header={"jwk": {**proof_jwk(CLIENT), **members}})


def fails(number: int) -> pytest.RaisesExc[AuthorizerError]:
    return refused(ErrorCode.INVALID_DPOP_PROOF, rf"RFC 9449 section 4\.3, check {number}\)")


@pytest.mark.parametrize("alg", sorted(SUPPORTED_ALGORITHMS))
def test_a_good_proof_passes_with_a_key_of_each_algorithm(alg: str) -> None:
    key = signing_key(alg, "client")
    used = check(proof(key=key), {"cnf": {"jkt": thumbprint(key)}})
    assert used is not None
    assert used.until == NOW + 120


@pytest.mark.parametrize(
    ("number", "sent"),
    [
        (1, event(*[proof()] * 2)),
        (1, f"{proof()},{proof()}"),
        (1, event(proof()) | {"headers": {"dpop": proof()}}),
        *((2, text) for text in (proof() + ".e30", proof() + "=", "." + proof())),
        (2, "W10." + proof().partition(".")[2]),
        (2, proof().partition(".")[0] + ".e31.AAAA"),
        (2, base64url(b'{"typ":"dpop+jwt","typ":"dpop+jwt"}') + ".e30.AAAA"),
        (2, proof({"padding": "A" * MAX_PROOF_LENGTH})),
        *((2, proof(header=header)) for header in ({"crit": ["x"], "x": 1}, {"b64": True})),
        *((3, proof({name: None})) for name in ("jti", "htm", "htu", "iat", "ath")),
        *((3, proof(claims)) for claims in ({"jti": ""}, {"jti": 7}, {"iat": True})),
        (3, proof(header={"jwk": "text"})),
        *((4, proof(header={"typ": typ})) for typ in ("JWT", None)),
        *((5, proof(header={"alg": alg})) for alg in ("none", "HS256", None)),
        (6, ".".join((proof().rpartition(".")[0], proof({"htm": "POST"}).rpartition(".")[2]))),
        (6, proof(key=OTHER, header={"jwk": proof_jwk(CLIENT)})),
        (6, proof(key=SigningKey(None, "ES384", CLIENT.private))),
        *((6, shown) for shown in (showing(kty="oct"), showing(x="AAAA"))),
        *((7, shown) for shown in (showing(d="AAAA"), showing(kty="oct", k="AAAA"), showing(kty="AKP", priv="AAAA"))),
        *((8, proof(method=method)) for method in ("POST", "get")),
        *((9, proof(url=url)) for url in (f"https://{HOST}/orders/1", URL.replace(HOST, "api.example.com"), "/prod")),
        *((11, proof(now=moment)) for moment in (NOW - 120, NOW + 61)),
        (12, proof(access_token="another")),
        (12, proof(key=OTHER)),
    ],
    ids=lambda value: str(value) if isinstance(value, int) else "",
)
def test_a_proof_that_is_wrong_in_one_way_fails_that_check(number: int, sent: str | Event) -> None:
    with fails(number):
        check(sent)


@pytest.mark.parametrize(
    "sent",
    [
        proof(now=NOW - 119),
        proof(now=NOW + 60),
        proof({"iat": NOW - 0.5}),
        proof(header={"typ": "application/DPoP+jwt"}),
        proof({"htu": f"HTTPS://{HOST.upper()}:443/prod/orders/1?limit=10#top"}),
        proof({"nonce": "of-the-authorization-server", "exp": 0}),
        f" {proof()} ",
        event(proof()) | {"multiValueHeaders": None},  # as events of HTTP APIs
    ],
    ids=range(8),
)
def test_what_the_rfc_allows_passes(sent: str | Event) -> None:
    assert check(sent) is not None


def test_the_settings_say_which_algorithms_and_which_age_are_accepted() -> None:
    settings = BindingSettings(SETTINGS.checked, DpopSettings(frozenset({"ES256"}), max_age=300))
    assert check(proof(now=NOW - 359), settings=settings) is not None
    with fails(11):
        check(proof(now=NOW - 360), settings=settings)
    with fails(5):
        check(proof(key=signing_key("ES384", "client")), settings=settings)


def test_a_bound_token_is_never_taken_as_a_bearer_token() -> None:
    # A cookie has no scheme: then the proof alone shows the key.
    unproved = [(event(), Scheme.DPOP), (event("  "), Scheme.DPOP), (event(proof()), Scheme.BEARER), (event(), None)]
    for sent, scheme in unproved:
        with refused(ErrorCode.MISSING_DPOP_PROOF):
            check(sent, scheme=scheme)
    assert check(proof(), scheme=None) is not None


def test_proofs_are_told_apart_by_key_and_jti() -> None:
    other: dict[str, object] = {"cnf": {"jkt": thumbprint(OTHER)}}
    used = (
        check(proof({"jti": "a"})),
        check(proof({"jti": "a"}, now=NOW - 1)),
        check(proof({"jti": "b"})),
        check(proof({"jti": "a"}, key=OTHER), other),
    )
    ids = [one.id for one in used if one is not None]
    assert [ids.index(each) for each in ids] == [0, 0, 2, 3]


TWO: list[dict[str, object]] = [{"x5t#S256": "A" * 43}, {"jwk": proof_jwk(CLIENT)}]


@pytest.mark.parametrize(
    "cnf",
    [None, "text", [], {}, {"jkt": 7}, {"kid": "key-1"}, TWO[0], *({"jkt": thumbprint(CLIENT)} | more for more in TWO)],
    ids=range(9),
)
def test_any_other_binding_is_refused(cnf: object) -> None:
    with refused(ErrorCode.UNSUPPORTED_BINDING):
        check(proof(), {"cnf": cnf})


# Used proofs in the memory of one execution environment: each is good once.


def test_a_proof_is_good_once_for_as_long_as_it_could_be_accepted() -> None:
    store = MemoryReplayStore()
    proof = UsedProof("a", NOW + 120)
    store.use(proof, NOW)
    for now in (NOW, NOW + 60, NOW + 119.9):
        with refused(ErrorCode.REPLAYED_DPOP_PROOF):
            store.use(proof, now)
    store.use(UsedProof("b", NOW + 120), NOW)
    # From then on the proof itself is too old, so a new one may have the same jti.
    store.use(UsedProof("a", NOW + 240), NOW + 120)
    with refused(ErrorCode.REPLAYED_DPOP_PROOF):
        store.use(UsedProof("a", NOW + 240), NOW + 121)


def test_memory_is_bounded_and_forgets_nothing_that_is_still_good() -> None:
    store = MemoryReplayStore(size=3)
    for until, names in ((NOW + 100, "abc"), (NOW + 200, "def")):
        for name in names:
            store.use(UsedProof(name, until), until - 100)
        with refused(ErrorCode.REPLAY_STORE_UNAVAILABLE):
            store.use(UsedProof("more", until), until - 100)
        with refused(ErrorCode.REPLAYED_DPOP_PROOF):
            store.use(UsedProof(names[0], until), until - 1)


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
    ("request_", "accepted", "rejected"),
    [
        (asked(REST, DEFAULT, "/prod/orders/1"), f"https://{DEFAULT}/prod/orders/1", f"https://{DEFAULT}/orders/1"),
        (asked(REST, CUSTOM, "/v1/orders/1"), f"https://{CUSTOM}/v1/orders/1", f"https://{CUSTOM}/orders/1/"),
        (asked(REST, CUSTOM, "/prod/orders/1"), f"https://{CUSTOM}/prod/orders/1", f"https://{CUSTOM}/orders/1"),
        (asked(V1, DEFAULT, "/prod/orders/1"), f"https://{DEFAULT}/prod/orders/1", f"https://{DEFAULT}/orders/1"),
        (asked(V2, DEFAULT, "/prod/orders/1"), f"https://{DEFAULT}/prod/orders/1", f"https://{DEFAULT}/orders/1"),
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
def test_the_url_is_what_api_gateway_says_of_itself(request_: Request, accepted: str, rejected: str) -> None:
    assert accepts(request_, accepted)
    assert not accepts(request_, rejected)


@pytest.mark.parametrize("kind", [REST, V1, V2])
@pytest.mark.parametrize(("domain", "path"), [(None, "/orders/1"), (CUSTOM, None), (CUSTOM, "orders")])
def test_an_event_that_does_not_say_it_can_t_be_decided(kind: EventKind, domain: str | None, path: str | None) -> None:
    with refused(ErrorCode.INVALID_EVENT, "JWT_DPOP_URLS"):
        request_uris(asked(kind, domain, path), ())


def test_public_urls_take_the_place_of_the_event_s_own() -> None:
    urls = ("https://API.example.com:443/v1", "https://www.example.com/")
    for kind in (REST, V1, V2):
        request = asked(kind, None, "/orders/1")
        assert accepts(request, "https://api.example.com/v1/orders/1", *urls)
        assert accepts(request, "https://www.example.com/orders/1", *urls)
        assert not accepts(asked(kind, CUSTOM, "/prod/orders/1"), f"https://{CUSTOM}/prod/orders/1", *urls)
    for url in ("https://api.example.com/v1", "https://api.example.com/v1/"):
        assert accepts(read_event(http_api_v2_event(None, resource="GET/")), url, *urls)
    for url in ("wss://www.example.com", "wss://api.example.com/v1"):
        assert accepts(asked(WEBSOCKET, None, None), url, *urls)


@pytest.mark.parametrize(
    ("written", "called", "same"),
    [
        ("HTTPS://Api.Example.COM/a", "https://api.example.com/a", True),
        ("https://api.example.com:443/a", "https://api.example.com/a", True),
        ("https://api.example.com:/a", "https://api.example.com/a", True),
        ("http://api.example.com:80/a", "http://api.example.com/a", True),
        ("https://api.example.com", "https://api.example.com/", True),
        ("https://api.example.com/a?b=/c#d", "https://api.example.com/a", True),
        ("https://api.example.com/%61%2db%7E", "https://api.example.com/a-b~", True),
        ("https://api.example.com/a%2fb", "https://api.example.com/a%2Fb", True),
        ("https://api.example.com/a/./b/../c", "https://api.example.com/a/c", True),
        ("https://api.example.com/a/%2E%2e/b/", "https://api.example.com/b/", True),
        ("https://api.example.com/a/..", "https://api.example.com/", True),
        ("https://api.example.com/../../a", "https://api.example.com/a", True),
        ("https://api.example.com/\u00e9 |", "https://api.example.com/%C3%A9%20%7C", True),
        ("https://api.example.com/\ud800", "https://api.example.com/%ED%A0%80", True),
        ("https://[2001:DB8::1]:8443/a", "https://[2001:db8::1]:8443/a", True),
        ("https://api.example.com:8443/a", "https://api.example.com/a", False),
        ("https://api.example.com/A", "https://api.example.com/a", False),
        ("https://api.example.com/a%2Fb", "https://api.example.com/a/b", False),
        ("https://api.example.com/a%252Fb", "https://api.example.com/a%2Fb", False),
        ("https://api.example.com//a", "https://api.example.com/a", False),
        ("https://api.example.com/a/.b", "https://api.example.com/a/b", False),
        ("https://api.example.com./a", "https://api.example.com/a", False),
        ("wss://api.example.com/a", "https://api.example.com/a", False),
    ],
)
def test_urls_are_compared_after_normalization(written: str, called: str, *, same: bool) -> None:
    assert is_same_uri(parse_uri(written), parse_uri(called), REST) is same


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
