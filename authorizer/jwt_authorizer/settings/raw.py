"""Collect the settings from the environment and from the TOML document, before their values are read."""

from __future__ import annotations

import json
from contextlib import contextmanager, suppress
from hashlib import sha256
from typing import TYPE_CHECKING

from jwt_authorizer.errors import Problem
from jwt_authorizer.issuers.documents import document_reader, document_text
from jwt_authorizer.issuers.fetched import FetchError
from jwt_authorizer.records import dataclass, field
from jwt_authorizer.settings.model import PREFIX, Place, Setting
from jwt_authorizer.settings.table import CONFIG, CONTEXT_CLAIMS, ISSUER, SETTINGS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from os import PathLike
    from typing import TypeVar

    T = TypeVar("T")
    D = TypeVar("D")

DOCUMENT_TIMEOUT = 5.0
"""Seconds that S3, Parameter Store or Secrets Manager may take at start-up."""
_CONTEXT = "context"
_TABLES = ("issuers", "routes", "fields", _CONTEXT, "unlisted_routes")


@dataclass(frozen=True, slots=True)
class RawValue:
    """A value, and the name that messages have for it: a variable, or a path into the document."""

    label: str
    value: object


class Problems(list[Problem]):
    """The problems found so far: all are reported at once."""

    def add(self, name: str, message: str, value: object = None, *, is_location: bool = False) -> None:
        """Add one, unless it is there already: a default for all issuers is read for each of them."""
        problem = Problem.of(name, message, value, is_location=is_location)
        if problem not in self:
            self.append(problem)


@dataclass(frozen=True, slots=True)
class Section:
    """Settings that belong together: those of one issuer, or those of all (variables, and above all tables).

    ``table`` is the name of an ``[[issuers]]`` table for messages, such as ``issuers[0]``; ``None`` if there is none.
    """

    problems: Problems
    table: str | None = None
    written: dict[str, RawValue] = field(default_factory=dict)

    def __contains__(self, setting: Setting[object, object]) -> bool:
        """Return whether a setting is in this section."""
        return setting.name in self.written

    def label(self, setting: Setting[object, object]) -> str:
        """Return the name that messages have for a setting in this section."""
        if setting in self:
            return self.written[setting.name].label
        return setting.variable if self.table is None else f"{self.table}.{setting.name}"

    def read(self, setting: Setting[T, D]) -> T | D:
        """Return a setting's value. If it is wrong, note the problem and return the default."""
        if setting in self:
            value = self.written[setting.name].value
            with self.collecting(setting, value):
                return setting.read(value)
        return setting.default

    def problem(self, setting: Setting[object, object], message: str, value: object = None) -> None:
        """Note that a setting is wrong. ``value`` is shown, unless it may be a secret."""
        self.problems.add(self.label(setting), message, value, is_location=setting.may_be_secret)

    @contextmanager
    def collecting(self, setting: Setting[object, object], value: object = None) -> Iterator[None]:
        """Note a ``ValueError`` or :class:`FetchError` that is raised inside ``with`` as a problem."""
        try:
            yield
        except (ValueError, FetchError) as error:
            self.problem(setting, str(error), value)


@dataclass(frozen=True, slots=True)
class RawSettings:
    """All settings before their values are read. ``tables``: the other members of the document, such as ``routes``."""

    problems: Problems
    document: Section
    issuers: list[Section] = field(default_factory=list)
    tables: dict[str, object] = field(default_factory=dict)


def read_raw(environment: Mapping[str, str], package_root: str | PathLike[str]) -> RawSettings:
    """Collect the settings. ``package_root`` is the folder that ``file:`` paths are relative to.

    A variable that is set to nothing counts as not set, which is what an empty template parameter makes of it.
    """
    problems = Problems()
    raw = RawSettings(problems, Section(problems))
    by_variable = {setting.variable: setting for setting in SETTINGS}
    given = _given(environment, problems)
    config = given.pop(CONFIG.variable, None)
    issuer = Section(problems)
    for name, text in sorted(given.items()):
        setting = by_variable.get(name)
        if setting is None:
            problems.add(name, _unknown(name, by_variable))
            continue
        if config is not None and setting.place is not Place.EITHER:
            where = f"belongs in the document of {CONFIG.variable} ({_written_as(setting)}), once that is set"
            problems.add(name, where)
        section = issuer if setting.place is Place.ISSUER else raw.document
        section.written[setting.name] = RawValue(name, text)
    if config is None:
        raw.issuers.append(issuer)
    elif (document := _document(problems, config.strip(), package_root)) is not None:
        _read_document(raw, document)
    return raw


