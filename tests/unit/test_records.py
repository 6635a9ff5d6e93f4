"""Our dataclasses against the standard library's: what one does, the other does."""

import dataclasses
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest

from jwt_authorizer import records as ours


def point(module: ModuleType, **options: bool) -> Any:  # noqa: ANN401 - a class made at run time
    @module.dataclass(slots=True, **options)
    class Point:
        """A place."""

        x: int
        y: int = 2
        label: str = module.field(default="here", repr=False)

    return Point


def basket(module: ModuleType) -> Any:  # noqa: ANN401 - as above
    @module.dataclass(slots=True)
    class Basket:
        owner: str
        items: list[str] = module.field(default_factory=list)
        notes: dict[str, str] = module.field(init=False, default_factory=dict)
        title: str = module.field(init=False)
        seen: int = module.field(init=False, default=0, compare=False)

        def __post_init__(self) -> None:
            self.title = self.owner.upper()

    return Basket


def attempt(call: Callable[..., object], *arguments: object, **named: object) -> object:
    try:
        return call(*arguments, **named)
    except TypeError as error:
        return str(error)
    except AttributeError:
        return "never changes"


def outcomes(module: ModuleType) -> Iterator[object]:
    kind, frozen, identity = point(module), point(module, frozen=True), point(module, eq=False)
    yield attempt(point(module))
    yield attempt(point(module), 1, 2, "a", 3)
    yield attempt(point(module), 1, z=1)
    made = kind(1, 2, "secret")
    yield [repr(made), kind.__name__, kind.__doc__, kind.__module__, kind.__qualname__, kind.__match_args__]
    yield [made == kind(1, label="secret"), made == kind(1), made == point(module)(1, 2, "secret"), made == (1, 2, "a")]
    yield attempt(hash, made)
    yield [identity(1) == identity(1), len({(one := identity(1)), one, identity(1)})]
    yield attempt(setattr, frozen(1), "x", 5)
    yield attempt(delattr, frozen(1), "x")
    yield [frozen(1) == frozen(1, 2), hash(frozen(1)) == hash(frozen(1, 2))]

    kind = basket(module)
    first, second = kind("a"), kind("b", ["x"])
    first.items.append("y")
    first.notes["k"] = "v"
    second.seen += 1
    yield [kind("c").items, kind("c").notes, second.items, first.title, second.seen, second == kind("b", ["x"])]
    yield attempt(basket(module), "a", title="set by __post_init__")
    yield attempt(basket(module), "a", owner="given twice")
    yield attempt(basket(module), "a", [], {})


def test_what_one_does_the_other_does(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = list(outcomes(dataclasses))
    assert list(outcomes(ours)) == expected
    # Ours fill the first instance of a class in another way than later ones.
    monkeypatch.setattr(ours, "_first_constructor", vars(ours)["_constructor"])
    assert list(outcomes(ours)) == expected


@pytest.mark.parametrize("frozen", [True, False])
def test_a_subclass_is_refused_where_it_is_written(*, frozen: bool) -> None:
    made = point(ours, frozen=frozen)
    with pytest.raises(TypeError, match="Place must not inherit from Point"):
        type("Place", (made,), {})
    assert made(1) == made(1) == made(1)
    with pytest.raises(TypeError, match="slots=True"):
        ours.dataclass(slots=False)
