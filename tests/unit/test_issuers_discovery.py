"""From an issuer's name to the address of its keys. What can go wrong on the wire: ``test_issuers_faults.py``."""

from __future__ import annotations

import json

import pytest

from jwt_authorizer.issuers import FetchError
from jwt_authorizer.issuers.discovery import discover, discovery_urls
from jwt_authorizer.issuers.session import Response, Session


@pytest.mark.parametrize(
    ("issuer", "openid", "rfc_8414"),
    [
        (
            "https://a.example",
            "https://a.example/.well-known/openid-configuration",
            "https://a.example/.well-known/oauth-authorization-server",
        ),
        (
            "https://a.example/",
            "https://a.example/.well-known/openid-configuration",
            "https://a.example/.well-known/oauth-authorization-server",
        ),
        (
            "https://a.example:8443/realms/x",
            "https://a.example:8443/realms/x/.well-known/openid-configuration",
            "https://a.example:8443/.well-known/oauth-authorization-server/realms/x",
        ),
        (
            "https://a.example/realms/x/",
            "https://a.example/realms/x/.well-known/openid-configuration",
            "https://a.example/.well-known/oauth-authorization-server/realms/x",
        ),
    ],
)
def test_where_the_document_may_be(issuer: str, openid: str, rfc_8414: str) -> None:
    assert discovery_urls(issuer, allow_http=False) == (openid, rfc_8414)


@pytest.mark.parametrize("issuer", ["a.example", "http://a.example", "https://a.example/?tenant=1"])
def test_issuers_that_cannot_be_discovered(issuer: str) -> None:
    with pytest.raises(ValueError, match=r"not|with a query"):
        discovery_urls(issuer, allow_http=False)


def ask(answers: dict[str, Response], issuer: str = "https://a.example/x") -> tuple[str, list[str]]:
    asked: list[str] = []

    def get(url: str, _session: Session) -> Response:
        asked.append(url)
        return answers.get(url, Response(404, {}, b""))

    return discover(issuer, get, Session(5), allow_http=False), asked


def document(issuer: str = "https://a.example/x") -> Response:
    return Response(200, {}, json.dumps({"issuer": issuer, "jwks_uri": "https://keys.example/"}).encode())


def test_openids_place_comes_first() -> None:
    openid, rfc_8414 = discovery_urls("https://a.example/x", allow_http=False)
    assert ask({openid: document(), rfc_8414: document()}) == ("https://keys.example/", [openid])


def test_rfc_8414s_place_is_asked_only_where_openids_is_404() -> None:
    openid, rfc_8414 = discovery_urls("https://a.example/x", allow_http=False)
    assert ask({rfc_8414: document()}) == ("https://keys.example/", [openid, rfc_8414])
    with pytest.raises(FetchError, match="openid-configuration answered 500"):
        ask({openid: Response(500, {}, b""), rfc_8414: document()})


def test_neither_place_has_it() -> None:
    with pytest.raises(FetchError, match=r"openid-configuration nor at .*authorization-server/x \(404\): set JWT_JWKS"):
        ask({})


def test_the_trailing_slash_is_part_of_the_issuers_name() -> None:
    openid, _ = discovery_urls("https://a.example/x", allow_http=False)
    assert ask({openid: document("https://a.example/x/")}, "https://a.example/x/")[0] == "https://keys.example/"
    with pytest.raises(FetchError, match="another issuer"):
        ask({openid: document("https://a.example/x/")})
