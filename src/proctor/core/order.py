"""Which process comes first.

Lower priorities start first and stop last; among equals the order in which they were created
counts, backwards when stopping.  Source: compat process.md, section 7; gotchas G11, G12.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar


class _Ranked(Protocol):
    @property
    def priority(self) -> int: ...

    @property
    def name(self) -> str: ...


R = TypeVar("R", bound=_Ranked)


def ascending(things: Iterable[R]) -> list[R]:
    """By priority; among equals as they came.  For groups as for the processes of one group."""
    return sorted(things, key=lambda thing: thing.priority)


def descending(things: Sequence[R]) -> list[R]:
    """By priority, highest first; among equals the last one first."""
    return ascending(things)[::-1]


def by_name(groups: Iterable[R]) -> list[R]:
    """By priority, then name: the order in which groups are created at start-up."""
    return sorted(groups, key=lambda group: (group.priority, group.name))
