"""PyJWT's algorithms, without what they bring along that an authorizer never calls.

``import jwt`` also loads its HTTP client (``urllib.request``, ``http.client``, ``ssl``), its encoder, and
``cryptography.x509`` for certificates: more than half of what starting this function would otherwise cost.
Here the package's ``__init__`` is not run while the one module that is needed is loaded, and
``cryptography.x509`` is loaded when first touched, which is never. Why, how much, and what breaks it:
``docs/adr/0006-start-up.md``; ``tests/unit/test_start_up.py`` fails when it stops working.
"""

from __future__ import annotations

import importlib.util
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Algorithm", "ECAlgorithm", "InvalidKeyError", "OKPAlgorithm", "RSAAlgorithm", "RSAPSSAlgorithm"]


@contextmanager
def _without_package_code(package: str) -> Iterator[None]:
    """Import a package's modules without running its ``__init__``, and forget that afterwards.

    Whoever imports the package later gets the whole of it, sharing the modules loaded here. Nothing is
    done where it is loaded already.
    """
    spec = importlib.util.find_spec(package)
    if spec is None or package in sys.modules:
        yield
        return
    sys.modules[package] = importlib.util.module_from_spec(spec)
    try:
        yield
    finally:
        del sys.modules[package]


def _load_when_touched(module: str) -> None:
    """Put a module in place that loads itself at its first use (:class:`importlib.util.LazyLoader`)."""
    spec = importlib.util.find_spec(module)
    if spec is None or spec.loader is None or module in sys.modules:
        return
    spec.loader = importlib.util.LazyLoader(spec.loader)
    lazy = importlib.util.module_from_spec(spec)
    sys.modules[module] = lazy
    spec.loader.exec_module(lazy)
    parent, _, name = module.rpartition(".")
    setattr(sys.modules[parent], name, lazy)


_load_when_touched("cryptography.x509")
with _without_package_code("jwt"):
    from jwt.algorithms import Algorithm, ECAlgorithm, OKPAlgorithm, RSAAlgorithm, RSAPSSAlgorithm
    from jwt.exceptions import InvalidKeyError
