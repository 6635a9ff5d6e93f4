"""`jwt-authorizer mint` and `issuer`, and the page that hands out tokens."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from typing import TYPE_CHECKING

import pytest

from jwt_authorizer.keys import parse_key_set
from jwt_authorizer.tokens import BearerToken, parse
from jwt_authorizer_devkit.certificate import self_signed
from jwt_authorizer_devkit.cli.token_page import TokenPage
from jwt_authorizer_devkit.issuer import Provider, local_issuer
from tests.factories import ISSUER, signing_key
from tests.unit.desk import Desk, set_up
from tests.unit.pages import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    return set_up(tmp_path, capsys)


@pytest.fixture
def issuer() -> Iterator[Provider]:
    with local_issuer(algorithms=("ES256",)) as provider:
        yield provider


def claims_of(text: str) -> dict[str, object]:
    return dict(parse(BearerToken(text.strip())).claims)


def test_mint_asks_a_running_issuer(desk: Desk, issuer: Provider) -> None:
    options = [
        "--scope",
        "a b",
        "--aud",
        "x",
        "--aud",
        "y",
        "--claim",
        "n=5",
        "--claim",
        "s=text",
        "--claim",
        "jti=null",
    ]
    code, text = desk.run("mint", "--issuer", issuer.url, *options)
    claims = claims_of(text)
    assert (code, claims["iss"], claims["scope"], claims["aud"]) == (0, issuer.url, "a b", ["x", "y"])
    assert (claims["n"], claims["s"], "jti" in claims) == (5, "text", False)
    issued, ends = claims["iat"], claims_of(desk.run("mint", "--issuer", issuer.url, "--lifetime", "5")[1])["exp"]
    assert isinstance(issued, int)
    assert isinstance(ends, int)
    assert 4 <= ends - issued < 100  # the default is 300; a busy machine takes its time between the two


@pytest.mark.parametrize(
    ("options", "defect"),
    [(["--expired"], "expired"), (["--wrong-aud"], "wrong-audience"), (["--alg", "none"], "alg-none"), ([], None)],
    ids=["expired", "wrong-aud", "none", "good"],
)
def test_mint_makes_tokens_that_are_wrong_in_one_way(
    desk: Desk, issuer: Provider, options: list[str], defect: str | None
) -> None:
    code, document = desk.json("mint", "--issuer", issuer.url, *options)
    assert (code, document["defect"]) == (0, defect)
    env = desk.write("i.env", f"JWT_ISSUER={issuer.url}\nJWT_AUDIENCE=https://api.example.com\nJWT_ALLOW_HTTP=true")
    assert desk.run("explain", document["token"], "--env", env)[0] == (0 if defect is None else 1)


def test_mint_signs_with_a_key_file(desk: Desk) -> None:
    pem = desk.write("key.pem", signing_key().private_pem().decode())
    code, text = desk.run("mint", "--key-file", pem, "--kid", "mine", "--issuer", ISSUER)
    assert (code, claims_of(text)["iss"]) == (0, ISSUER)
    _, published = desk.run("mint", "--key-file", pem, "--kid", "mine", "--jwks")
    assert parse_key_set(published).keys[0].kid == "mine"
    assert '"d"' not in published
    env = desk.write(
        "k.env",
        f"JWT_ISSUER={ISSUER}\nJWT_AUDIENCE=https://api.example.com\nJWT_JWKS={json.dumps(json.loads(published))}",
    )
    assert desk.run("explain", text.strip(), "--env", env)[0] == 0
    assert "cannot sign RS256: it is for ES256" in desk.run("mint", "--key-file", pem, "--alg", "RS256")[1]


def test_mint_without_an_issuer(desk: Desk, issuer: Provider) -> None:
    code, text = desk.run("mint", "--issuer", "http://127.0.0.1:9")
    assert (code, "jwt-authorizer issuer" in text) == (3, True)
    code, text = desk.run("mint", "--issuer", issuer.url + "/realms/other")
    assert (code, f"the issuer there is {issuer.url}" in text) == (2, True)


def test_mint_over_tls(desk: Desk) -> None:
    with local_issuer(algorithms=("ES256",), name="localhost", tls=self_signed(desk.folder)) as provider:
        code, text = desk.run("mint", "--issuer", provider.url)
    assert (code, "Set SSL_CERT_FILE to it" in text, "no issuer" in text) == (3, True, False)


def test_the_token_that_the_issuer_says_how_to_get(desk: Desk) -> None:
    tls = desk.folder / "with a space"
    command = [
        sys.executable,
        "-m",
        "jwt_authorizer_devkit.cli",
        "issuer",
        "--port",
        "0",
        "--no-page",
        "--tls",
        str(tls),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as running:  # noqa: S603 - our own arguments
        try:
            assert running.stdout is not None
            line = next(line for line in running.stdout if line.startswith("a token"))
            ours = f"{shlex.quote(sys.executable)} -m jwt_authorizer_devkit.cli"
            mint = line.removeprefix("a token").replace("jwt-authorizer", ours)
            done = subprocess.run(mint, shell=True, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S602 - as a reader would paste it
        finally:
            running.terminate()
    assert (done.returncode, done.stderr) == (0, "")
    assert claims_of(done.stdout)["scope"] == "orders:read"


def fetch(url: str, host: str = "127.0.0.1", **form: str) -> tuple[int, str]:
    data = urllib.parse.urlencode(form).encode() if form else None
    request = urllib.request.Request(url, data=data, headers={"Host": host})  # noqa: S310 - a loopback address
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - as above
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_the_page_hands_out_tokens(issuer: Provider) -> None:
    with TokenPage(issuer, 0) as page:
        status, form = fetch(page.url)
        assert (status, "Make a token" in form) == (200, True)
        _, answer = fetch(page.url, subject="a<b", scope="x", claims='{"n": 1}', lifetime="60")
        bearer = answer.partition("readonly>")[2].partition("<")[0]
        claims = claims_of(bearer)
        assert (claims["sub"], claims["scope"], claims["n"], claims["iss"]) == ("a<b", "x", 1, issuer.url)
        assert "a&lt;b" in answer
        assert "not a token" in fetch(page.url, claims="{")[1]
        assert "JSON object" in fetch(page.url, claims="[]")[1]
        assert fetch(page.url, "attacker.example.com") == (403, "")
