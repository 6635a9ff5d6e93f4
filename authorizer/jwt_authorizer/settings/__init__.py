"""Read the environment and the document of ``JWT_CONFIG`` into :class:`Settings`.

1. ``raw.py`` collects what was written and where: variables, or the tables of a TOML document. It knows only names. A
   ``Section`` of it is read by settings (``take``) and notes their problems.
2. ``table.py`` lists every setting with its reader and its default; ``values.py``, ``claim_values.py`` and
   ``issuer_values.py`` read.
3. ``loading.py`` reads each value, ``issuers.py`` those of an issuer. They check what holds between several settings.
   What comes out is :class:`Settings` (``model.py``), or one :class:`~jwt_authorizer.errors.SettingsError` that lists
   every problem.

For example ``JWT_LEEWAY_SECONDS=5`` and ``leeway_seconds = 5`` under ``[[issuers]]`` are the same row of the table: the
reader ``values.seconds(0)`` turns ``"5"`` and ``5`` into ``5.0``, and refuses ``-1`` saying what is right.
"""

from jwt_authorizer.settings.loading import load_settings
from jwt_authorizer.settings.model import Settings

__all__ = ["Settings", "load_settings"]
