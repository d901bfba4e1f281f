"""What is not offered says so: an ImportError with a sentence, in place of a bare name."""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn


def missing(name: str) -> ImportError:
    """The error for a name that code of the original has, and we have not."""
    return ImportError(
        f"{name} is not offered: Proctor has the names that listeners, clients and plug-ins use,"
        " not the insides of the original (see the README of the distribution supervisor)",
        name=name,
    )


def absent(module: str) -> Callable[[str], NoReturn]:
    """A `__getattr__` for a module."""

    def lookup(name: str) -> NoReturn:
        if name.startswith("__"):  # Python's own questions
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        raise missing(f"{module}.{name}")

    return lookup
