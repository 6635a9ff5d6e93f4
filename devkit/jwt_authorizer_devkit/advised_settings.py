"""Write the settings in advice as the user does: as environment variables, or as keys of the TOML document."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from jwt_authorizer.settings.model import PREFIX
from jwt_authorizer.settings.table import CONFIG, SETTINGS
from jwt_authorizer_devkit import toml_text
from jwt_authorizer_devkit.environment_toml import toml_value

if TYPE_CHECKING:
    from collections.abc import Mapping

_SETTINGS = {setting.variable: setting for setting in SETTINGS}
# A value ends at white space, except in JSON and in a placeholder such as <app client id>.
_NAMED = re.compile(rf"({PREFIX}[A-Z_]+)(?:=(\{{.*?\}}(?!\}})|<[^>]*>|\S*[^\s.,:;)]))?")


def advised(text: str, variables: Mapping[str, str]) -> str:
    """Return advice that says ``JWT_NAME`` or ``JWT_NAME=value`` in the form that ``variables`` are written in.

    If they set ``JWT_CONFIG``, advice has ``name = value`` in TOML. A setting with a variable of its own keeps that,
    since a setting must not be both in the document and in a variable.
    """
    if CONFIG.variable not in variables:
        return text

    def in_toml(match: re.Match[str]) -> str:
        setting = _SETTINGS.get(match[1])
        if setting is None or match[1] in variables:
            return match[0]
        if match[2] is None:
            return setting.name
        try:
            return toml_text.line(setting.name, toml_value(setting, match[2]))
        except ValueError:  # a placeholder
            return toml_text.line(setting.name, match[2])

    return _NAMED.sub(in_toml, text)
