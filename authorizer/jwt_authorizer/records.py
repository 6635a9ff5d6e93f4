"""``@dataclass`` and ``field`` as in the standard library, in a seventh of its time.

The standard library compiles six methods for every class, and imports ``inspect`` and ``ast`` for that: a quarter of
the function's cold start. Here only the constructor is compiled, and the other methods are shared. The type checker
sees the standard library's. What nothing here needs is left out: inheritance, order, keyword-only fields, ``asdict``,
copies (other than :func:`replace`) and pickles.

Figures: ``docs/adr/0007-start-up.md``. ``tests/unit/test_records.py`` compares each feature with the original.
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from dataclasses import dataclass, field, replace
    from dataclasses import dataclass as request_dataclass
    from typing import Any, TypeVar

    C = TypeVar("C")

__all__ = ["dataclass", "field", "replace", "request_dataclass"]

_MISSING: Any = object()
_ABOUT_STORAGE = frozenset({"__dict__", "__weakref__"})
_GUARD = ("__setattr__", "__delattr__")


class FrozenError(AttributeError):
    """An attribute of a frozen value was set or deleted."""


class _Field:
    """The options of one field."""

    __slots__ = ("compare", "default", "default_factory", "init", "repr")

    def __init__(
        self,
        *,
        default: object = _MISSING,
        default_factory: object = _MISSING,
        init: bool = True,
        repr: bool = True,  # noqa: A002 - their name
        compare: bool = True,
    ) -> None:
        self.compare = compare
        self.default = default
        self.default_factory = default_factory
        self.init = init
        self.repr = repr


def _dataclass(
    *, slots: bool, frozen: bool = False, eq: bool = True, guarded: bool = True
) -> Callable[[type[C]], type[C]]:
    """Make the decorator, for classes with slots only. A guard raises when an attribute of a frozen value is set."""
    if not slots:
        raise TypeError("only dataclasses with slots=True are made here")
    return lambda declared: _make(declared, frozen=frozen, eq=eq, guarded=frozen and guarded)


def _request_dataclass(*, slots: bool, frozen: bool) -> Callable[[type[C]], type[C]]:
    """Make the decorator for values that each request makes: without a guard, which costs time. mypy checks them."""
    return _dataclass(slots=slots, frozen=frozen, guarded=False)


def _make(declared: type[C], *, frozen: bool, eq: bool, guarded: bool) -> type[C]:
    """Make a new class: slots cannot be added to an existing one."""
    own = declared.__dict__
    fields = {name: _as_field(own.get(name, _MISSING)) for name in declared.__annotations__}
    members = {name: value for name, value in own.items() if name not in fields and name not in _ABOUT_STORAGE}
    members["__slots__"] = tuple(fields)
    members["__match_args__"] = parameters = tuple(name for name, about in fields.items() if about.init)
    members["__init_subclass__"] = _reject_subclass
    members.setdefault("__repr__", _repr(tuple(name for name, about in fields.items() if about.repr)))
    members["__replace__"] = lambda self, **changes: type(self)(
        **{name: getattr(self, name) for name in parameters} | changes
    )
    if eq:
        values = attrgetter(*(name for name, about in fields.items() if about.compare))
        members["__eq__"] = _equality(values)
        members["__hash__"] = (lambda self: hash(values(self))) if frozen else None
    if guarded:
        members |= dict.fromkeys(_GUARD, _reject)
    kind: Any = type(declared)
    made: type[C] = kind(declared.__name__, declared.__bases__, members)
    made.__qualname__ = declared.__qualname__
    type.__setattr__(made, "__init__", _first_constructor(made, fields, guarded=guarded))
    return made


def _as_field(written: object) -> _Field:
    return written if isinstance(written, _Field) else _Field(default=written)


def _first_constructor(made: type, fields: Mapping[str, _Field], *, guarded: bool) -> Callable[..., None]:
    """Make an ``__init__`` that fills the first instance field by field, and is compiled for the second.

    Compiling takes 0.1 ms, and most classes have at most one instance until the first answer.
    """
    parameters: tuple[str, ...] = made.__match_args__  # type: ignore[attr-defined]  # _make sets it
    first = True

    def construct(self: object, *arguments: object, **named: object) -> None:
        nonlocal first
        given = dict(zip(parameters, arguments, strict=False)) | named
        needed = {name for name in parameters if fields[name].default is fields[name].default_factory is _MISSING}
        if first and len(given) == len(arguments) + len(named) and needed <= given.keys() <= {*parameters}:
            first = False
            _fill(self, fields, given)
        else:
            constructor = _constructor(made, fields, guarded=guarded)  # which raises if the arguments are wrong
            type.__setattr__(made, "__init__", constructor)
            constructor(self, *arguments, **named)

    return construct


def _fill(self: object, fields: Mapping[str, _Field], given: Mapping[str, object]) -> None:
    """Do for one instance what a compiled ``__init__`` does."""
    slots = type(self).__dict__
    for name, about in fields.items():
        make: Any = about.default_factory
        value = given[name] if name in given else about.default if make is _MISSING else make()
        if value is not _MISSING:  # else __post_init__ sets it
            slots[name].__set__(self, value)
    if hasattr(self, "__post_init__"):
        self.__post_init__()


def _constructor(made: type, fields: Mapping[str, _Field], *, guarded: bool) -> Callable[..., None]:
    """Compile ``__init__``. With a guard, the instance is of a class without one until its fields are set.

    To set them past the guard would cost a call each.
    """
    names: dict[str, object] = {"_missing_": _MISSING}  # as no field is called
    parameters, body = ["self"], []
    if guarded:
        kind: Any = type(made)
        members = {name: value for name, value in made.__dict__.items() if name not in fields and name not in _GUARD}
        names |= {"_open_": kind(made.__name__, made.__bases__, members), "_guarded_": made}
        names["_become_"] = object.__dict__["__class__"].__set__
        body.append(" _become_(self, _open_)")
    for name, about in fields.items():
        value = name
        if about.default_factory is not _MISSING:
            names[f"make_{name}"] = about.default_factory
            parameters += [f"{name}=_missing_"] if about.init else []
            value = f"make_{name}()" + (f" if {name} is _missing_ else {name}" if about.init else "")
        elif about.default is not _MISSING:
            names[f"default_{name}"] = about.default
            parameters += [f"{name}=default_{name}"] if about.init else []
            value = name if about.init else f"default_{name}"
        elif not about.init:
            continue  # __post_init__ sets it
        else:
            parameters.append(name)
        body.append(f" self.{name} = {value}")
    if guarded:
        body.append(" self.__class__ = _guarded_")
    if hasattr(made, "__post_init__"):
        body.append(" self.__post_init__()")
    exec("\n".join([f"def __init__({', '.join(parameters)}):", *body]), names)  # noqa: S102 - of our own field names
    constructor: Any = names["__init__"]
    constructor.__qualname__ = f"{made.__qualname__}.__init__"
    return constructor  # type: ignore[no-any-return]  # compiled above, of no type that is known


def _equality(values: Callable[[object], object]) -> Callable[[object, object], bool]:
    return lambda one, other: values(one) == values(other) if other.__class__ is one.__class__ else NotImplemented


def _repr(shown: tuple[str, ...]) -> Callable[[object], str]:
    return lambda self: f"{type(self).__qualname__}({', '.join(f'{name}={getattr(self, name)!r}' for name in shown)})"


def _reject(self: object, name: str, *_: object) -> None:
    raise FrozenError(f"{type(self).__qualname__}.{name} never changes")


def _reject_subclass(cls: type, **_: object) -> None:
    """Raise an error as soon as a subclass is defined, since its instances could not be made.

    ``Refuse`` and ``Caller`` are public, so users might try it.
    """
    raise TypeError(f"{cls.__name__} must not inherit from {cls.__bases__[0].__name__}: use that class itself")


def _replace(value: Any, /, **changes: object) -> object:  # noqa: ANN401 - any of our own
    """Do what ``copy.replace`` does, which came with Python 3.13."""
    return value.__replace__(**changes)


if not TYPE_CHECKING:  # pragma: no branch - the type checker sees the standard library's
    dataclass, field, replace, request_dataclass = _dataclass, _Field, _replace, _request_dataclass
