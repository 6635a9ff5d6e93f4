"""Our dataclasses against the standard library's: what one does, the other does."""

import dataclasses
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from jwt_authorizer import records as ours

BOTH = pytest.mark.parametrize("module", [dataclasses, ours], ids=["theirs", "ours"])


@pytest.fixture(autouse=True, params=["first instance", "later instances"])
def _constructor(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ours fill the first instance of a class in another way than later ones."""
    if request.param == "later instances":
        monkeypatch.setattr(ours, "_first_constructor", vars(ours)["_constructor"])


def point(module: ModuleType, **options: bool) -> Any:  # noqa: ANN401 - a class made at run time
    @module.dataclass(slots=True, **options)
    class Point:
        """A place."""

        x: int
        y: int = 2
        label: str = module.field(default="here", repr=False)

    return Point


@BOTH
@pytest.mark.parametrize("call", [lambda kind: kind(), lambda kind: kind(1, 2, "a", 3), lambda kind: kind(1, z=1)])
def test_refuses_too_few_too_many_and_unknown_fields(module: ModuleType, call: Callable[[Any], object]) -> None:
    with pytest.raises(TypeError, match=r"Point\.__init__\(\)"):
        call(point(module))


@BOTH
@pytest.mark.parametrize("named", [{"title": "b"}, {"owner": "b"}], ids=["set by __post_init__", "given twice"])
def test_refuses_a_field_that_is_not_a_parameter_and_one_given_twice(module: ModuleType, named: dict[str, str]) -> None:
    @module.dataclass(slots=True)
    class Shelf:
        owner: str
        title: str = module.field(init=False)

    kind: Any = Shelf
    with pytest.raises(TypeError):
        kind("a", **named)


@BOTH
def test_keeps_its_name_its_documentation_and_its_fields_in_order(module: ModuleType) -> None:
    made = point(module)
    assert (made.__name__, made.__doc__, made.__module__) == ("Point", "A place.", __name__)
    assert made.__qualname__ == "point.<locals>.Point"
    assert made.__match_args__ == ("x", "y", "label")


@BOTH
def test_shows_what_may_be_shown(module: ModuleType) -> None:
    assert repr(point(module)(1, 2, "secret")) == "point.<locals>.Point(x=1, y=2)"


@BOTH
def test_compares_values_of_one_class(module: ModuleType) -> None:
    kind, another = point(module), point(module)
    assert kind(1) == kind(1)
    assert kind(1) != kind(2)
    assert kind(1) != another(1)
    assert kind(1) != (1, 2, "here")
    with pytest.raises(TypeError):
        hash(kind(1))


@BOTH
def test_compares_identities_where_told_so(module: ModuleType) -> None:
    kind = point(module, eq=False)
    made = kind(1)
    assert made == made  # noqa: PLR0124 - that is the question
    assert made != kind(1)
    assert len({made, kind(1)}) == 2


@BOTH
def test_never_changes_where_frozen(module: ModuleType) -> None:
    made = point(module, frozen=True)(1)
    with pytest.raises(AttributeError):
        made.x = 5
    with pytest.raises(AttributeError):
        del made.x
    assert made == point_like(made)
    assert hash(made) == hash(point_like(made))


def point_like(made: Any) -> Any:  # noqa: ANN401 - as above
    return type(made)(made.x, made.y, made.label)


@BOTH
def test_makes_a_new_default_each_time_and_leaves_the_rest_to_post_init(module: ModuleType) -> None:
    @module.dataclass(slots=True)
    class Basket:
        owner: str
        items: list[str] = module.field(default_factory=list)
        notes: dict[str, str] = module.field(init=False, default_factory=dict)
        title: str = module.field(init=False)
        seen: int = module.field(init=False, default=0, compare=False)

        def __post_init__(self) -> None:
            self.title = self.owner.upper()

    kind: Any = Basket
    first, second = kind("a"), kind("b", ["x"])
    first.items.append("y")
    first.notes["k"] = "v"
    assert (kind("c").items, second.items, second.notes, first.title) == ([], ["x"], {}, "A")
    with pytest.raises(TypeError):
        kind("a", [], {})
    second.seen += 1
    assert (second.seen, second) == (1, kind("b", ["x"]))


@pytest.mark.parametrize("frozen", [True, False])
def test_a_subclass_is_refused_where_it_is_written(*, frozen: bool) -> None:
    made = point(ours, frozen=frozen)
    with pytest.raises(TypeError, match="Place must not inherit from Point"):
        type("Place", (made,), {})
    assert made(1) == made(1) == made(1)


def test_without_slots_none_is_made() -> None:
    with pytest.raises(TypeError, match="slots=True"):
        ours.dataclass(slots=False)


def test_a_transient_value_is_like_any_but_that_nothing_guards_it() -> None:
    @ours.request_dataclass(frozen=True, slots=True)
    class Seen:
        name: str
        count: int = ours.field(default=0, compare=False)

    kind: Any = Seen
    assert kind("a", 1) == kind("a", 2) != kind("b", 1)
    assert hash(kind("a", 1)) == hash(kind("a", 2))
    assert repr(kind("a")).endswith("Seen(name='a', count=0)")
    one = kind("a")
    one.count = 5
    assert one.count == 5


def test_a_class_with_one_instance_compiles_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    kind, compiled, constructor = point(ours), [], vars(ours)["_constructor"]

    def counted(*about: object, **more: object) -> object:
        compiled.append(about)
        return constructor(*about, **more)

    monkeypatch.setattr(ours, "_constructor", counted)
    assert (kind(1, label="a").y, len(compiled)) == (2, 0)
    assert (kind(2, label="b").y, kind(3).y, len(compiled)) == (2, 2, 1)
