"""dataclass, as in the standard library, at half the memory and half the time to load.

The standard library writes and compiles six methods for each class, 9 KB more than it takes to say
what the fields are.  Only `__init__` has to be fast; the others are the same functions for all
classes here, and behave alike.

One difference: a class made from a frozen one without the decorator refuses new attributes too.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from operator import attrgetter
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any, NoReturn

__all__ = ["dataclass"]

if TYPE_CHECKING:
    from dataclasses import dataclass
else:

    def dataclass(*, frozen: bool = False, slots: bool = False, eq: bool = True) -> Any:
        """A decorator as dataclasses.dataclass, without what nobody here needs."""

        def make(cls: type) -> type:
            own = set(vars(cls))
            if "__eq__" in own and cls.__hash__ is None:
                own.discard("__hash__")  # It is Python that wrote it, not the author.
            made = dataclasses.dataclass(frozen=frozen, slots=slots, eq=False, repr=False)(cls)
            for name, method in _methods(made, frozen, eq):
                if name not in own:
                    setattr(made, name, method)
            return made

        return make


def _methods(cls: type, frozen: bool, eq: bool) -> Iterator[tuple[str, object]]:
    yield "__repr__", _repr
    if eq:
        yield "__compared__", _compared(cls)
        yield "__eq__", _equals
        yield "__hash__", _hash if frozen else None
    if frozen:
        yield "__setattr__", _refuse_to_set
        yield "__delattr__", _refuse_to_delete


def _compared(cls: Any) -> Any:
    """What makes two of them equal, from one of them."""
    names = [field.name for field in dataclasses.fields(cls) if field.compare]
    # The first one twice, so that it is always a tuple: in a tuple also a value that is not
    # equal to itself (NaN) is the same.
    return attrgetter(*names, names[0]) if names else lambda one: ()


def _equals(one: Any, other: Any) -> Any:
    if other.__class__ is not one.__class__:
        return NotImplemented
    compared = one.__class__.__compared__
    return compared(one) == compared(other)


def _hash(one: Any) -> int:
    return hash(one.__class__.__compared__(one))


@recursive_repr()
def _repr(one: Any) -> str:
    shown = [field.name for field in dataclasses.fields(one) if field.repr]
    values = ", ".join(f"{name}={getattr(one, name)!r}" for name in shown)
    return f"{one.__class__.__qualname__}({values})"


def _refuse_to_set(one: object, name: str, value: object) -> NoReturn:
    raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_to_delete(one: object, name: str) -> NoReturn:
    raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")
