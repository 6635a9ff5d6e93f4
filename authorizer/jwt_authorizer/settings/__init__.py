"""Read the environment and the document of ``JWT_CONFIG`` into :class:`Settings`.

1. ``raw.py`` collects the settings by name: variables, and the tables of a TOML document. A ``Section`` holds those of
   one issuer, or of the whole document. It reads a value (``read``) and notes what is wrong.
2. ``table.py`` lists every setting with its reader and its default; ``values.py``, ``claim_values.py`` and
   ``issuer_values.py`` read.
3. ``loading.py`` reads each value, and ``issuers.py`` those of an issuer. They also check settings that depend on each
   other. What comes out is :class:`Settings` (``model.py``), or one
   :class:`~jwt_authorizer.errors.SettingsError` that lists every problem.

To add a setting: its row in ``table.py`` with the description below it; its reader, if none fits; its field in
``model.py`` (of a claim rule :class:`~jwt_authorizer.claims.ClaimRules`, of an answer
:class:`~jwt_authorizer.answers.AnswerSettings`); reading it in ``loading.py`` or ``issuers.py``; its use in
``wiring/``; ``make generate``. ``CONTRIBUTING.md`` says more.

For example ``JWT_LEEWAY_SECONDS=5`` and ``leeway_seconds = 5`` under ``[[issuers]]`` are the same row of the table: the
reader ``values.seconds(0)`` turns ``"5"`` and ``5`` into ``5.0``, and rejects ``-1`` with what would be right.
"""

from jwt_authorizer.settings.loading import load_settings
from jwt_authorizer.settings.model import Settings

__all__ = ["Settings", "load_settings"]
