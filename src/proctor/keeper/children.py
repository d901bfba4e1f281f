"""The children the keeper has, and those that ended and whose end is not written down yet.

A child stays in the table from the moment it is born until the daemon has acknowledged its end; so
do our ends of its pipes.  As long as it is in the table and not reaped its pid cannot belong to
anybody else.
"""

from __future__ import annotations

import errno
import os
import resource
import time

from proctor.keeper import foreign
from proctor.keeper.pipes import Streams
from proctor.keeper.trees import Tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

# [seconds of CPU in user mode, in system mode, largest size in KiB]; () while it lives.
Usage = tuple[float, ...]
# Each signal that was sent, and when that was last.
Signalled = tuple[tuple[int, float], ...]


class Child:
    """One child.  `status` is None while it lives; `started` and `ended` are monotonic seconds.

    `usage` is what the Reaper told of it.  `watch` is a pidfd for one that is not ours by birth
    (foreign.py), else None.
    """

    __slots__ = (
        "birth", "ended", "key", "note", "pid",
        "signalled", "started", "status", "streams", "tree", "usage", "watch",
    )  # fmt: skip

    def __init__(
        self, key: str, pid: int, streams: Streams, started: float, *, note: str, birth: int
    ) -> None:
        self.key = key
        self.note = note
        self.pid = pid
        self.birth = birth
        self.streams = streams
        self.tree: Tree | None = None
        self.started = started
        self.status: int | None = None
        self.ended = 0.0
        self.signalled: Signalled = ()
        self.usage: Usage = ()
        self.watch: int | None = None

    def signal(self, signum: int, to_group: bool) -> None:
        """Send a signal to it or to its group.  Raises OSError."""
        if self.watch is not None:
            foreign.send(self.watch, self.pid, signum, to_group)
        else:
            (os.killpg if to_group else os.kill)(self.pid, signum)
        others = (pair for pair in self.signalled if pair[0] != signum)
        self.signalled = (*others, (signum, time.monotonic()))


class Children:
    """The living by pid; the ended by key and pid, since their pids may be in use again."""

    def __init__(self) -> None:
        self._alive: dict[int, Child] = {}
        self._ended: dict[tuple[str, int], Child] = {}

    def __iter__(self) -> Iterator[Child]:
        """All, the ended first: so the lives of one program come in their order."""
        yield from self._ended.values()
        yield from self._alive.values()

    @property
    def alive(self) -> list[Child]:
        """Those not reaped yet."""
        return list(self._alive.values())

    def born(self, child: Child) -> None:
        """Keep it."""
        self._alive[child.pid] = child

    def put_back(self, child: Child) -> None:
        """Keep one that another keeper had, alive or not."""
        if child.status is None:
            self._alive[child.pid] = child
        else:
            self._ended[child.key, child.pid] = child

    def ended(self, pid: int, status: int, usage: Usage, now: float) -> Child | None:
        """The child this was; None for a stranger.  A pidfd of it is the caller's to close."""
        child = self._alive.pop(pid, None)
        if child is not None:
            child.status, child.usage, child.ended = status, usage, now
            self._ended[child.key, pid] = child
        return child

    def find(self, key: str, pid: int) -> Child | None:
        """The child, living or not acknowledged yet."""
        child = self._alive.get(pid)
        return child if child is not None and child.key == key else self._ended.get((key, pid))

    def is_alive(self, key: str, pid: int) -> bool:
        """Whether this child is there and was not reaped."""
        child = self._alive.get(pid)
        return child is not None and child.key == key

    def acknowledge(self, key: str, pid: int) -> Child | None:
        """Forget a child that ended; its streams are the caller's to close.

        None when there is none.
        """
        return self._ended.pop((key, pid), None)

    def signal(self, key: str, pid: int, signum: int, to_group: bool) -> int:
        """Send a signal; the errno it failed with, 0 when sent or when nobody is there any more."""
        child = self._alive.get(pid)
        if child is None or child.key != key:
            return 0
        try:
            child.signal(signum, to_group)
        except ProcessLookupError:
            return 0
        except OSError as error:
            return error.errno or errno.EPERM
        return 0


class Reaper:
    """Reaps the children of this process."""

    def __init__(self) -> None:
        self._floor = 0

    def reap(self) -> Iterator[tuple[int, int, Usage]]:
        """(pid, wait status, usage) of every child that has ended, orphans included."""
        while True:
            try:
                pid, status, used = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            yield pid, status, (round(used.ru_utime, 6), round(used.ru_stime, 6), self._peak(used))

    def _peak(self, used: resource.struct_rusage) -> int:
        """A child's largest size begins with ours, of which it was a copy: up to there it says
        nothing, and is 0.
        """
        if used.ru_maxrss > self._floor:
            self._floor = _largest()  # We only grow, so it need be asked no sooner.
        return used.ru_maxrss if used.ru_maxrss > self._floor else 0


def _largest() -> int:
    """How large this program ever was, in KiB; getrusage would count what ran here before it."""
    try:
        with open("/proc/self/status", "rb") as file:
            return next(int(line.split()[1]) for line in file if line.startswith(b"VmHWM:"))
    except (OSError, StopIteration):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
