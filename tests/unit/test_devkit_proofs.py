"""Bound tokens at the desk: the issuer binds them, `mint` makes the pair, `explain` takes a proof."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.parse
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

from jwt_authorizer.tokens import BearerToken, parse
from jwt_authorizer_devkit.issuer import Provider, local_issuer
from jwt_authorizer_devkit.proofs import DpopClient, InvalidProofError, bound_key
from jwt_authorizer_devkit.signing import ALGORITHMS, generate
from tests.unit.desk import Desk, set_up

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

URL = "https://api.example.com/orders"
TOKEN_URL = "https://issuer.example.com/token"


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    return set_up(tmp_path, capsys)


@pytest.fixture
def issuer() -> Iterator[Provider]:
    with local_issuer(algorithms=("ES256",)) as provider:
        yield provider


def settings(desk: Desk, issuer: Provider, **more: str) -> str:
    """Write the settings of a function that checks DPoP."""
    variables = {"JWT_ISSUER": issuer.url, "JWT_AUDIENCE": "https://api.example.com", "JWT_ALLOW_HTTP": "true"}
    bound = {"JWT_BOUND_TOKENS": "dpop", "JWT_CACHED_BY": "nothing"}
    return desk.write("function.env", "".join(f"{name}={text}\n" for name, text in (variables | bound | more).items()))


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_a_proof_of_each_algorithm_binds_to_its_key(alg: str) -> None:
    client = DpopClient(generate(alg, None))
    assert bound_key(client.proof(None, "POST", TOKEN_URL), "POST", TOKEN_URL) == client.cnf["jkt"]


@pytest.mark.parametrize(
    "proof",
    [
        "not a proof",
        DpopClient().proof(None, "GET", TOKEN_URL),
        DpopClient().proof(None, "POST", URL),
        DpopClient().proof(None, "POST", TOKEN_URL, jti=None),
        DpopClient().proof(None, "POST", TOKEN_URL).rpartition(".")[0] + ".AAAA",
        generate("ES256", "k").sign(b"").hex(),
    ],
)
def test_anything_else_binds_nothing(proof: str) -> None:
    with pytest.raises(InvalidProofError):
        bound_key(proof, "POST", TOKEN_URL)


def test_the_local_issuer_binds_the_token_to_the_proof_s_key(issuer: Provider) -> None:
    client = DpopClient()

    def ask(proof: str) -> dict[str, Any]:
        form = urllib.parse.urlencode({"grant_type": "client_credentials", "client_id": "a"}).encode()
        request = urllib.request.Request(issuer.token_url, form, {"DPoP": proof})  # noqa: S310 - our own server
        with urllib.request.urlopen(request) as response:  # noqa: S310 - as above
            answer: dict[str, Any] = json.load(response)
            return answer

    answer = ask(client.proof(None, "POST", issuer.token_url))
    assert answer["token_type"] == "DPoP"
    assert parse(BearerToken(answer["access_token"])).claims["cnf"] == client.cnf
    with pytest.raises(urllib.error.HTTPError) as caught:
        ask(client.proof(None, "POST", URL))
    with caught.value:
        assert json.load(caught.value)["error"] == "invalid_dpop_proof"


def test_mint_prints_the_pair_and_explain_takes_it(desk: Desk, issuer: Provider) -> None:
    code, text = desk.run("mint", "--issuer", issuer.url, "--dpop", f"get {URL}?page=2")
    assert code == 0
    first, second = text.splitlines()
    token, proof = first.removeprefix("Authorization: DPoP "), second.removeprefix("DPoP: ")
    env = settings(desk, issuer)
    for options, ends_in in (
        (("--proof", proof, "--request", f"GET {URL}"), 0),
        (("--proof", f"DPoP: {proof}", "--request", f"GET {URL}", "--api", "http"), 0),
        (("--proof", desk.write("proof.txt", proof), "--request", f"GET {URL}", "--api", "http-1.0"), 0),
        (("--proof", proof, "--request", f"POST {URL}"), 1),
        (("--proof", proof, "--request", f"GET {URL}/1"), 1),
        (("--proof", proof, "--request", "GET /orders"), 3),
        (("--request", f"GET {URL}"), 1),
    ):
        code, said = desk.run("explain", f"DPoP {token}", "--env", env, *options)
        assert code == ends_in, said
    code, found = desk.json("mint", "--issuer", issuer.url, "--dpop", f"GET {URL}", "--json")
    assert parse(BearerToken(found["token"])).claims["cnf"]
    assert found["proof"].count(".") == 2
    assert desk.run("mint", "--dpop", "GET /orders")[0] == 2


def test_explain_names_the_check_and_shows_both_urls(desk: Desk, issuer: Provider) -> None:
    client = DpopClient()
    token = issuer.token({"cnf": client.cnf})
    proof = client.proof(token, "GET", "https://www.example.com/v1/orders")
    request = ("--proof", proof, "--request", f"GET {URL}")
    code, found = desk.json("explain", token, "--env", settings(desk, issuer), *request, "--json")
    assert (code, found["reason"], found["advice"]["mistake"]) == (1, "invalid_dpop_proof", "other_url")
    assert "check 9" in found["detail"]
    assert "https://www.example.com/v1/orders" in found["advice"]["text"]
    assert URL in found["advice"]["text"]
    (step,) = [step for step in found["steps"] if step["outcome"] == "failed"]
    assert step["name"] == "binding"
    assert proof not in json.dumps(found)
    moved = settings(desk, issuer, JWT_DPOP_URLS="https://www.example.com/v1")
    assert desk.run("explain", token, "--env", moved, *request)[0] == 0
    # Another check has no such advice, nor has a proof that can't be read.
    late = client.proof(token, "GET", URL, now=time.time() - 500)
    env = settings(desk, issuer)
    for wrong in (late, "garbage"):
        _, found = desk.json("explain", token, "--env", env, "--proof", wrong, "--request", f"GET {URL}", "--json")
        assert found["advice"]["mistake"] == "invalid_dpop_proof"


def test_explain_says_that_a_binding_was_ignored(desk: Desk, issuer: Provider) -> None:
    ignoring = settings(desk, issuer, JWT_BOUND_TOKENS="ignore")
    _, found = desk.json("explain", issuer.token({"cnf": DpopClient().cnf}), "--env", ignoring, "--json")
    (step,) = [step for step in found["steps"] if step["name"] == "binding"]
    assert "ignore" in step["said"]
