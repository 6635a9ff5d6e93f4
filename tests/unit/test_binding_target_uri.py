"""Which URL a request was sent to, and when a proof's ``htu`` is that URL (RFC 9449 section 4.3, RFC 3986)."""

from __future__ import annotations

import pytest

from jwt_authorizer.binding.target_uri import is_same_uri, normalized_path, parse_uri, request_uris
from jwt_authorizer.errors import DecisionError, Reason
from jwt_authorizer.events import EventKind, Request, read_event
from tests.factories import EVENTS, http_api_v2_event

DEFAULT = "abcdef123.execute-api.eu-west-1.amazonaws.com"
CUSTOM = "api.example.com"
REST, WEBSOCKET, V1, V2 = (
    EventKind.REST_REQUEST,
    EventKind.WEBSOCKET,
    EventKind.HTTP_API_V1,
    EventKind.HTTP_API_V2,
)


def asked(kind: EventKind, domain: str | None, path: str | None, *, stage: str = "prod") -> Request:
    """Read the event of a request for ``/orders/1`` that shows this domain and path."""
    event = EVENTS[kind](None)
    arn = "routeArn" if kind is V2 else "methodArn"
    event[arn] = event[arn].replace("/prod/", f"/{stage}/")
    event["requestContext"] |= {"domainName": domain, "path": path, "stage": stage}
    event["headers"] |= {"Host": "evil.example.com", "X-Forwarded-Host": "evil.example.com"}
    if kind is V2:
        event["rawPath"] = path
    return read_event(event)


def accepts(request: Request, htu: str, *public_urls: str) -> bool:
    """Return whether a proof for ``htu`` fits the request."""
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


@pytest.mark.parametrize(
    "text",
    [
        "",
        "api.example.com/a",
        "//api.example.com/a",
        "https:/api.example.com/a",
        "https:///a",
        "https://user@api.example.com/a",
        "https://api.example.com:x/a",
        "https://api.example.com:443443/a",
        "https://api.example.com\\a",
        "https://api .example.com/a",
        "https://%61pi.example.com/a",
        "1https://api.example.com/a",
    ],
)
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
