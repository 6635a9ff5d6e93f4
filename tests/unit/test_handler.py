"""The entry point that the template names: put together from the environment when it is imported."""

from __future__ import annotations

import gc
import importlib
import json
import sys
from typing import TYPE_CHECKING

import pytest

from authorizer.errors import SettingsError
from devkit.signing import key_set
from tests.factories import AUDIENCE, ISSUER, rest_token_event, signing_key

if TYPE_CHECKING:
    from authorizer.function import AuthorizerFunction


def start(monkeypatch: pytest.MonkeyPatch, **settings: str) -> AuthorizerFunction:
    """Import the module as Lambda does, once for each environment."""
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    sys.modules.pop("authorizer.handler", None)
    try:
        function: AuthorizerFunction = importlib.import_module("authorizer.handler").lambda_handler
    finally:
        assert gc.isenabled()
        gc.unfreeze()  # what the tests make may go again
    return function


def test_importing_it_reads_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    jwks = json.dumps(key_set((signing_key(),)))
    function = start(monkeypatch, JWT_ISSUER=ISSUER, JWT_AUDIENCE=AUDIENCE, JWT_JWKS=jwks)
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        function(rest_token_event(None), None)


def test_wrong_settings_stop_the_import(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match="JWT_AUDIENCE"):
        start(monkeypatch, JWT_ISSUER=ISSUER)
