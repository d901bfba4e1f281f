"""Waiting for the ends of processes that are not our children.

A pidfd is readable when its process has ended.  How it ended may be hidden until its parent has
reaped it.  So we look again when that has happened, or after a second: a parent that never reaps
must not keep an end from being told.
"""

from __future__ import annotations

import os
import select
import time

from proctor.keeper import foreign
from proctor.keeper.children import Child

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_TO_BE_REAPED = 1.0


class Watching:
    """Shares the keeper's poll and timers.  `ended(child, status)` is told of every end once."""

    def __init__(
        self,
        poll: select.poll,
        timers: dict[Callable[[], None], float],
        ended: Callable[[Child, int], None],
    ) -> None:
        self._poll = poll
        self._timers = timers
        self._ended = ended
        self._watched: dict[int, Child] = {}
        self._dead: dict[int, Callable[[], None]] = {}

    def begin(self, child: Child) -> None:
        """Wait for its end; `child.watch` is set."""
        if child.watch is not None:
            self._watched[child.watch] = child
            self._poll.register(child.watch, select.POLLIN)

    def heard(self, fd: int) -> None:
        """Poll said something of this descriptor; if it is not one of ours, nothing happens."""
        child = self._watched.get(fd)
        if child is None:
            return
        status = foreign.end_of(fd)
        if status is None:
            status = foreign.end_of_zombie(child.pid, child.birth)
        if status is None and fd not in self._dead and foreign.tells_ends():
            # Until it is reaped poll would say that it is readable again and again.
            self._poll.register(fd, 0)
            self._dead[fd] = lambda: self._end(fd, foreign.UNKNOWN)
            self._timers[self._dead[fd]] = time.monotonic() + _TO_BE_REAPED
            return
        self._end(fd, foreign.UNKNOWN if status is None else status)

    def _end(self, fd: int, status: int) -> None:
        child = self._watched.pop(fd)
        timer = self._dead.pop(fd, None)
        if timer is not None:
            self._timers.pop(timer, None)
        self._poll.unregister(fd)
        os.close(fd)
        child.watch = None
        self._ended(child, status)
