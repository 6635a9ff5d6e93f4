"""PyJWT's algorithms and what they need of cryptography, without what these bring along that is never called here.

``import jwt`` also loads its HTTP client (``urllib.request``, ``http.client``, ``ssl``), its encoder, and
cryptography's certificates, SSH keys and PEM files: more than half of what starting this function would
otherwise cost. Here the one module that is needed is loaded with stand-ins in the place of the others; a
stand-in loads the real module as soon as something of it is used, which here never happens. Why, how much,
and what breaks it: ``docs/adr/0007-start-up.md``; ``tests/unit/test_start_up.py`` fails when it stops working.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from importlib import import_module
from importlib.machinery import PathFinder
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

__all__ = [
    "Algorithm",
    "ECAlgorithm",
    "Ed25519PublicKey",
    "InvalidKeyError",
    "InvalidSignature",
    "OKPAlgorithm",
    "PKCS1v15",
    "RSAAlgorithm",
    "RSAPSSAlgorithm",
    "RSAPublicKey",
    "UnsupportedAlgorithm",
]


class _StandIn(ModuleType):
    """A module that has whatever name is imported from it, and is not loaded until one of these is used."""

    def __getattr__(self, name: str) -> _Name:
        """Give out any name but Python's own; that it exists is seen when it is used."""
        if name.startswith("__"):
            raise AttributeError(name)
        return _Name(self.__name__, name)


class _Name:
    """A function or class of a module that is not loaded yet."""

    def __init__(self, module: str, name: str) -> None:
        self._module = module
        self._name = name

    def __call__(self, *arguments: object, **named: object) -> Any:  # noqa: ANN401 - as the real one
        """Call the real one."""
        return self._real()(*arguments, **named)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - as the real one
        """Look it up in the real one."""
        return getattr(self._real(), name)

    def _real(self) -> Any:  # noqa: ANN401 - whatever it is
        return getattr(import_module(self._module), self._name)


@contextmanager
def _standing_in(*modules: str) -> Iterator[None]:
    """Put stand-ins in the place of modules that are not loaded, and take them away again.

    Whoever imports one of the modules later gets the real one.
    """
    absent = [module for module in modules if module not in sys.modules]
    sys.modules.update({module: _StandIn(module) for module in absent})
    try:
        yield
    finally:
        for module in absent:
            del sys.modules[module]


@contextmanager
def _without_package_code(package: str) -> Iterator[None]:
    """Import a package's modules without running its ``__init__``, and forget them afterwards.

    Whoever imports the package later gets the whole of it, loaded anew. Nothing is done where it is loaded already.
    """
    spec = PathFinder.find_spec(package)
    if spec is None or package in sys.modules:
        yield
        return
    empty = ModuleType(package)
    empty.__spec__, empty.__path__ = spec, spec.submodule_search_locations or []
    sys.modules[package] = empty
    try:
        yield
    finally:
        # The modules as well: a package that is imported later would not get those as its attributes.
        for module in [name for name in sys.modules if name == package or name.startswith(f"{package}.")]:
            del sys.modules[module]


with (
    _standing_in("cryptography.x509", "cryptography.hazmat.primitives.serialization", "random"),
    _without_package_code("jwt"),
):
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from jwt.algorithms import Algorithm, ECAlgorithm, OKPAlgorithm, RSAAlgorithm, RSAPSSAlgorithm
    from jwt.exceptions import InvalidKeyError
