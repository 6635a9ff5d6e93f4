"""Explain the function's own answer to an event, step by step.

``function`` builds the authorizer with observers in it, ``events`` makes an event of a bare token, ``steps`` and
``claims`` describe each step and each claim, ``routes`` what a cached copy of the answer would allow, ``advice`` what
to do.
"""

from jwt_authorizer_devkit.explaining.events import ApiKind, event_for
from jwt_authorizer_devkit.explaining.explanation import Explanation, explain
from jwt_authorizer_devkit.explaining.function import WatchedFunction, watched_function

__all__ = ["ApiKind", "Explanation", "WatchedFunction", "event_for", "explain", "watched_function"]
