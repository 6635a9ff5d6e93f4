"""Convert settings in environment variables to the equivalent TOML document."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from jwt_authorizer.claim_conditions import Claim
from jwt_authorizer.settings import claim_values, load_settings, table, values
from jwt_authorizer.settings.model import PREFIX, Place
from jwt_authorizer.settings.table import CONFIG, CONTEXT_CLAIMS, SETTINGS
from jwt_authorizer_devkit import toml_text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from os import PathLike

    from jwt_authorizer.settings.model import Setting

_LISTS = (table.AUDIENCE, table.CLIENT_ID, table.ALGORITHMS, table.TOKEN_TYPES, table.TOKEN_SOURCE)


def toml_of(environment: Mapping[str, str], package_root: str | PathLike[str]) -> str:
    """Return the document. Variables that are not ``JWT_…``, or are empty, count as not set, as for the function.

    Raises :class:`jwt_authorizer.errors.SettingsError` if the function would not start, ``ValueError`` if there is a
    document already, or if TOML cannot express a value.
    """
    given = {name: text for name, text in environment.items() if name.startswith(PREFIX) and text.strip()}
    if CONFIG.variable in given:
        raise ValueError(f"{CONFIG.variable} is set already, so there is a document")
    load_settings(given, package_root)
    top: dict[str, object] = {}
    issuer: dict[str, object] = {}
    for setting in SETTINGS:
        if setting.variable in given:
            target = issuer if setting.place is Place.ISSUER else top
            target["context" if setting.name == CONTEXT_CLAIMS.name else setting.name] = toml_value(
                setting, given[setting.variable]
            )
    return toml_text.document({**top, "issuers": [issuer]})


def toml_value(setting: Setting[object, object], text: str) -> object:
    """Return a variable's value with TOML's types: list, table, number. Raises ``ValueError`` if it is invalid."""
    if setting in _LISTS or setting.read is claim_values.claims:
        return list(values.strings(text))
    if setting == table.REQUIRED_CLAIMS:
        return _claims(text)
    read = setting.read(text)
    if isinstance(read, float):
        return int(read) if read.is_integer() else read
    if setting == CONTEXT_CLAIMS:
        return {key: claim.name for key, claim in claim_values.context_claims(text)}
    if isinstance(read, Claim):
        return read.name
    return list(read) if isinstance(read, tuple) else str(read) if isinstance(read, str) else read


def _claims(text: str) -> object:
    """Return claims as a table, or as a JSON string if TOML cannot express them (null)."""
    claims = json.loads(text)
    try:
        toml_text.document({"claims": claims})
    except ValueError:
        return json.dumps(claims)
    return claims
