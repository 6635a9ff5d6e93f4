"""`jwt-authorizer mint` and `issuer`, and the page that hands out tokens."""

import json
import shlex
import subprocess
import sys

import pytest

from jwt_authorizer.tokens import BearerToken, parse
from jwt_authorizer_devkit.certificate import self_signed
from jwt_authorizer_devkit.cli.token_page import TokenPage
from jwt_authorizer_devkit.issuer import Provider, local_issuer
from jwt_authorizer_devkit.proofs import DpopClient
from tests.factories import signing_key
from tests.unit.desk import Desk, fetch
from tests.unit.pages import ROOT


def claims_of(text: str) -> dict[str, object]:
    return dict(parse(BearerToken(text.strip())).claims)


def test_mint_asks_a_running_issuer(desk: Desk, issuer: Provider) -> None:
    options = ["--aud", "x", "--aud", "y", "--claim", "n=5", "--claim", "s=text", "--claim", "jti=null"]
    code, text = desk.run("mint", "--issuer", issuer.url, "--scope", "a b", "--lifetime", "5", *options)
    claims = claims_of(text)
    assert (code, claims["iss"], claims["scope"], claims["aud"]) == (0, issuer.url, "a b", ["x", "y"])
    assert (claims["n"], claims["s"], "jti" in claims) == (5, "text", False)
    assert int(str(claims["exp"])) - int(str(claims["iat"])) == 5


@pytest.mark.parametrize(
    ("options", "defect"),
    [(["--expired"], "expired"), (["--defect", "forged"], "forged"), (["--alg", "none"], "alg-none"), ([], None)],
    ids=["expired", "forged", "none", "good"],
)
def test_mint_makes_tokens_that_are_wrong_in_one_way(
    desk: Desk, issuer: Provider, options: list[str], defect: str | None
) -> None:
    code, document = desk.json("mint", "--issuer", issuer.url, *options)
    assert (code, document["defect"]) == (0, defect)
    env = desk.write("i.env", f"JWT_ISSUER={issuer.url}\nJWT_AUDIENCE=https://api.example.com\nJWT_ALLOW_HTTP=true")
    assert desk.run("explain", document["token"], "--env", env)[0] == (0 if defect is None else 1)


def test_a_key_file_signs_its_own_algorithm_alone(desk: Desk) -> None:
    # What it does sign: tests/unit/test_docs.py.
    pem = desk.write("key.pem", signing_key().private_pem().decode())
    assert "cannot sign RS256: it is for ES256" in desk.run("mint", "--key-file", pem, "--alg", "RS256")[1]


def test_mint_without_an_issuer(desk: Desk, issuer: Provider) -> None:
    code, text = desk.run("mint", "--issuer", "http://127.0.0.1:9")
    assert (code, "jwt-authorizer issuer" in text) == (3, True)
    code, text = desk.run("mint", "--issuer", issuer.url + "/realms/other")
    assert (code, f"the issuer there is {issuer.url}" in text) == (2, True)
    with local_issuer(algorithms=("ES256",), name="localhost", tls=self_signed(desk.folder)) as untrusted:
        code, text = desk.run("mint", "--issuer", untrusted.url)
    assert (code, "Set SSL_CERT_FILE to it" in text) == (3, True)


