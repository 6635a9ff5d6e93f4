"""ML-DSA (RFC 9964) against npm's jose: each accepts what the other signs, and neither what was changed."""

from __future__ import annotations

import json
import subprocess
import time
from typing import Any

import pytest

from demo.tools import ROOT
from jwt_authorizer.function import create_function
from jwt_authorizer_devkit.events import sample
from jwt_authorizer_devkit.mint import mint
from jwt_authorizer_devkit.signing import generate
from tests.e2e.node_tools import installed, node_environment, script

ALGORITHMS = ("ML-DSA-44", "ML-DSA-65", "ML-DSA-87")
ISSUER, API = "https://issuer.example.com", "https://api.example.com"


def changed(token: str) -> str:
    """Give the token with one other bit in its signature."""
    head, payload, signature = token.split(".")
    return f"{head}.{payload}.{'B' if signature[0] == 'A' else 'A'}{signature[1:]}"


@pytest.fixture(scope="module")
def claims() -> dict[str, Any]:
    now = int(time.time())
    return {"iss": ISSUER, "aud": API, "sub": "user-1", "iat": now, "exp": now + 600}


@pytest.fixture(scope="module")
def answered(claims: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Let jose sign, and check what the devkit signed: each token as it is, then changed."""
    folder = tmp_path_factory.mktemp("ml-dsa")
    command = script(ROOT / "tests" / "e2e" / "ml-dsa" / "tokens.mjs", folder, "ml-dsa")
    found = sorted(installed("ml-dsa").glob("node-linux-*/bin/node"))
    if not found:
        pytest.skip("npm has no Node with ML-DSA for this machine")
    asked = []
    for alg in ALGORITHMS:
        key = generate(alg, "ours")
        token = mint(key, claims)
        asked += [{"jwk": key.public_jwk(), "token": each} for each in (token, changed(token))]
    done = subprocess.run(  # noqa: S603 - our own arguments
        [str(found[0]), *command[1:]],
        input=json.dumps({"claims": claims, "tokens": asked}),
        env=node_environment(folder),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_jose_accepts_the_devkits_tokens_and_none_that_was_changed(
    claims: dict[str, Any], answered: dict[str, Any]
) -> None:
    assert answered["checked"] == [claims, "ERR_JWS_SIGNATURE_VERIFICATION_FAILED"] * len(ALGORITHMS)


@pytest.mark.parametrize("place", range(len(ALGORITHMS)), ids=ALGORITHMS)
def test_the_function_accepts_joses_tokens_and_none_that_was_changed(answered: dict[str, Any], place: int) -> None:
    jwk, token = answered["made"][place]["jwk"], answered["made"][place]["token"]
    assert jwk["alg"] == ALGORITHMS[place]
    keys = json.dumps({"keys": [jwk]})
    settings = {"JWT_ISSUER": ISSUER, "JWT_AUDIENCE": API, "JWT_JWKS": keys, "JWT_ALGORITHMS": ",".join(ALGORITHMS)}
    function = create_function(settings, write=lambda _: None)
    assert function(sample("rest-request", token), None)["principalId"] == "user-1"
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        function(sample("rest-request", changed(token)), None)
