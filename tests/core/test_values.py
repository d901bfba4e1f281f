"""Our dataclass behaves as the one of the standard library."""

from __future__ import annotations

import copy
import dataclasses
import math
from collections.abc import Callable
from typing import Any

import pytest

from proctor.core import values

# For mypy it is the other one; here it is about what it does.
ours: Any = values.dataclass
Decorator = Callable[..., Any]


def a_point(dataclass: Decorator, **options: bool) -> Any:
    @dataclass(slots=True, **options)
    class Point:
        x: int
        y: int = 2
        note: str = dataclasses.field(default="", compare=False)
        hidden: int = dataclasses.field(default=0, repr=False)

    return Point


def a_polite_one(dataclass: Decorator, **options: bool) -> Any:
    @dataclass(slots=True, **options)
    class Polite:
        x: int

        def __repr__(self) -> str:
            return "hello"

        def __eq__(self, other: object) -> bool:
            return True

        __hash__ = object.__hash__

    return Polite


def a_class() -> type:
    class One:
        x: int

    return One


Theirs: Any = dataclasses.dataclass(frozen=True, slots=True)(a_class())
Ours: Any = ours(frozen=True, slots=True)(a_class())


@pytest.mark.parametrize("options", [{"frozen": True}, {}, {"eq": False}])
def test_what_is_equal_is_the_same(options: dict[str, bool]) -> None:
    """By value and class, without the fields that are not compared."""
    answers = []
    for dataclass in (dataclasses.dataclass, ours):
        point, other = a_point(dataclass, **options), a_point(dataclass, **options)
        same = point(1) == point(1, note="seen")
        answers.append((same, point(1) == point(3), point(1) == other(1), point(1) == 1))
    assert answers[0] == answers[1]


@pytest.mark.parametrize("options", [{"frozen": True}, {}, {"eq": False}])
def test_what_can_be_a_key_is_the_same(options: dict[str, bool]) -> None:
    """What is frozen has a hash by value, what can change has none."""
    answers = []
    for dataclass in (dataclasses.dataclass, ours):
        point = a_point(dataclass, **options)
        try:
            answers.append(str(len({point(1), point(1)})))
        except TypeError as error:
            answers.append(str(error))
    assert answers[0] == answers[1]


def test_what_was_not_replaced_is_equal() -> None:
    """As in a tuple, also a number that is not equal to itself; and nothing is equal to nothing."""
    nan = Ours(math.nan)
    assert nan == copy.copy(nan)
    assert hash(nan) == hash(copy.copy(nan))
    empty: Any = ours(frozen=True, slots=True)(type("Empty", (), {}))
    assert (empty(), hash(empty())) == (empty(), hash(empty()))


def test_what_is_made_from_it_without_the_decorator_is_frozen_too() -> None:
    """Here we are stricter: a new attribute would not be compared."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        type("Child", (ours(frozen=True)(a_class()),), {})(1).extra = 2


@pytest.mark.parametrize("options", [{"frozen": True}, {}])
def test_replacing_and_patterns_are_the_same(options: dict[str, bool]) -> None:
    """Fields that are not compared or not shown are replaced and matched like the others."""
    answers = []
    for dataclass in (dataclasses.dataclass, ours):
        point = a_point(dataclass, **options)
        other = dataclasses.replace(point(1, note="a", hidden=3), x=2, note="b")
        answers.append((dataclasses.astuple(other), repr(other), point.__match_args__))
        with pytest.raises(TypeError):
            dataclasses.replace(other, z=1)
    assert answers[0] == answers[1]


def test_it_is_shown_in_the_same_way() -> None:
    """Field by field, without the hidden ones."""
    first, second = (a_point(each)(1, note="a") for each in (dataclasses.dataclass, ours))
    assert repr(first) == repr(second)


@pytest.mark.parametrize(
    "change", [lambda one: setattr(one, "x", 2), lambda one: delattr(one, "x")]
)
def test_what_is_frozen_stays(change: Callable[[Any], None]) -> None:
    """With the same words."""
    said = []
    for one in (Theirs(1), Ours(1)):
        with pytest.raises(dataclasses.FrozenInstanceError) as refusal:
            change(one)
        said.append(str(refusal.value))
    assert said[0] == said[1]


def test_methods_of_its_own_are_kept() -> None:
    """Nothing that the author wrote is replaced."""
    polite = a_polite_one(ours, frozen=True)
    assert repr(polite(1)) == "hello"
    assert polite(1) == 7
    assert polite.__hash__ is object.__hash__


def test_everything_else_is_of_the_standard_library() -> None:
    """replace, fields, asdict, patterns, copy."""
    one = Ours(1)
    match one:
        case Ours(x):
            assert x == 1
    assert dataclasses.replace(one, x=2) == Ours(2)
    assert dataclasses.asdict(one) == {"x": 1}
    assert copy.copy(one) == one
