"""The entry point that ``template.yaml`` names: everything is put together once, when Lambda starts it."""

from __future__ import annotations

import gc
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from authorizer.function import AuthorizerFunction


def start() -> AuthorizerFunction:
    """Put the function together, with the garbage collector out of the way.

    What start-up makes stays, so looking through it for what may go is time lost: during start-up, a
    twentieth of it, and in every full collection afterwards (:func:`gc.freeze`).
    """
    gc.disable()
    try:
        from authorizer.function import create_function  # noqa: PLC0415 - importing is most of start-up

        return create_function(os.environ)
    finally:
        gc.freeze()
        gc.enable()


lambda_handler = start()
