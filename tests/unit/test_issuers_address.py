"""URLs that keys may come from, and the many that they may not."""

from __future__ import annotations

import pytest

from jwt_authorizer.issuers.address import parse_address


@pytest.mark.parametrize(
    ("url", "endpoint", "authority", "target"),
    [
        ("https://a.example", ("a.example", 443), "a.example", ""),
        ("https://a.example/", ("a.example", 443), "a.example", "/"),
        ("https://a.example/b/c?d=e&f=/?", ("a.example", 443), "a.example", "/b/c?d=e&f=/?"),
        ("https://a.example?d", ("a.example", 443), "a.example", "?d"),
        ("https://a.example:8443/x", ("a.example", 8443), "a.example:8443", "/x"),
        ("https://a.example./x", ("a.example.", 443), "a.example.", "/x"),
        ("https://[::1]:8443/x", ("::1", 8443), "[::1]:8443", "/x"),
        ("https://127.0.0.1/x", ("127.0.0.1", 443), "127.0.0.1", "/x"),
        ("http://localhost/x", ("localhost", 80), "localhost", "/x"),
    ],
)
def test_taken_apart(url: str, endpoint: tuple[str, int], authority: str, target: str) -> None:
    address = parse_address(url, allow_http=True)
    assert (address.host, address.port) == endpoint
    assert address.origin == f"{'https' if address.secure else 'http'}://{authority}"
    assert address.path + address.query == target


@pytest.mark.parametrize(
    "url",
    [
        "",
        "a.example",
        "//a.example",
        "https:/a.example",
        "https://",
        "https:///x",
        "HTTPS://a.example",
        "ftp://a.example",
        "file:///etc/passwd",
        "https://user@a.example/",
        "https://user:password@a.example/",
        "https://a.example\\@b.example/",
        "https://a.example/#fragment",
        "https://a.example/?x#fragment",
        "https://a.example/with space",
        "https://a.example/\r\nHost: b.example",
        "https://a.example/\n",
        "https://a.example/\x00",
        "https://ä.example/",
        "https://a.example/ä",
        "https://a.example:/x",
        "https://a.example:port/",
        "https://a.example:123456/",
        "https://-a.example/",
        "https://[::1/",
        "https://::1/",
        " https://a.example/",
    ],
)
def test_refused(url: str) -> None:
    with pytest.raises(ValueError, match="not an absolute https:// URL"):
        parse_address(url, allow_http=True)


@pytest.mark.parametrize("port", ["0", "65536", "99999"])
def test_ports_that_do_not_exist(port: str) -> None:
    with pytest.raises(ValueError, match=f"port {port}, which does not exist"):
        parse_address(f"https://a.example:{port}/", allow_http=True)


def test_http_only_where_allowed() -> None:
    assert not parse_address("http://a.example/", allow_http=True).secure
    with pytest.raises(ValueError, match="JWT_ALLOW_HTTP"):
        parse_address("http://a.example/", allow_http=False)


def test_the_query_is_not_shown() -> None:
    assert str(parse_address("https://a.example:1/b?key=secret", allow_http=False)) == "https://a.example:1/b"
