"""Shelf: listening sockets and the like, kept by the keeper so that they outlive this daemon.

Whoever needs one asks `take` first, whether an earlier daemon left it; what was opened anew is
`put` there, and taken away by `remove` when it is closed in order.  Without a keeper nothing is
kept, and nobody need care.  Call it on the loop only.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from typing import Protocol


class Store(Protocol):
    """Who keeps descriptors for the next daemon: the keeper."""

    def hold(self, name: str, fd: int) -> None:
        """Keep a copy."""

    def release(self, name: str) -> None:
        """Forget it."""


class Shelf:
    """Descriptors by name.  Those that were put there stay the caller's."""

    def __init__(self, store: Store | None = None) -> None:
        self._store = store
        self._left: dict[str, int] = {}
        self._lent: dict[str, int] = {}

    @property
    def outlives_us(self) -> bool:
        """Whether there is anybody to keep things."""
        return self._store is not None

    def receive(self, left: Mapping[str, int]) -> None:
        """What an earlier daemon left."""
        self._left.update(left)

    def left(self, prefix: str) -> list[str]:
        """The names that begin so, of what was left and not taken."""
        return [name for name in self._left if name.startswith(prefix)]

    def take(self, name: str) -> int | None:
        """What was left under this name, the caller's from now on; None when there is nothing."""
        fd = self._left.pop(name, None)
        if fd is not None:
            self._lent[name] = fd
        return fd

    def put(self, name: str, fd: int) -> None:
        """Keep a copy for the next daemon until `remove`."""
        if self._store is not None:
            self._lent[name] = fd
            self._store.hold(name, fd)

    def remove(self, name: str) -> None:
        """It is closed, or about to be."""
        if self._lent.pop(name, None) is not None and self._store is not None:
            self._store.release(name)

    def discard(self, name: str) -> None:
        """Nobody wants what was left under this name."""
        fd = self.take(name)
        if fd is not None:
            with suppress(OSError):
                os.close(fd)
            self.remove(name)

    def refill(self) -> None:
        """There is another keeper, which has nothing yet."""
        if self._store is not None:
            for name, fd in self._lent.items():
                self._store.hold(name, fd)
