"""One deployment for all: the demo's stack. Beside it an authorizer for a user pool, and one with copied keys."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from demo.stack import Deployed, Stack, running_stack
from demo.tools import ROOT, Tools
from jwt_authorizer_devkit.issuer import TlsFiles, local_issuer
from tests.e2e.node_tools import installed
from tests.integration.certificates import Authority

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.e2e.copied_keys import CopiedKeys
    from tests.e2e.examples import Examples
    from tests.e2e.user_pool import UserPool


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    with running_stack(Tools(), lambda _: contextlib.nullcontext()) as running:
        yield running


@pytest.fixture(scope="session")
def cdk() -> Path:
    return installed("cdk") / ".bin" / "cdk"


@pytest.fixture(scope="session")
def osls() -> Path:
    return installed("serverless-framework") / ".bin" / "osls"


@pytest.fixture(scope="session")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a release, as `make release` does; give its folder."""
    dist = tmp_path_factory.mktemp("release") / "dist"
    command = [sys.executable, "-m", "jwt_authorizer_packaging.release", "--into", str(dist)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - our own arguments
    assert done.returncode == 0, done.stderr
    return dist


@dataclass(frozen=True, slots=True)
class PoolStack:
    pool: UserPool
    deployed: Deployed


@pytest.fixture(scope="session")
def pool_stack(stack: Stack) -> PoolStack:
    from tests.e2e.user_pool import create_user_pool  # noqa: PLC0415 - boto3 is for these tests alone

    pool = create_user_pool(stack.aws)
    deployed = stack.deploy(
        "pool",
        {
            "JwtIssuer": pool.issuer,
            "JwtClientId": pool.client_id,
            # The pool's tokens name the issuer as on AWS; its keys are here.
            "JwtJwks": pool.jwks_url,
            "JwtRequiredClaims": '{"token_use": "access"}',
            "JwtTokenSource": "header:Authorization, query:token",
            "JwtHttpApiResponse": "iam",
            "JwtAllowHttp": "true",
        },
        {"SimpleResponses": "false", "WebSocketTokenSource": "route.request.querystring.token"},
    )
    return PoolStack(pool, deployed)


@pytest.fixture(scope="session")
def copied_keys(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CopiedKeys]:
    from tests.e2e.copied_keys import CopiedKeys  # noqa: PLC0415 - boto3 is for these tests alone

    authority = Authority.create(tmp_path_factory.mktemp("certificates"))
    chain = authority.server_file("localhost")
    with local_issuer(path="/copied", name="localhost", tls=TlsFiles(chain, chain)) as issuer:
        yield CopiedKeys(stack, issuer, authority.file)


@pytest.fixture(scope="session")
def examples(stack: Stack) -> Examples:
    from tests.e2e.examples import Examples  # noqa: PLC0415 - boto3 is for these tests alone

    return Examples(stack)
