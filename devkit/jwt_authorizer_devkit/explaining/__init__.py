"""Why was I refused? The function's own answer to an event, and what it saw on the way.

``function`` puts the function together with watchers in it, ``events`` makes an event of a bare token, ``steps`` and
``claims`` tell what happened, ``routes`` what a cached copy of the answer would serve, ``advice`` what to do.
"""

from jwt_authorizer_devkit.explaining.events import ApiKind, event_for
from jwt_authorizer_devkit.explaining.explanation import Explanation, explain
from jwt_authorizer_devkit.explaining.function import WatchedFunction, watched_function

__all__ = ["ApiKind", "Explanation", "WatchedFunction", "event_for", "explain", "watched_function"]
