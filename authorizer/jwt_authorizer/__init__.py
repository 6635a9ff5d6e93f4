"""A Lambda authorizer for API Gateway that accepts the JWTs of any OpenID Connect issuer.

What goes in: an authorizer event of API Gateway or AppSync. What comes out: an IAM policy, a simple response, AppSync's
answer, or an error, which API Gateway turns into 401 or 500.

Lambda imports ``handler.py``, which builds the function once: ``function.py`` reads ``settings/``, and ``wiring/``
makes the parts from them. ``authorize.py`` decides about each event: start reading there. ``log_line.py`` writes the
log line of each decision. ``refresher.py`` and ``revoker.py`` are the other two functions of the stack.

The names in ``__all__`` are public: :func:`create_function` builds the function from a mapping of settings, for
handlers that wrap it; a hook gets a :class:`Caller`, and may return :class:`Refuse`.
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
    """Import a public name when it is first used, since imports are most of a cold start (PEP 562)."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - only for public names

    module = "hooks" if name in {"Caller", "CallerRequest", "Refuse"} else "function"
    return getattr(import_module(f"{__name__}.{module}"), name)