def _given(environment: Mapping[str, object], problems: Problems) -> dict[str, str]:
    """Return the variables that are set. A program's own mapping may hold values that are not strings."""
    given: dict[str, str] = {}
    for name in [name for name in environment if name.startswith(PREFIX)]:
        text = environment[name]
        if not isinstance(text, str):
            problems.add(name, f"expected a string, as in an environment variable, not {type(text).__name__}")
        elif text.strip():
            given[name] = text
    return given


def _document(problems: Problems, config: str, package_root: str | PathLike[str]) -> dict[str, object] | None:
    """Parse the document that ``JWT_CONFIG`` names, or is. ``None``: it is not one, which was noted.

    A build adds ``X.toml.parsed`` to ``X.toml``: the digest of the text that it parsed, and JSON. Importing tomllib and
    parsing 300 routes takes a fifth of start-up.
    """
    try:
        text = _text(config, package_root)
        if config.startswith("file:"):
            with suppress(ValueError):
                digest, _, parsed = _text(f"{config}.parsed", package_root).partition("\n")
                if digest == sha256(text.encode()).hexdigest():
                    return dict(json.loads(parsed))
    except (ValueError, FetchError) as error:
        problems.add(CONFIG.variable, f"cannot be read: {error}")
        return None
    import tomllib  # noqa: PLC0415 - start-up needs it only for a document that the build has not parsed

    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        problems.add(CONFIG.variable, f"is not a TOML document: {error}")
        return None


def _text(config: str, package_root: str | PathLike[str]) -> str:
    if config.startswith(("file:", "ssm:", "s3:")):
        return document_text(document_reader(config, timeout=DOCUMENT_TIMEOUT, package_root=package_root)())
    if config.startswith(("https:", "http:")) or not any(character in config for character in "\n=[#"):
        raise ValueError("neither TOML nor its location: file:PATH (in the package), ssm:/name or s3://bucket/key")
    return config


def _read_document(raw: RawSettings, document: dict[str, object]) -> None:
    by_name = {setting.name: setting for setting in SETTINGS if setting not in (CONFIG, CONTEXT_CLAIMS, ISSUER)}
    above: dict[str, RawValue] = {}
    for name, value in document.items():
        setting = by_name.get(name)
        if name == _CONTEXT:
            raw.document.written[CONTEXT_CLAIMS.name] = RawValue(name, value)
        elif name in _TABLES:
            raw.tables[name] = value
        elif setting is None:
            raw.problems.add(name, _unknown(name, [*by_name, *_TABLES]))
        elif setting.place is Place.ISSUER:
            above[name] = RawValue(name, value)
        elif setting in raw.document:
            raw.problems.add(name, f"is set here and as {setting.variable}: keep one of them")
        else:
            raw.document.written[name] = RawValue(name, value)
    _read_issuers(raw, raw.tables.get("issuers"), above)


def _read_issuers(raw: RawSettings, tables: object, above: dict[str, RawValue]) -> None:
    if not isinstance(tables, list) or not tables:
        raw.problems.add("issuers", "expected at least one [[issuers]] table")
        return
    known = [setting.name for setting in SETTINGS if setting.place is Place.ISSUER]
    for position, table in enumerate(tables):
        label = f"issuers[{position}]"
        if not isinstance(table, dict):
            raw.problems.add(label, "expected a table: write [[issuers]] above it")
            continue
        section = Section(raw.problems, label, dict(above))
        for name, value in table.items():
            if name in known:
                section.written[name] = RawValue(f"{label}.{name}", value)
            else:
                raw.problems.add(f"{label}.{name}", _unknown(name, known, "setting of an issuer"))
        raw.issuers.append(section)


def _written_as(setting: Setting[object, object]) -> str:
    """Return where in the document a setting belongs."""
    if setting is CONTEXT_CLAIMS:
        return 'under [context]: key = "claim"'
    return f"{setting.name} = … " + ("under [[issuers]]" if setting.place is Place.ISSUER else "above all tables")


def _unknown(name: str, known: Iterable[str], kind: str = "setting") -> str:
    """Return a message that names the setting that may be meant."""
    from difflib import get_close_matches  # noqa: PLC0415 - only where start-up fails anyway

    close = get_close_matches(name, list(known), n=1)
    listed = f": did you mean {close[0]}?" if close else f"; there are {', '.join(sorted(known))}"
    return f"there is no such {kind}{listed}"
