"""Host: the machine as the heart needs it.  The one seam between deciding and doing.

KeeperHost (posix/keeper_host.py) and LocalHost (posix/local_host.py) in life, FakeHost in the
tests. Answers to `spawn` and `signal` come back through the ChildSink, never from inside the call
itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from proctor.core.exits import ExitStatus
from proctor.core.plan import ChildPipes, SpawnFailure, SpawnPlan


class Timer(Protocol):
    """A call that is due later."""

    def cancel(self) -> None:
        """Do not make the call.  Harmless when it was made already."""


class ChildSink(Protocol):
    """Whoever asked for a child, and hears what becomes of it.  `at` is Host.now() when it was
    noticed."""

    def spawned(self, pid: int, pipes: ChildPipes, at: float) -> None:
        """The child runs.  The pipes are yours to close."""

    def spawn_failed(self, failure: SpawnFailure, at: float) -> None:
        """There is no child."""

    def exited(self, status: ExitStatus, at: float) -> None:
        """The child is gone and reaped.  Call Host.acknowledge when this is written down."""

    def signal_failed(self, errno: int, at: float) -> None:
        """A signal was refused with anything but ESRCH."""

    def tree_left(self, left: Sequence[str], at: float) -> None:
        """Who is left of what came from the child that ended, as people read it; at last ()."""


class Host(Protocol):
    """The machine: clocks, timers, children."""

    def now(self) -> float:
        """Monotonic seconds, for rules."""

    def wall(self) -> float:
        """Seconds since the epoch, for people."""

    def call_at(self, when: float, callback: Callable[[], None]) -> Timer:
        """Call back once Host.now() >= when."""

    def call_soon(self, callback: Callable[[], None]) -> None:
        """Call back in the next round of the loop."""

    def when_writable(self, fd: int, callback: Callable[[], None] | None) -> None:
        """Call back whenever the pipe `fd` takes bytes, until told None (always harmless)."""

    def spawn(self, plan: SpawnPlan, sink: ChildSink) -> None:
        """Start a child; the sink hears `spawned` or `spawn_failed` later, then `exited` once."""

    def signal(self, key: str, pid: int, signum: int, to_group: bool) -> None:
        """Signal the child of this key, if it still has this pid; ESRCH is not reported."""

    def signal_tree(self, key: str, pid: int, signum: int, sink: ChildSink) -> None:
        """Signal this child and all that comes from it (0: nobody).

        When the child has ended, the sink hears `tree_left`: at once, and when nobody is left.
        """

    def acknowledge(self, key: str, pid: int) -> None:
        """The exit is recorded: the keeper may forget this child and close its descriptors."""
