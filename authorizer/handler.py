"""The entry point that ``template.yaml`` names: everything is put together once, when Lambda starts it."""

from __future__ import annotations

import os

from authorizer.function import create_function

lambda_handler = create_function(os.environ)
