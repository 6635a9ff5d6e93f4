"""Set up and stop everything that the demo and the end-to-end tests run against."""

from __future__ import annotations

import contextlib
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from demo.calls import Client
from demo.decisions import DecisionLog
from demo.deployment import Deployer
from demo.local_aws import LocalAws, local_aws
from demo.scenarios import authorizer_parameters
from demo.tools import without_the_users_aws
from jwt_authorizer_devkit.issuer import Provider, local_issuer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from demo.tools import Tools


@dataclass(frozen=True, slots=True)
class Deployed:
    """One authorizer, and APIs with a backend that use it."""

    client: Client
    log: DecisionLog


@dataclass(frozen=True, slots=True)
class Stack:
    """The issuer, the local AWS, and what is deployed there."""

    issuer: Provider
    aws: LocalAws
    deployer: Deployer
    main: Deployed


def deploy(deployer: Deployer, name: str, parameters: Mapping[str, str]) -> Deployed:
    """Deploy an authorizer with these parameters, and the demo's APIs that use it."""
    function = deployer.deploy_authorizer(f"{name}-authorizer", parameters)
    outputs = deployer.deploy_apis(f"{name}-apis", {"AuthorizerArn": function["FunctionArn"]})
    return Deployed(Client(deployer.aws, outputs), DecisionLog(deployer.aws, function["LogGroup"]))


@contextlib.contextmanager
def running_stack(tools: Tools, step: Callable[[str], contextlib.AbstractContextManager[object]]) -> Iterator[Stack]:
    """Set up everything, and stop it after the block.

    ``step`` is called with the name of each step, and its context lasts as long as the step.

    Raises:
        DemoError: Something is missing or failed.

    """
    tools.check()
    with contextlib.ExitStack() as undo:
        undo.enter_context(without_the_users_aws())
        folder = Path(undo.enter_context(tempfile.TemporaryDirectory(prefix="jwt-authorizer-demo-")))
        with step("Starting a local OpenID issuer"):
            issuer = undo.enter_context(local_issuer(path="/demo", algorithms=("RS256", "ES256")))
        with step("Starting a local AWS"):
            aws = undo.enter_context(local_aws(tools, folder))
            deployer = Deployer(tools, aws, folder)
            deployer.prepare()
        with step("sam build: the authorizer"):
            deployer.build()
        with step("sam deploy: the authorizer, a REST, an HTTP and a WebSocket API"):
            main = deploy(deployer, "demo", authorizer_parameters(issuer.url))
        yield Stack(issuer, aws, deployer, main)