def test_the_token_that_the_issuer_says_how_to_get(desk: Desk) -> None:
    ours = [sys.executable, "-m", "jwt_authorizer_devkit.cli"]
    command = [*ours, "issuer", "--port", "0", "--no-page", "--tls", str(desk.folder / "with a space")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as running:  # noqa: S603 - our own arguments
        assert running.stdout is not None
        line = next(line for line in running.stdout if line.startswith("a token"))
        mint = line.removeprefix("a token").replace("jwt-authorizer", shlex.join(ours))
        done = subprocess.run(mint, shell=True, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S602 - as a reader would paste it
        running.terminate()
    assert (done.returncode, done.stderr) == (0, "")
    claims = claims_of(done.stdout)
    assert (claims["scope"], str(claims["iss"]).partition("://")[0]) == ("orders:read", "https")


def test_the_page_hands_out_tokens(issuer: Provider) -> None:
    with TokenPage(issuer, 0) as page:
        status, form = fetch(page.url)
        assert (status, "Make a token" in form) == (200, True)
        _, answer = fetch(page.url, subject="a<b", scope="x", claims='{"n": 1}', lifetime="60")
        bearer = answer.partition("readonly>")[2].partition("<")[0]
        claims = claims_of(bearer)
        assert (claims["sub"], claims["scope"], claims["n"], claims["iss"]) == ("a<b", "x", 1, issuer.url)
        assert "a&lt;b" in answer
        assert "cannot be made" in fetch(page.url, claims="{")[1]
        assert fetch(page.url, {"Host": "attacker.example.com"}) == (403, "")


# Bound tokens: the issuer binds them, `mint` makes the pair, `explain` takes a proof.

URL = "https://api.example.com/orders"


def settings(desk: Desk, issuer: Provider, **more: str) -> str:
    """Write the settings of a function that checks DPoP."""
    variables = {"JWT_ISSUER": issuer.url, "JWT_AUDIENCE": "https://api.example.com", "JWT_ALLOW_HTTP": "true"}
    bound = {"JWT_BOUND_TOKENS": "dpop", "JWT_CACHED_BY": "nothing"}
    return desk.write("function.env", "".join(f"{name}={text}\n" for name, text in (variables | bound | more).items()))


def test_the_local_issuer_binds_to_the_key_of_a_good_proof_alone(issuer: Provider) -> None:
    client, url, form = DpopClient(), issuer.token_url, {"grant_type": "client_credentials", "client_id": "a"}
    good = client.proof(None, "POST", url)
    _, text = fetch(url, {"DPoP": good}, **form)
    assert claims_of(json.loads(text)["access_token"])["cnf"] == client.cnf
    wrong = ["not a proof", client.proof(None, "GET", url), client.proof(None, "POST", URL)]
    for proof in (*wrong, client.proof(None, "POST", url, jti=""), good.rpartition(".")[0] + ".AAAA"):
        status, text = fetch(url, {"DPoP": proof}, **form)
        assert (status, json.loads(text)["error"]) == (400, "invalid_dpop_proof")


def test_mint_prints_the_pair_and_explain_takes_it(desk: Desk, issuer: Provider) -> None:
    code, text = desk.run("mint", "--issuer", issuer.url, "--dpop", f"get {URL}?page=2")
    assert code == 0
    first, second = text.splitlines()
    token, proof = first.removeprefix("Authorization: DPoP "), second.removeprefix("DPoP: ")
    env = settings(desk, issuer)
    for options, ends_in in (
        (("--proof", f"DPoP: {proof}", "--request", f"GET {URL}", "--api", "http"), 0),
        (("--proof", desk.write("proof.txt", proof), "--request", f"GET {URL}", "--api", "http-1.0"), 0),
        (("--proof", proof, "--request", f"POST {URL}"), 1),
        (("--proof", proof, "--request", "GET /orders"), 3),
    ):
        code, said = desk.run("explain", f"DPoP {token}", "--env", env, *options)
        assert code == ends_in, said
    _, found = desk.json("mint", "--issuer", issuer.url, "--dpop", f"GET {URL}")
    assert claims_of(found["token"])["cnf"]
    assert found["proof"].count(".") == 2


def test_explain_shows_both_urls(desk: Desk, issuer: Provider) -> None:
    client = DpopClient()
    token = issuer.token({"cnf": client.cnf})
    proof = client.proof(token, "GET", "https://www.example.com/v1/orders")
    request = ("--proof", proof, "--request", f"GET {URL}")
    code, found = desk.json("explain", token, "--env", settings(desk, issuer), *request)
    assert (code, found["reason"], found["advice"]["mistake"]) == (1, "invalid_dpop_proof", "other_url")
    assert "https://www.example.com/v1/orders" in found["advice"]["text"]
    assert URL in found["advice"]["text"]
    assert [step["name"] for step in found["steps"] if step["outcome"] == "failed"] == ["binding"]
    assert proof not in json.dumps(found)
    moved = settings(desk, issuer, JWT_DPOP_URLS="https://www.example.com/v1")
    assert desk.run("explain", token, "--env", moved, *request)[0] == 0
