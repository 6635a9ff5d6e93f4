"""Settings by which somebody would open a door without meaning to: the function does not start with them."""

from __future__ import annotations

import json

import pytest

from jwt_authorizer.errors import SettingsError
from tests.security.lab import AUDIENCE, ISSUER, bare_lab, jwks, lab, sign, token_event

DOORS: dict[str, dict[str, str]] = {
    "no audience": {"JWT_AUDIENCE": ""},
    "an audience of blanks": {"JWT_AUDIENCE": " , "},
    "an audience that may be empty": {"JWT_AUDIENCE": f"{AUDIENCE},"},
    "a misspelt variable": {"JWT_AUDIENCE": "", "JWT_AUDIENCES": AUDIENCE},
    "a variable of another product": {"JWT_SECRET": "x"},
    "no issuer": {"JWT_ISSUER": ""},
    "none": {"JWT_ALGORITHMS": "none"},
    "none among others": {"JWT_ALGORITHMS": "ES256,NoNe"},
    "HMAC": {"JWT_ALGORITHMS": "HS256"},
    "HMAC in small letters": {"JWT_ALGORITHMS": "hs512,ES256"},
    "any algorithm": {"JWT_ALGORITHMS": "*"},
    "no algorithm": {"JWT_ALGORITHMS": ","},
    "keys over http": {"JWT_JWKS": "http://issuer.example.com/jwks"},
    "discovery over http": {"JWT_JWKS": "", "JWT_ISSUER": "http://issuer.example.com"},
    "keys with a user's name": {"JWT_JWKS": "https://user@issuer.example.com/jwks"},
    "keys from outside of the package": {"JWT_JWKS": "file:../../etc/passwd"},
    "a required claim that is none": {"JWT_REQUIRED_CLAIMS": "{}"},
    "a required claim that nothing can meet": {"JWT_REQUIRED_CLAIMS": '{"token_use": []}'},
    "a required claim that is no JSON": {"JWT_REQUIRED_CLAIMS": "token_use=access"},
    "a required scope of blanks": {"JWT_REQUIRED_SCOPES": ","},
    "a leeway below zero": {"JWT_LEEWAY_SECONDS": "-1"},
    "a leeway without end": {"JWT_LEEWAY_SECONDS": "inf"},
    "a leeway that is no number": {"JWT_LEEWAY_SECONDS": "nan"},
    "a lifetime of nothing": {"JWT_MAX_LIFETIME_SECONDS": "0"},
    "a switch that is neither": {"JWT_ALLOW_HTTP": "maybe"},
    "a token in a place that is none": {"JWT_TOKEN_SOURCE": "body:token"},
    "a claim that would pass for another": {"JWT_CONTEXT_CLAIMS": "sub=email"},
}


@pytest.mark.parametrize("door", DOORS)
def test_it_does_not_start(door: str) -> None:
    lab().allowed(token_event(sign()))
    with pytest.raises(SettingsError) as caught:
        lab(**DOORS[door])
    changed = {name.removeprefix("JWT_") for name in DOORS[door]}
    assert any(name in str(caught.value) for name in changed)


DOCUMENTS = {
    "no audience": "",
    "an empty list": "audience = []",
    "an empty audience": 'audience = [""]',
    "audience true": "audience = true",
    "a leeway without end": f"audience = [{AUDIENCE!r}]\nleeway_seconds = inf",
    "a leeway that is no number": f"audience = [{AUDIENCE!r}]\nleeway_seconds = nan",
    "a misspelt setting": f"audience = [{AUDIENCE!r}]\nrequired_claim = {{ token_use = 'access' }}",
    "routes that are none": f"audience = [{AUDIENCE!r}]\n[[routes]]\nmethod = 'GET'",
    "a route for nobody's scopes": f"audience = [{AUDIENCE!r}]\n[[routes]]\nmethod = 'GET'\npath = '/x'\nscopes = [1]",
    "a route with a star": f"audience = [{AUDIENCE!r}]\n[[routes]]\nmethod = 'GET'\npath = '/x/*'",
    "a route of misspelt scopes": f"audience = [{AUDIENCE!r}]\n[[routes]]\nmethod = 'GET'\npath = '/x'\nscope = ['a']",
}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_it_does_not_start_with_such_a_document(document: str) -> None:
    keys = f"jwks = {json.dumps(json.dumps(jwks()))}"
    with pytest.raises(SettingsError):
        bare_lab(JWT_CONFIG=f"[[issuers]]\nissuer = {ISSUER!r}\n{keys}\n{DOCUMENTS[document]}")


def test_one_issuer_twice_is_none() -> None:
    table = f"[[issuers]]\nissuer = {ISSUER!r}\njwks = {json.dumps(json.dumps(jwks()))}\naudience = [{AUDIENCE!r}]\n"
    bare_lab(JWT_CONFIG=table).allowed(token_event(sign()))
    with pytest.raises(SettingsError, match="twice"):
        bare_lab(JWT_CONFIG=table + table)
