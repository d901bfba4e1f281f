"""What both hosts have in common: the clocks and timers of the event loop, and what a host may
hold.

The interface is daemon/host.py's, which this storey must not import.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from typing import Protocol

from proctor.core.exits import ExitStatus
from proctor.core.plan import ChildPipes, SpawnFailure, SpawnPlan
from proctor.core.values import dataclass


class ChildSink(Protocol):
    """Who hears what becomes of a child; daemon/host.py says what each call means."""

    def spawned(self, pid: int, pipes: ChildPipes, at: float) -> None: ...

    def spawn_failed(self, failure: SpawnFailure, at: float) -> None: ...

    def exited(self, status: ExitStatus, at: float) -> None: ...

    def signal_failed(self, errno: int, at: float) -> None: ...

    def tree_left(self, left: Sequence[str], at: float) -> None: ...


@dataclass(frozen=True, slots=True)
class HeldChild:
    """A child of an earlier daemon that the keeper still holds.

    `pipes` are the receiver's to close.  `status` is None while it lives, else it ended at `ended`.
    `started` and `ended` are on the clock of Host.now(), and so is the time at which each signal in
    `signalled` was last sent.  `is_tree`: all that comes from it is minded.  `birth` is its time of
    birth as keeper/identity.py has it.  `foreign`: it is no child of the keeper's; `orphan`: that,
    and nobody minded it since the supervisord that started it was killed.
    """

    key: str
    pid: int
    note: str
    pipes: ChildPipes
    started: float
    status: ExitStatus | None
    ended: float
    signalled: Mapping[int, float] = field(default_factory=dict)
    is_tree: bool = False
    birth: int = 0
    foreign: bool = False
    orphan: bool = False


@dataclass(frozen=True, slots=True)
class Holdings:
    """What was there before this daemon: nothing at a first start.

    `restarts`: how often the keeper had to start a daemon again; `last_end`: how the one before
    this ended, if it was one of those.  `descriptors` were held under a name; they are the
    receiver's to close.  `predecessor` is the text of the one that stands aside for this one.
    """

    children: tuple[HeldChild, ...] = ()
    descriptors: dict[str, int] = field(default_factory=dict)
    restarts: int = 0
    last_end: ExitStatus | None = None
    predecessor: str | None = None


@dataclass(frozen=True, slots=True)
class Marks:
    """By what a child and its pipes are known again when nobody holds them any more.

    `birth` is its time of birth (keeper/identity.py); `pipes` are the inode numbers of its stdin,
    stdout and stderr, 0 for what is no pipe of ours.
    """

    birth: int
    pipes: tuple[int, ...]

    @classmethod
    def of(cls, birth: int, pipes: ChildPipes) -> Marks:
        """Those of a child whose pipes are still at hand."""
        fds = (pipes.stdin, pipes.stdout, pipes.stderr)
        return cls(birth, tuple(0 if fd is None else os.fstat(fd).st_ino for fd in fds))


class LoopHost:
    """The clocks, and the callbacks for what belongs to no child.

    `on_unknown_reaped(pid, status)`: an orphan of somebody's ended and was reaped here.
    `on_keeper_lost()`: there is no keeper any more.  `on_complaint(text)`: a line for the log.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.on_unknown_reaped: Callable[[int, ExitStatus], None] = lambda _pid, _status: None
        self.on_keeper_lost: Callable[[], None] = lambda: None
        self.on_complaint: Callable[[str], None] = lambda _text: None

    def now(self) -> float:
        """Monotonic seconds, for rules."""
        return self._loop.time()

    def wall(self) -> float:
        """Seconds since the epoch, for people."""
        return time.time()

    def call_at(self, when: float, callback: Callable[[], None]) -> asyncio.TimerHandle:
        """Call back once now() >= when."""
        return self._loop.call_at(when, callback)

    def call_soon(self, callback: Callable[[], None]) -> None:
        """Call back in the next round of the loop."""
        self._loop.call_soon(callback)

    def when_writable(self, fd: int, callback: Callable[[], None] | None) -> None:
        """Call back whenever the pipe `fd` takes bytes, until told None (always harmless)."""
        if callback is None:
            self._loop.remove_writer(fd)
        else:
            self._loop.add_writer(fd, callback)


def order_of(plan: SpawnPlan) -> dict[str, object]:
    """The plan as keeper/order.Order wants it; what is at its default stays away."""
    order: dict[str, object] = {
        "key": plan.key,
        "filename": plan.filename,
        "argv": plan.argv,
        "environment": plan.environment,
    }
    for name in ("directory", "umask", "uid", "gid"):
        value = getattr(plan, name)
        if value is not None:
            order[name] = value
    for name in ("groups", "redirect_stderr", "no_new_privs", "note", "tree"):
        value = getattr(plan, name)
        if value:
            order[name] = value
    return order
