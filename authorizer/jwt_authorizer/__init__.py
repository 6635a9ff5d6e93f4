"""A Lambda authorizer for API Gateway that accepts the JWTs of any OpenID Connect issuer.

Public are the names in ``__all__``: :func:`create_function` builds the function from a mapping of settings, for
handlers that wrap it; :class:`Caller` and :class:`Refuse` are what a hook gets and may return. To see how a request
becomes an answer, start reading at :mod:`jwt_authorizer.authorize`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jwt_authorizer.function import AuthorizerFunction, create_function
    from jwt_authorizer.hooks import Caller, CallerRequest, Refuse

__all__ = ["AuthorizerFunction", "Caller", "CallerRequest", "Refuse", "create_function"]
__version__ = "0.1.0"

NAMESPACE = "JwtAuthorizer"
"""CloudWatch's namespace for every metric."""


def __getattr__(name: str) -> object:
    """Import a public name when it is first used: whoever uses none pays for none (PEP 562)."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - the same

    place = "hooks" if name in {"Caller", "CallerRequest", "Refuse"} else "function"
    return getattr(import_module(f"{__name__}.{place}"), name)
