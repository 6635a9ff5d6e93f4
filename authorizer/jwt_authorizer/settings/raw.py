"""Collect settings as they were written, in the environment or in a TOML document, before their values are read."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from jwt_authorizer.errors import Problem
from jwt_authorizer.issuers.fetched import FetchError
from jwt_authorizer.records import dataclass, field
from jwt_authorizer.settings.model import PREFIX, Place
from jwt_authorizer.settings.table import CONFIG, CONTEXT_CLAIMS, ISSUER, SETTINGS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import TypeVar

    from jwt_authorizer.settings.model import Setting

    T = TypeVar("T")
    D = TypeVar("D")

_CONTEXT = "context"
_LOCATIONS = frozenset({"jwks", "tenants", "introspection_secret", "log_principal_key"})
"""Their wrong values may be secrets: private keys among the public ones, a secret instead of its location."""
_TABLES = ("issuers", "routes", "fields", _CONTEXT, "unlisted_routes")


@dataclass(frozen=True, slots=True)
class Written:
    """A value with the name that its user wrote: a variable, or a path into the document."""

    label: str
    value: object


@dataclass(frozen=True, slots=True)
class RawIssuer:
    """What was written about one issuer. ``table`` is its table's name, or ``None`` in the environment."""

    table: str | None
    written: dict[str, Written]

    def label(self, setting: Setting[object, object]) -> str:
        """Return the name that this setting has, or would have, where this issuer is described."""
        if setting.name in self.written:
            return self.written[setting.name].label
        return setting.variable if self.table is None else f"{self.table}.{setting.name}"


@dataclass(slots=True)
class RawSettings:
    """What was written where, and the problems found so far."""

    issuers: list[RawIssuer] = field(default_factory=list)
    document: dict[str, Written] = field(default_factory=dict)
    routes: Written | None = None
    fields: Written | None = None
    unlisted_routes: Written | None = None
    problems: list[Problem] = field(default_factory=list)

    @contextmanager
    def collecting(self, name: str, value: object = None, *, is_location: bool = False) -> Iterator[None]:
        """Make a problem of a ``ValueError`` or :class:`FetchError` that is raised inside."""
        try:
            yield
        except (ValueError, FetchError) as error:
            self.problem(name, str(error), value, is_location=is_location)

    def problem(self, name: str, message: str, value: object = None, *, is_location: bool = False) -> None:
        """Add one wrong setting and go on, so that all are reported at once."""
        problem = Problem.of(name, message, value, is_location=is_location)
        if problem not in self.problems:  # what stands above all issuers is read for each of them
            self.problems.append(problem)


def read_raw(environment: Mapping[str, str], read_document: Callable[[str], str | dict[str, object]]) -> RawSettings:
    """Collect the settings. ``read_document`` returns what ``JWT_CONFIG`` names: TOML, or that parsed.

    It may raise ``ValueError`` and :class:`FetchError`.

    A variable that is set to nothing counts as not set, which is what an empty template parameter makes of it.
    """
    raw = RawSettings()
    by_variable = {setting.variable: setting for setting in SETTINGS}
    given = {name: text for name, text in environment.items() if name.startswith(PREFIX) and text.strip()}
    config = given.pop(CONFIG.variable, None)
    for name in sorted(given.keys() - by_variable.keys()):
        raw.problem(name, _unknown(name, by_variable))
    issuer: dict[str, Written] = {}
    for name, text in given.items():
        setting = by_variable.get(name)
        if setting is None:
            continue
        if config is not None and setting.place is not Place.EITHER:
            raw.problem(
                name, f"belongs into the document of {CONFIG.variable} ({_written_as(setting)}), once that is set"
            )
        target = issuer if setting.place is Place.ISSUER else raw.document
        target[setting.name] = Written(name, text)
    if config is None:
        raw.issuers.append(RawIssuer(None, issuer))
        return raw
    document = _parse_document(raw, config.strip(), read_document)
    if document is not None:
        _read_document(raw, document)
    return raw


def _parse_document(
    raw: RawSettings, config: str, read_document: Callable[[str], str | dict[str, object]]
) -> dict[str, object] | None:
    try:
        text = read_document(config)
    except (ValueError, FetchError) as error:
        raw.problem(CONFIG.variable, f"cannot be read: {error}")
        return None
    if isinstance(text, dict):
        return text
    import tomllib  # noqa: PLC0415 - start-up needs it only for a document that the build has not parsed

    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raw.problem(CONFIG.variable, f"is not a TOML document: {error}")
        return None


def _read_document(raw: RawSettings, document: dict[str, object]) -> None:
    by_name = {setting.name: setting for setting in SETTINGS if setting not in (CONFIG, CONTEXT_CLAIMS, ISSUER)}
    defaults: dict[str, Written] = {}
    for name, value in document.items():
        setting = by_name.get(name)
        if name in _TABLES:
            continue
        if setting is None:
            raw.problem(name, _unknown(name, [*by_name, *_TABLES]))
        elif setting.place is Place.ISSUER:
            defaults[name] = Written(name, value)
        elif name in raw.document:
            raw.problem(name, f"is set here and as {setting.variable}: keep one of them")
        else:
            raw.document[name] = Written(name, value)
    if _CONTEXT in document:
        raw.document[CONTEXT_CLAIMS.name] = Written(_CONTEXT, document[_CONTEXT])
    raw.routes, raw.fields, raw.unlisted_routes = (
        Written(name, document[name]) if name in document else None for name in ("routes", "fields", "unlisted_routes")
    )
    _read_issuers(raw, document.get("issuers"), defaults)


def _read_issuers(raw: RawSettings, tables: object, defaults: dict[str, Written]) -> None:
    if not isinstance(tables, list) or not tables:
        raw.problem("issuers", "expected at least one [[issuers]] table")
        return
    known = [setting.name for setting in SETTINGS if setting.place is Place.ISSUER]
    for position, table in enumerate(tables):
        label = f"issuers[{position}]"
        if not isinstance(table, dict):
            raw.problem(label, "expected a table: write [[issuers]] above it")
            continue
        issuer = dict(defaults)
        for name, value in table.items():
            if name in known:
                issuer[name] = Written(f"{label}.{name}", value)
            else:
                raw.problem(f"{label}.{name}", _unknown(name, known, "setting of an issuer"))
        raw.issuers.append(RawIssuer(label, issuer))


def _written_as(setting: Setting[object, object]) -> str:
    """Return where in the document a setting belongs."""
    if setting is CONTEXT_CLAIMS:
        return 'under [context]: key = "claim"'
    return f"{setting.name} = … " + ("under [[issuers]]" if setting.place is Place.ISSUER else "above all tables")


def _unknown(name: str, known: Iterable[str], kind: str = "setting") -> str:
    """Return a message that names the setting that may be meant."""
    return f"there is no such {kind}{_suggestion(name, list(known))}"


def _suggestion(name: str, known: list[str]) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 - only where start-up fails anyway

    close = get_close_matches(name, known, n=1)
    return f": did you mean {close[0]}?" if close else f"; there are {', '.join(sorted(known))}"


def take(raw: RawSettings, written: Mapping[str, Written], setting: Setting[T, D]) -> T | D:
    """Read one setting. If its value is wrong, note the problem and go on with the default."""
    if setting.name not in written:
        return setting.default
    entry = written[setting.name]
    try:
        return setting.read(entry.value)
    except ValueError as error:
        raw.problem(entry.label, str(error), entry.value, is_location=setting.name in _LOCATIONS)
        return setting.default
