"""Processes that are not our children and that no keeper minds for us: seen through pidfds.

Which process a pid means is settled once, when it is watched (keeper/identity.py); how it ended is
known where the kernel tells (keeper/foreign.py).
"""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Callable

from proctor.keeper import foreign
from proctor.keeper.identity import open_process

# Seconds in which the parent of a process that has ended should have reaped it.
_TO_BE_REAPED = 1.0


class Direct:
    """`ended(pid, status)` is told, from the loop, of the end of each that is watched."""

    def __init__(self, loop: asyncio.AbstractEventLoop, ended: Callable[[int, int], None]) -> None:
        self._loop = loop
        self._ended = ended
        self._watches: dict[int, int] = {}

    def watch(self, pid: int, birth: int) -> None:
        """Tell of the end of the process of this pid that was born then; it may be over already."""
        try:
            watch = open_process(pid, birth)
        except (OSError, AttributeError):
            self._loop.call_soon(self._ended, pid, foreign.UNKNOWN)
            return
        self._watches[pid] = watch
        self._loop.add_reader(watch, self._heard, pid, watch, birth)

    def signal(self, pid: int, signum: int, to_group: bool) -> int:
        """The errno with which that failed; 0 when it was sent or nobody is there any more."""
        if pid not in self._watches:
            return 0
        try:
            foreign.send(self._watches[pid], pid, signum, to_group)
        except ProcessLookupError:
            return 0
        except OSError as error:
            return error.errno or errno.EPERM
        return 0

    def forget(self) -> None:
        """Somebody else minds them from now on."""
        for watch in self._watches.values():
            self._loop.remove_reader(watch)
            os.close(watch)
        self._watches.clear()

    def _heard(self, pid: int, watch: int, birth: int) -> None:
        self._loop.remove_reader(watch)
        status = foreign.end_of(watch)
        if status is None:
            status = foreign.end_of_zombie(pid, birth)
        if status is None and foreign.tells_ends():
            self._loop.call_later(_TO_BE_REAPED, self._tell, pid, watch, None)
        else:
            self._tell(pid, watch, status)

    def _tell(self, pid: int, watch: int, status: int | None) -> None:
        if self._watches.get(pid) != watch:
            return
        del self._watches[pid]
        if status is None:
            status = foreign.end_of(watch)
        os.close(watch)
        self._ended(pid, foreign.UNKNOWN if status is None else status)
